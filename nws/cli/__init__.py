"""The command line: ``nws COMMAND``, every step of the workflow on its own.

Everything a command needs is imported inside it, so that ``nws --help`` is immediate and only
training and evaluation ever load TensorFlow.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nws.errors import NwsError

if TYPE_CHECKING:
    from nws.config import Config, Run

Command = Callable[[argparse.Namespace], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it succeeded, else a message and the error's status."""
    args = parser().parse_args(argv)
    try:
        args.command(args)
    except NwsError as error:
        print(f"nws: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("nws: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has gone; nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def prepare(args: argparse.Namespace) -> None:
    """Make data sets."""
    config, root = _settings(args)
    for name in args.dataset or config.datasets:
        _prepare(config, root, name)


def train(args: argparse.Namespace) -> None:
    """Train runs, as many at a time as there are threads, and evaluate them if asked. What is there
    already stays as it is, unless it is asked for again."""
    config, root = _settings(args)
    asked = list(_seeded(config, list(_runs(config, args.run)), args.seed))
    cells = [cell for cell in asked if args.again or not _trained(config, root, *cell)]
    unscored = [c for c in asked if c in cells or not _scored(config, root, *c)]
    unscored = unscored if args.evaluate else []
    runs = [run for run, _ in (*cells, *unscored)]
    if not runs:
        return
    given = _given(config, args.threads)
    threads, at_once = _threads(given, runs), _at_once(given, runs, len(cells))
    # First: a GPU that is not there is told before data is prepared.
    _configure(given, runs, at_once)
    _ready(config, root, runs)
    from nws.training.jobs import forget
    from nws.training.together import train_all

    train_all(_given(given, threads // at_once), cells, root, at_once)
    for run, seed in unscored:  # one at a time, with all threads: samples take memory
        _evaluate(given, run, seed, root)
    for run, seed in cells:
        forget(root, run, seed)


def evaluate(args: argparse.Namespace) -> None:
    """Score trained runs."""
    config, root = _settings(args)
    runs = list(_runs(config, args.run))
    _configure(_given(config, args.threads), runs)
    for run, seed in _seeded(config, runs, args.seed):
        _evaluate(config, run, seed, root)


def figure(args: argparse.Namespace) -> None:
    """Draw figures from result files."""
    from nws.reporting import figures

    config, root = _asked(args)
    for name in args.name or figures.NAMES:
        _show(figures.make(name, root, root / "figures", config))
        _say_missing(name, figures.requires, root, config)


def table(args: argparse.Namespace) -> None:
    """Make tables from result files."""
    from nws.reporting import tables

    config, root = _asked(args)
    for name in args.name or tables.NAMES:
        _show(tables.make(name, root, config=config))
        _say_missing(name, tables.requires, root, config)


def choose(args: argparse.Namespace) -> None:
    """Write what the searches of the race chose."""
    from nws.reporting import choose
    from nws.reporting.results import Results

    config, root = _asked(args)
    file = root / "config.json" if config is None else args.config
    extends = "paper" if file is None else str(file.resolve())
    print(choose.text(Results(root, config), extends), end="")


def report(args: argparse.Namespace) -> None:
    """Write the report from result files."""
    from nws.reporting.page.report import make

    config, root = _asked(args)
    _show([make(root, config)])


def verify(args: argparse.Namespace) -> None:
    """Score the models of results again and compare every number."""
    from nws.machine import quiet

    quiet.load()
    from nws.cli import verification
    from nws.machine.device import configure

    args.results = args.folder or args.results
    config, root = _asked(args)
    configure("cpu", os.cpu_count() or 1)
    print(verification.report(verification.verify(root, config, args.quick)))


def benchmark(args: argparse.Namespace) -> None:
    """Time the steps of training."""
    from nws.benchmark import main

    main(args)


def plan(args: argparse.Namespace) -> None:
    """Say what a configuration asks for."""
    from nws.config import write
    from nws.planning import plan

    config, root = _settings(args)
    if args.write:
        write(config, root)
    print(plan.describe(plan.plan(config, root), plan.calibrate()))


def init(args: argparse.Namespace) -> None:
    """Begin a folder for Snakemake."""
    from nws.files.starter import init

    _show(init(args.folder, args.scale))
    print(f"Next: cd {args.folder}; snakemake --cores 4")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="nws",
        description="Helmholtz machines trained by Natural (Reweighted) Wake-Sleep: "
        "the paper's runs, figures and tables, one command at a time.",
        epilog="The whole paper in one go: snakemake --cores 4. One command: nws COMMAND --help.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_init(commands)
    _add_steps(commands)
    _add_results(commands)
    return top


def _add_init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "put a Snakefile and a configuration into an empty folder"
    sub = commands.add_parser(
        "init",
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog="Example: nws init digits --scale quick",
    )
    sub.set_defaults(command=init)
    sub.add_argument("folder", type=Path, metavar="DIR", help="is made if it is not there")
    sub.add_argument(
        "--scale",
        default="quick",
        choices=("paper", "quick", "smoke", "reference"),
        help="what the configuration extends (default: quick)",
    )


def _add_steps(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sub = _add(commands, prepare, "fetch and binarize data sets", "nws prepare minimnist_b")
    sub.add_argument("dataset", nargs="*", help="names under `datasets` (default: all)")
    sub = _add(commands, train, "train runs; a stopped one goes on", "nws train minimnist/rws_b")
    _add_runs(sub)
    sub.add_argument("--evaluate", action="store_true", help="evaluate each run once it is trained")
    sub.add_argument("--again", action="store_true", help="train also what is trained already")
    sub = _add(commands, evaluate, "score trained runs", "nws evaluate minimnist/rws_b --seed 0")
    _add_runs(sub)


def _add_results(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from nws.benchmark import add_arguments

    sub = _add(commands, figure, "draw figures from result files", "nws figure fig3")
    sub.add_argument(
        "name",
        nargs="*",
        help="fig1 ... fig9, race, activity, exactness, noise_floor (default: all)",
    )
    sub = _add(commands, table, "make tables from result files", "nws table table1")
    sub.add_argument(
        "name",
        nargs="*",
        help="table1, table2, candidates, clip, sensitivity, race_search, race_scores (all)",
    )
    _add(commands, choose, "print what the searches of the race chose, as YAML", "nws choose")
    _add(commands, report, "put figures and tables on one page", "nws report")
    sub = _add(commands, verify, "score models again, and check every number", "nws verify")
    sub.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="results (default: results/<scale>)"
    )
    sub.add_argument("--quick", action="store_true", help="fewer samples and images")
    sub = _add(commands, benchmark, "time the steps of training", "nws benchmark")
    add_arguments(sub)
    sub = _add(commands, plan, "say how many runs, on what, for how long", "nws plan")
    sub.add_argument("--write", action="store_true", help="also write config.json to the results")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    command: Command,
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    name = command.__name__
    sub: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"Example: {example} --config config/quick.yaml",
    )
    sub.set_defaults(command=command)
    sub.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (default: the paper's scale)"
    )
    sub.add_argument(
        "--results", type=Path, metavar="DIR", help="results folder (default: results/<scale>)"
    )
    return sub


def _add_runs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "run", nargs="+", metavar="EXPERIMENT[/RUN]", help="a run, or an experiment for all of its"
    )
    sub.add_argument(
        "--seed",
        type=_whole(0),
        action="append",
        metavar="K",
        help="a seed (default: the configured)",
    )
    sub.add_argument(
        "--threads", type=_whole(1), metavar="N", help="CPU threads (default: the configured)"
    )


def _whole(least: int) -> Callable[[str], int]:
    """A whole number of the command line; argparse adds which option it is of."""

    def parse(text: str) -> int:
        from nws.config.numbers import count, whole

        try:
            return count("it", whole(text), least)
        except (ValueError, NwsError):
            message = f"found {text!r}; give a whole number, at least {least}"
            raise argparse.ArgumentTypeError(message) from None

    return parse


def _settings(args: argparse.Namespace) -> tuple["Config", Path]:
    """The configuration asked for, and where its results go.

    A job of the workflow carries the configuration with which it was scheduled: a file could be
    another one by the time that the job starts.
    """
    from nws import config

    carried = None if args.config else os.environ.get(config.CARRIED)
    settings = config.unpack(carried) if carried else config.load(args.config)
    root = args.results or Path("results") / settings.scale
    if carried and root.name != settings.scale:
        raise NwsError(
            f"{root}: the configuration that this job was given is of the scale {settings.scale!r}"
        )
    return settings, root


def _asked(args: argparse.Namespace) -> tuple["Config | None", Path]:
    """What results are read for: None, if no configuration is named, for the one used last."""
    from nws.config import CARRIED

    if not args.config and args.results and CARRIED not in os.environ:
        return None, args.results
    return _settings(args)


def _runs(config: "Config", names: Sequence[str]) -> "Iterator[Run]":
    from nws.config import find_run, runs

    for name in names:
        experiment, slash, run = name.partition("/")
        if slash or experiment not in config.experiments:
            yield find_run(config, experiment, run)
        else:
            yield from (found for found in runs(config) if found.experiment == experiment)


def _seeded(
    config: "Config", runs: "Sequence[Run]", asked: Sequence[int] | None
) -> "Iterator[tuple[Run, int]]":
    from nws.config import seeds

    known = set()
    for run in runs:
        for seed in asked or seeds(config, run.experiment):
            if (cell := (run.experiment, run.name, seed)) not in known:  # named twice
                known.add(cell)
                yield run, seed


def _trained(config: "Config", root: Path, run: "Run", seed: int) -> bool:
    """Whether a run is trained as it is asked for, by this code, and its files are whole; then that
    is said."""
    from nws.files import manifest
    from nws.files.code import source_hash
    from nws.reporting.results import Results

    entry = Results(root, config).entry(run, seed)
    same = entry.trained and entry.metrics.get("code") == source_hash("training")
    there = same and (entry.directory / "model.npz").is_file()
    if trained := there and not manifest.check(entry.directory):
        print(f"{entry.label}: is trained; --again trains it anew", file=sys.stderr)
    return trained


def _scored(config: "Config", root: Path, run: "Run", seed: int) -> bool:
    from nws.reporting.results import Results

    return Results(root, config).entry(run, seed).scored


def _say_missing(
    name: str,
    requires: "Callable[[str, Config], list[tuple[str, str]]]",
    root: Path,
    config: "Config | None",
) -> None:
    """Which runs what was made is without: Snakemake trains none for a file that is there."""
    from nws.reporting.results import MISSING, Results

    results = Results(root, config)
    needed = set(requires(name, results.config))
    entries = [e for e in results.all_entries() if (e.run.experiment, e.run.name) in needed]
    if missing := sum(entry.status == MISSING for entry in entries):
        print(
            f"{name}: {missing} of its {len(entries)} runs are missing; to have them trained, "
            f"delete the files of {name}, then: snakemake --cores 4 {name}",
            file=sys.stderr,
        )


def _given(config: "Config", threads: int | None) -> "Config":
    """The configuration with the threads that a job was given. One that is alone on its machine is
    given all, and still uses those configured."""
    if threads is None:
        return config
    experiments = {
        name: found.model_copy(
            update={"threads": min(threads, found.threads) if found.alone else threads}
        )
        for name, found in config.experiments.items()
    }
    return config.model_copy(update={"experiments": experiments})


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
    from nws.training.jobs import configure

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
    _show([path])


def _show(paths: Sequence[Path]) -> None:
    for path in paths:
        print(path)
