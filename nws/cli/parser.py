"""The commands, their options and their help."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from nws.benchmark import PARTS
from nws.cli import reading, work
from nws.errors import NwsError
from nws.files.top import scales

Command = Callable[[argparse.Namespace], None]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


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


def _add_init(commands: Commands) -> None:
    about = "put a Snakefile and a configuration into an empty folder"
    sub = commands.add_parser(
        "init",
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog="Example: nws init digits --scale quick",
    )
    sub.set_defaults(command=reading.init)
    sub.add_argument("folder", type=Path, metavar="DIR", help="created where it is missing")
    sub.add_argument(
        "--scale",
        default="quick",
        choices=scales(),
        help="what the configuration extends (default: quick)",
    )


def _add_steps(commands: Commands) -> None:
    sub = _add(commands, work.prepare, "fetch and binarize data sets", "nws prepare minimnist_b")
    sub.add_argument("dataset", nargs="*", help="names under `datasets` (default: all)")
    sub = _add(
        commands, work.train, "train runs; a stopped one goes on", "nws train minimnist/rws_b"
    )
    _add_runs(sub)
    sub.add_argument("--evaluate", action="store_true", help="evaluate each run once it is trained")
    sub.add_argument("--again", action="store_true", help="train also what is trained already")
    sub = _add(
        commands, work.evaluate, "score trained runs", "nws evaluate minimnist/rws_b --seed 0"
    )
    _add_runs(sub)


def _add_results(commands: Commands) -> None:
    sub = _add(commands, reading.figure, "draw figures from result files", "nws figure fig3")
    sub.add_argument(
        "name",
        nargs="*",
        help="answer, fig1 ... fig9, race, activity, exactness, noise_floor (default: all)",
    )
    sub = _add(commands, reading.table, "make tables from result files", "nws table table1")
    sub.add_argument(
        "name",
        nargs="*",
        help="table1, table2, candidates, clip, sensitivity, race_search, race_scores (all)",
    )
    _add(
        commands, reading.choose, "print what the searches of the race chose, as YAML", "nws choose"
    )
    _add(commands, reading.report, "put figures and tables on one page", "nws report")
    about = "score models again, and check every number"
    sub = _add(commands, reading.verify, about, "nws verify")
    sub.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="results (default: results/<scale>)"
    )
    sub.add_argument("--quick", action="store_true", help="fewer samples and images")
    sub.add_argument(
        "--record",
        action="store_true",
        help="with --quick: keep its scores in quick.csv, which it compares with from then on",
    )
    _add_benchmark(commands)
    sub = _add(commands, reading.plan, "say how many runs, on what, for how long", "nws plan")
    sub.add_argument("--write", action="store_true", help="also write config.json to the results")


def _add_benchmark(commands: Commands) -> None:
    sub = _add(commands, reading.benchmark, "time the steps of training", "nws benchmark")
    sub.add_argument("--quick", action="store_true", help="fewer things and rounds: 2 minutes")
    sub.add_argument("--full", action="store_true", help="dense solvers of big layers, too")
    sub.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    sub.add_argument("--rounds", type=_whole(1), metavar="N", help="default: 7; with --quick 3")
    sub.add_argument(
        "--peers",
        default=sys.executable,
        metavar="PYTHON",
        help="an interpreter with JAX or PyTorch (default: this one); what it lacks is skipped",
    )
    sub.add_argument(
        "--out", type=Path, metavar="FILE", help="default: benchmark.json in the results folder"
    )


def _add(
    commands: Commands,
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
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration (default: config.json in the folder that --results names, else the "
        "paper's scale)",
    )
    sub.add_argument(
        "--results", type=Path, metavar="DIR", help="results folder (default: results/<scale>)"
    )
    return sub


def _add_runs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "run", nargs="+", metavar="EXPERIMENT[/RUN]", help="a run, or an experiment: all its runs"
    )
    sub.add_argument(
        "--seed",
        type=_whole(0),
        action="append",
        metavar="K",
        help="a seed (default: those of the configuration)",
    )
    sub.add_argument(
        "--threads", type=_whole(1), metavar="N", help="CPU threads (default: as configured)"
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
