"""The commands that make results: prepare, train, evaluate."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nws.cli.asked import configuration, runs_named, seeded, show, with_threads

if TYPE_CHECKING:
    from nws.config import Config, Run
    from nws.reporting.results import Results


def prepare(args: argparse.Namespace) -> None:
    """Make data sets."""
    config, root = configuration(args)
    for name in args.dataset or config.datasets:
        _prepare(config, root, name)


def train(args: argparse.Namespace) -> None:
    """Train runs, as many at a time as there are threads, and evaluate them if asked. What is there
    already stays as it is, unless it is asked for again."""
    from nws.reporting.results import Results

    config, root = configuration(args)
    asked = list(seeded(config, list(runs_named(config, args.run)), args.seed))
    results = Results(root, config)
    cells = [cell for cell in asked if args.again or not _trained(results, *cell)]
    unscored = [c for c in asked if c in cells or not results.entry(*c).scored]
    unscored = unscored if args.evaluate else []
    runs = [run for run, _ in (*cells, *unscored)]
    if not runs:
        return
    given = with_threads(config, args.threads)
    threads, at_once = _threads(given, runs), _at_once(given, runs, len(cells))
    # First: a GPU that is not there is told before data is prepared.
    _configure(given, runs, at_once)
    _ready(config, root, runs)
    from nws.training.jobs import forget
    from nws.training.together import train_all

    train_all(with_threads(given, threads // at_once), cells, root, at_once)
    for run, seed in unscored:  # one at a time, with all threads: samples take memory
        _evaluate(given, run, seed, root)
    for run, seed in (*cells, *unscored):  # one that was killed while it was scored, too
        forget(root, run, seed)


def evaluate(args: argparse.Namespace) -> None:
    """Score trained runs."""
    config, root = configuration(args)
    runs = list(runs_named(config, args.run))
    _configure(with_threads(config, args.threads), runs)
    for run, seed in seeded(config, runs, args.seed):
        _evaluate(config, run, seed, root)


def _trained(results: "Results", run: "Run", seed: int) -> bool:
    """Whether a run is trained as it is asked for, by this code, and its files are whole; then that
    is said."""
    from nws.files import manifest, record
    from nws.files.code import source_hash
    from nws.reporting.results import STALE

    entry = results.entry(run, seed)
    same = entry.trained and entry.metrics.get("code") == source_hash("training")
    there = same and (entry.directory / "model.npz").is_file()
    if trained := there and not manifest.check(entry.directory, names=record.TRAINED):
        print(f"{entry.label}: already trained; --again trains it again", file=sys.stderr)
    elif entry.status == STALE:
        print(f"{entry.label}: trained again: {entry.reason}", file=sys.stderr)
    return trained


def _threads(config: "Config", runs: "Sequence[Run]") -> int:
    """Of a process for these runs."""
    return max(config.experiments[run.experiment].threads for run in runs)


def _at_once(config: "Config", runs: "Sequence[Run]", cells: int) -> int:
    """How many of the cells are trained side by side."""
    if any(config.experiments[run.experiment].alone for run in runs):
        return 1
    return max(1, min(_threads(config, runs), cells))


def _configure(config: "Config", runs: "Sequence[Run]", at_once: int = 1) -> None:
    """Lease a GPU, where there are several, and set TensorFlow up."""
    from nws.machine import lease, quiet

    lease.take(config.device)  # before TensorFlow is loaded and sees all of them
    quiet.load()
    from nws.machine.device import configure

    found = configure(config.device, _threads(config, runs), at_once)
    if found == "cpu":  # TensorFlow may be unable to use them
        lease.give_back()


def _evaluate(config: "Config", run: "Run", seed: int, root: Path) -> None:
    from nws.evaluation.jobs import evaluate

    evaluate(config, run, seed, root)


def _ready(config: "Config", root: Path, runs: "Sequence[Run]") -> None:
    """What Snakemake has made before it trains, for those who train without it."""
    from nws.config import write
    from nws.data.datasets import outdated
    from nws.files.layout import data_file

    write(config, root)
    for name in sorted({run.settings.dataset for run in runs}):
        path = data_file(root, name)
        if found := outdated(path, config.datasets[name], config.mnist_dir):
            if path.exists():
                print(f"{path}: prepared again: {found}", file=sys.stderr)
            _prepare(config, root, name)


def _prepare(config: "Config", root: Path, name: str) -> None:
    from nws.config import find_dataset
    from nws.data import datasets
    from nws.files.layout import data_file

    built, provenance = datasets.build(name, find_dataset(config, name), config.mnist_dir)
    path = data_file(root, name)
    datasets.save(built, provenance, path)
    show([path])
