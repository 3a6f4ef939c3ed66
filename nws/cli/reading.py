"""The commands that read results, and those that run nothing."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nws.cli.asked import configuration, results_asked, show

if TYPE_CHECKING:
    from nws.config import Config
    from nws.reporting.results import Results

SAID = 5  # runs that are named one by one


def figure(args: argparse.Namespace) -> None:
    """Draw figures from result files."""
    from nws.reporting import figures
    from nws.reporting.results import Results

    config, root = results_asked(args)
    for name in args.name or figures.NAMES:
        show(figures.make(name, root, root / "figures", config))
        _say_lacking(name, Results(root, config), figures.requires, _file(args, config))


def table(args: argparse.Namespace) -> None:
    """Make tables from result files."""
    from nws.reporting import tables
    from nws.reporting.results import Results

    config, root = results_asked(args)
    for name in args.name or tables.NAMES:
        show(tables.make(name, root, config=config))
        _say_lacking(name, Results(root, config), tables.requires, _file(args, config))


def choose(args: argparse.Namespace) -> None:
    """Write what the searches of the race chose."""
    from nws.reporting import choose
    from nws.reporting.results import Results

    config, root = results_asked(args)
    file = _file(args, config)
    extends = "paper" if file is None else str(file.resolve())
    text, empty = choose.text(Results(root, config), extends)
    print(text, end="")
    if empty:
        print(
            "left out, for no run of their search has ended (and is scored, if it is to be): "
            + ", ".join(empty),
            file=sys.stderr,
        )


def report(args: argparse.Namespace) -> None:
    """Write the report from result files."""
    from nws.reporting.page.report import make
    from nws.reporting.results import Results

    config, root = results_asked(args)
    show([make(root, config)])
    _say_lacking("report", Results(root, config), None, _file(args, config))


def verify(args: argparse.Namespace) -> None:
    """Score the models of results again and compare every number."""
    from nws.machine import quiet

    quiet.load()
    from nws.cli import verification
    from nws.machine.device import configure

    args.results = args.folder or args.results
    config, root = results_asked(args)
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

    config, root = configuration(args)
    if args.write:
        write(config, root)
    print(plan.describe(plan.plan(config, root), plan.calibrate()))


def init(args: argparse.Namespace) -> None:
    """Begin a folder for Snakemake."""
    from nws.files.starter import init

    show(init(args.folder, args.scale))
    print(f"Next: cd {args.folder}; snakemake --cores 4")


def _file(args: argparse.Namespace, config: "Config | None") -> Path | None:
    """The file with the configuration of the results; None for the paper's."""
    return args.results / "config.json" if config is None else args.config


def _say_lacking(
    name: str,
    results: "Results",
    requires: "Callable[[str, Config], list[tuple[str, str]]] | None",
    file: Path | None,
) -> None:
    """Which runs what was made is without: Snakemake trains none for a file that is there."""
    from nws.reporting.results import MISSING, STALE

    entries = results.all_entries()
    if requires is not None:
        needed = set(requires(name, results.config))
        entries = [e for e in entries if (e.run.experiment, e.run.name) in needed]
    stale = [entry for entry in entries if entry.status == STALE]
    missing = sum(entry.status == MISSING for entry in entries)
    for entry in stale[:SAID]:
        print(f"{entry.label}: not shown: {entry.reason}", file=sys.stderr)
    if stale[SAID:]:
        print(f"and {len(stale) - SAID} more are not shown", file=sys.stderr)
    if missing or stale:
        with_file = f" --configfile {shlex.quote(str(file))}" if file else ""
        print(
            f"{name}: {missing} of its {len(entries)} runs are missing"
            + (f", {len(stale)} are of other settings or data" if stale else "")
            + "; to have them trained: "
            f"snakemake --cores 4 --forcerun {name}{with_file}",
            file=sys.stderr,
        )
