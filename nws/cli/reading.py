"""The commands that read results, and those that run nothing."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nws.cli.asked import configuration, results_asked, show
from nws.errors import NwsError

if TYPE_CHECKING:
    from nws.reporting.results import Results

SAID = 5  # runs that are named one by one


def figure(args: argparse.Namespace) -> None:
    """Draw figures from result files."""
    from nws.reporting import figures

    results, file = _asked(args)
    for name in args.name or figures.NAMES:
        show(figures.make(name, results))
        _say_lacking(name, results, figures.requires(name, results.config), file)


def table(args: argparse.Namespace) -> None:
    """Make tables from result files."""
    from nws.reporting import tables

    results, file = _asked(args)
    for name in args.name or tables.NAMES:
        show(tables.make(name, results))
        _say_lacking(name, results, tables.requires(name, results.config), file)


def choose(args: argparse.Namespace) -> None:
    """Write what the searches of the race chose."""
    from nws.reporting import choose

    results, file = _asked(args)
    extends = "paper" if file is None else str(file.resolve())
    text, empty = choose.text(results, extends)
    print(text, end="")
    if empty:
        print(
            "left out, because no run of their search has ended (and been scored, where asked): "
            + ", ".join(empty),
            file=sys.stderr,
        )


def report(args: argparse.Namespace) -> None:
    """Write the report from result files."""
    from nws.config import runs
    from nws.reporting.page.report import make

    results, file = _asked(args)
    show([make(results)])
    every = [(run.experiment, run.name) for run in runs(results.config)]
    _say_lacking("report", results, every, file)


def verify(args: argparse.Namespace) -> None:
    """Score the models of results again and compare every number."""
    if args.record and not args.quick:
        raise NwsError(
            "--record: it keeps the scores of --quick, which is not given; give both: "
            "nws verify FOLDER --quick --record"
        )
    from nws.machine import quiet

    quiet.load()
    from nws.cli import verification
    from nws.machine.cores import cores
    from nws.machine.device import configure

    args.results = args.folder or args.results
    config, root = results_asked(args)
    configure("cpu", cores())
    found = verification.verify(root, config, args.quick, record=args.record)
    print(verification.report(found))


def benchmark(args: argparse.Namespace) -> None:
    """Time the steps of training."""
    from nws.benchmark import main

    main(args)


def plan(args: argparse.Namespace) -> None:
    """Say what a configuration asks for."""
    from nws.config import write
    from nws.planning import plan
    from nws.reporting.results import Results

    config, root = configuration(args)
    if args.write:
        write(config, root)
    print(plan.describe(plan.plan(config, Results(root, config).left()), plan.calibrate()))


def init(args: argparse.Namespace) -> None:
    """Begin a folder for Snakemake."""
    from nws.files.starter import init

    show(init(args.folder, args.scale))
    print(f"Next: cd {shlex.quote(str(args.folder))}; snakemake --cores 4")


def _asked(args: argparse.Namespace) -> tuple["Results", Path | None]:
    """The results that are asked for, and the file with their configuration; None: the paper's."""
    from nws.reporting.results import Results

    config, root = results_asked(args)
    return Results(root, config), root / "config.json" if config is None else args.config


def _say_lacking(
    name: str, results: "Results", needed: Sequence[tuple[str, str]], file: Path | None
) -> None:
    """Which runs what was made is without: Snakemake trains none for a file that is there."""
    from nws.reporting.results import MISSING, STALE

    entries = [entry for run in needed for entry in results.seeds_of(*run)]
    stale = [entry for entry in entries if entry.status == STALE]
    missing = sum(entry.status == MISSING for entry in entries)
    for entry in stale[:SAID]:
        print(f"{entry.label}: not shown: {entry.reason}", file=sys.stderr)
    if stale[SAID:]:
        print(f"and {len(stale) - SAID} more are not shown", file=sys.stderr)
    if missing or stale:
        lacking = [entry.run.experiment for entry in entries if entry.status in (MISSING, STALE)]
        print(
            f"{name}: {missing} of its {len(entries)} runs are missing"
            + (f", {len(stale)} are of other settings or data" if stale else "")
            + f"; to train them: {_to_train(name, results, lacking, file)}",
            file=sys.stderr,
        )


def _to_train(name: str, results: "Results", lacking: Sequence[str], file: Path | None) -> str:
    """The command that trains what is lacking of these experiments: the workflow's, which makes
    ``name`` again too, unless the results lie where the workflow puts none."""
    scale = Path("results", results.config.scale)
    if results.root.resolve() == scale.resolve():
        words = ["snakemake", "--cores", "4", name, "--forcerun", name]
        return shlex.join([*words, *(["--configfile", str(file)] if file else [])])
    words = ["nws", "train", *dict.fromkeys(lacking), "--evaluate"]
    where = [*(["--config", str(file)] if file else []), "--results", str(results.root)]
    return f"{shlex.join([*words, *where])} (the workflow trains into {scale})"
