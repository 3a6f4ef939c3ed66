"""The reference run, which grows: take what is finished, train the rest, draw, keep it.

python tools/reference.py                            # all of it; stop and start it at any time
python tools/reference.py mnist adam --jobs 2        # of these experiments, two trainings at once
python tools/reference.py --draw-only --take FOLDER  # only what another folder has finished

A run is finished if its files say so: same settings, seed and data as config/reference.yaml asks
for, whatever machine or commit it comes from. Such a run is never trained again. One that is only
trained, or begun, is kept under ``unfinished``, and goes on from there on the next machine.
"""

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np
from readme import README, put, section

from nws import config as configuration
from nws.config import Config, Experiment
from nws.data.datasets import outdated
from nws.errors import NwsError
from nws.files.code import source_hash
from nws.files.layout import data_file, work_folder
from nws.files.manifest import NAME as MANIFEST
from nws.files.npz import names, read_npz
from nws.files.whole import write_npz
from nws.reporting.results import Entry, Results

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "reference"
CONFIG = ROOT / "config" / "reference.yaml"

# In the order of what the paper rests on; then whatever else the configuration has.
ORDER = (
    "minimnist", "sensitivity", "damping", "ksteps", "inversion", "mnist", "grid_minimnist",
    "grid_mnist", "adam", "rates",
)  # fmt: skip

SMALL = ("history.csv", "metrics.json")  # of every run
WHOLE = (*SMALL, "training.json", "model.npz", "samples.npz")  # of the headline's and of 3by3
TRAINED = ("history.csv", "training.json", "model.npz")
HEADLINE = ("minimnist", "clip", "mnist", "damping", "noise_floor")
BEST = {"race2": ("rws", "nrws_mended"), "race3": ("rws", "nrws_mended")}  # whose leads are told
TODAY = source_hash("training")
UNFINISHED = "unfinished"  # a results folder in the kept one
LIGHT = 12 * 2**20  # bytes: a checkpoint that holds the Fisher too stays behind
DRAWN = (
    "report.html", "claims*", "tables/*", "figures/*", "data/*.json",
    "data/threebythree.npz",  # small; Figure 9 shows its patterns
)  # fmt: skip


class Cell(NamedTuple):
    """What one process does: train and score runs of an experiment, or only score them; ``alone``:
    with nothing beside it."""

    command: str
    runs: list[str]
    seed: int
    alone: bool = False


def take(source: Path, target: Path, config: Config) -> int:
    """Copy the finished runs of ``source`` that ``target`` does not have; how many they were. Those
    that were scored otherwise than is asked for too, if they can be scored again."""
    theirs = Results(source, config).all_entries()
    ours = Results(target, config).all_entries()
    pairs = zip(theirs, ours, strict=True)
    new = [a for a, b in pairs if (a.scored and not b.scored) or (_rescored(a) and not b.trained)]
    for entry in new:
        _copy(entry.directory, target / entry.directory.relative_to(source), WHOLE)
    return len(new)


def todo(config: Config, root: Path, only: Sequence[str] = ()) -> Iterator[Cell]:
    """What is left to do of all experiments, or of some, in order: a seed after the other."""
    results = Results(root, config)
    first = [name for name in ORDER if name in config.experiments]
    for name in dict.fromkeys(only or [*first, *config.experiments]):
        experiment = config.experiments[name]
        for seed in configuration.seeds(config, name):
            entries = [e for e in results.entries(name) if e.seed == seed and not e.scored]
            trained = [e for e in entries if _model(e)]
            untrained = [e for e in entries if e not in trained]
            yield from _cells("evaluate", trained, seed, experiment)
            yield from _cells("train", untrained, seed, experiment)


def go_on(source: Path, target: Path, config: Config) -> int:
    """Copy what ``source`` has of runs that are trained and not scored, or begun, where ``target``
    has nothing; how many they were."""
    pairs = _unfinished(source, target, config)
    new = [(a, b) for a, b in pairs if not _model(b) and not _work(target, b).exists()]
    for theirs, ours in new:
        _put(source, theirs, target, ours)
    return len(new)


def keep_unfinished(source: Path, kept: Path, config: Config) -> None:
    """Keep of runs that are trained and not scored, or begun, what is ahead of what is kept; what
    has finished goes."""
    target = kept / UNFINISHED
    for theirs, ours in _unfinished(source, target, config):
        if _steps(source, theirs) > _steps(target, ours):
            _put(source, theirs, target, ours)
    left = [entry for entry in Results(kept, config).all_entries() if not entry.scored]
    folders = {path for e in left for path in (e.directory, _work(kept, e))}
    for folder in target.glob("*/*/*/seed*"):
        if kept / folder.relative_to(target) not in folders:
            shutil.rmtree(folder)


def _unfinished(source: Path, target: Path, config: Config) -> list[tuple[Entry, Entry]]:
    """Runs of which ``source`` has a part, and ``target`` not all."""
    theirs = Results(source, config).all_entries()
    ours = Results(target, config).all_entries()
    pairs = zip(theirs, ours, strict=True)
    return [(a, b) for a, b in pairs if not (a.scored or b.scored) and _steps(source, a)]


def _put(source: Path, theirs: Entry, target: Path, ours: Entry) -> None:
    work = _work(target, ours)
    shutil.rmtree(work, ignore_errors=True)
    if _model(theirs):
        _copy(theirs.directory, ours.directory, TRAINED)
    elif path := _checkpoint(source, theirs):
        work.mkdir(parents=True)
        shutil.copyfile(path, work / path.name)


def _steps(root: Path, entry: Entry) -> float:
    """How far a run that is not scored has come; a checkpoint of other code goes on nowhere."""
    if _model(entry):
        return math.inf
    path = _checkpoint(root, entry)
    return int(path.stem.removeprefix("step")) if path and code(path) == TODAY else 0


def code(checkpoint: Path) -> str:
    """The hash of the training code that wrote a checkpoint; empty if it is damaged."""
    try:
        about = read_npz(checkpoint, checkpoint.name, ["about"])["about"]
        return str(json.loads(str(about))["fingerprint"]["code"])
    except (NwsError, ValueError, KeyError):
        return ""


def sign(root: Path) -> None:
    """Have all checkpoints under ``root`` go on with today's training code."""
    for path in root.glob("work/*/*/seed*/step*.npz"):
        if code(path) not in ("", TODAY):
            content = read_npz(path, str(path), names(path, str(path)))
            about = json.loads(str(content["about"]))
            about["fingerprint"]["code"] = TODAY
            write_npz(path, {**content, "about": np.array(json.dumps(about))})
            print(f"{path}: now of today's code", flush=True)


def _checkpoint(root: Path, entry: Entry) -> Path | None:
    """The newest of a run that is light."""
    files = sorted(_work(root, entry).glob("step*.npz"), reverse=True)
    return next((path for path in files if path.stat().st_size <= LIGHT), None)


def _work(root: Path, entry: Entry) -> Path:
    return work_folder(root, entry.run.experiment, entry.run.name, entry.seed)


def _model(entry: Entry) -> bool:
    """Whether a run is trained as it is asked for, and can be scored."""
    return entry.trained and all((entry.directory / name).is_file() for name in TRAINED)


def _rescored(entry: Entry) -> bool:
    return _model(entry) and (entry.directory / "metrics.json").is_file()


def _cells(command: str, entries: list[Entry], seed: int, experiment: Experiment) -> Iterator[Cell]:
    names = [f"{entry.run.experiment}/{entry.run.name}" for entry in entries]
    for start in range(0, len(names), experiment.share):
        yield Cell(command, names[start : start + experiment.share], seed, experiment.alone)


def train(config: Config, file: Path, root: Path, only: Sequence[str] = (), jobs: int = 1) -> None:
    """Every cell in a process of its own, so many at once; after one that fails none is begun."""

    def work(cell: Cell) -> None:
        extra = ["--evaluate"] if cell.command == "train" else []
        print(f"== {cell.command} {' '.join(cell.runs)}, seed {cell.seed}", flush=True)
        _nws(file, root, cell.command, *cell.runs, "--seed", str(cell.seed), *extra)

    cells = list(todo(config, root, only))
    for alone in (False, True):
        pool = ThreadPoolExecutor(1 if alone else jobs)
        try:
            begun = [pool.submit(work, cell) for cell in cells if cell.alone == alone]
            for done in as_completed(begun):
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def prepare(config: Config, file: Path, root: Path) -> None:
    """The data sets, where they are not there; before any run, so that none looks older."""
    for name, settings in config.datasets.items():
        if outdated(data_file(root, name), settings):
            _nws(file, root, "prepare", name)


def keep(root: Path, target: Path, config: Config) -> None:
    """The small files of all that is finished, and what was drawn; stale runs go."""
    for old in Results(target, config).all_entries():
        if old.directory.is_dir() and not old.scored:
            shutil.rmtree(old.directory)
    asked = {e.directory.relative_to(root) for e in Results(root, config).all_entries()}
    for folder in target.glob("runs/*/*/seed*"):
        if folder.relative_to(target) not in asked:
            shutil.rmtree(folder)
    for entry in (e for e in Results(root, config).all_entries() if e.scored):
        names = WHOLE if _headline(entry) else SMALL
        _copy(entry.directory, target / entry.directory.relative_to(root), names)
    for path in (path for pattern in DRAWN for path in root.glob(pattern)):
        copied = target / path.relative_to(root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
        if (
            path.parent.name == "data" and path.suffix == ".json"
        ):  # where the files lay is nobody's business
            text = re.sub(r'"folder [^"]*"', '"a folder"', path.read_text(encoding="utf-8"))
            copied.write_text(text, encoding="utf-8")
    configuration.write(config, target)


def _headline(entry: Entry) -> bool:
    """Whether a run's model is kept, for others to hold in hand."""
    run = entry.run
    return run.experiment in HEADLINE or run.name in BEST.get(run.experiment, ())


def _copy(folder: Path, target: Path, names: Sequence[str]) -> None:
    """Files of a run, with a manifest of those alone."""
    target.mkdir(parents=True, exist_ok=True)
    there = [name for name in names if (folder / name).is_file()]
    for name in there:
        shutil.copyfile(folder / name, target / name)
    if (folder / MANIFEST).is_file():
        known = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known = {name: digest for name, digest in known.items() if name in there}
        text = json.dumps(known, indent=1, sort_keys=True) + "\n"
        (target / MANIFEST).write_text(text, encoding="utf-8")


def _nws(file: Path, root: Path, *words: str) -> None:
    command = [sys.executable, "-m", "nws.cli", *words, "--config", str(file)]
    done = subprocess.run([*command, "--results", str(root)], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--take", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--draw-only", action="store_true", help="train nothing")
    parser.add_argument(
        "--same-numbers",
        action="store_true",
        help="the training code changed, and no number with it: sign checkpoints of other "
        "code, here and in the folders taken from, as of today's. Ask the slow tests of "
        "tests/training/test_reference.py first",
    )
    parser.add_argument("only", nargs="*", metavar="EXPERIMENT", help="train those of this alone")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="trainings at once")
    args = parser.parse_args()
    config = configuration.load(CONFIG)
    for name in set(args.only) - set(config.experiments):
        parser.error(f"found {name!r}; experiments: {', '.join(config.experiments)}")
    if args.jobs < 1:
        parser.error(f"--jobs: found {args.jobs}; at least 1")
    root = ROOT / "results" / config.scale
    if args.same_numbers:
        for folder in (root, KEPT / UNFINISHED, *args.take):
            sign(folder)
    prepare(config, CONFIG, root)
    for source in (KEPT, *args.take):
        print(f"{take(source, root, config)} finished runs taken from {source}", flush=True)
    if (KEPT / "benchmark.json").is_file() and not (root / "benchmark.json").is_file():
        shutil.copyfile(KEPT / "benchmark.json", root / "benchmark.json")
    if not args.draw_only:
        for source in (KEPT / UNFINISHED, *args.take):
            print(f"{go_on(source, root, config)} unfinished runs taken from {source}", flush=True)
        train(config, CONFIG, root, args.only, args.jobs)
    for words in (("figure",), ("table",), ("report",)):
        _nws(CONFIG, root, *words)
    keep(root, KEPT, config)
    for source in (root, *args.take):
        keep_unfinished(source, KEPT, config)
    README.write_text(put(section(), README.read_text(encoding="utf-8")), encoding="utf-8")
    _nws(CONFIG, KEPT, "verify", "--quick", "--record")


if __name__ == "__main__":
    main()
