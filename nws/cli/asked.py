"""What the arguments of a command ask for: a configuration, a folder, runs, seeds, threads."""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nws.config import Config, Run


def configuration(args: argparse.Namespace) -> tuple["Config", Path]:
    """The configuration asked for, and where its results go: the one that is named, or else that of
    the results that are named, or else the paper's.

    A job of the workflow carries the configuration with which it was scheduled: a file could be
    another one by the time that the job starts.
    """
    from nws import config
    from nws.reporting.results import Results

    if name := _carried(args):
        settings = config.unpack(os.environ[name], name)
    elif args.results and not args.config and (args.results / "config.json").is_file():
        settings = Results(args.results).config
    else:
        settings = config.load(args.config)
    return settings, args.results or Path("results") / settings.scale


def results_asked(args: argparse.Namespace) -> tuple["Config | None", Path]:
    """What results are read for: None, if no configuration is named, for the one used last, which
    must be there."""
    if not args.config and args.results and not _carried(args):
        return None, args.results
    return configuration(args)


def _carried(args: argparse.Namespace) -> str:
    """The variable with the configuration of a job; empty for what no workflow has started."""
    from nws.config import carried

    name = carried(args.results.name) if args.results and not args.config else ""
    return name if name in os.environ else ""


def runs_named(config: "Config", names: Sequence[str]) -> "Iterator[Run]":
    """The runs that are named, EXPERIMENT/RUN, or by their experiment, all of it."""
    from nws.config import find_run, runs

    for name in names:
        experiment, slash, run = name.partition("/")
        if slash or experiment not in config.experiments:
            yield find_run(config, experiment, run)
        else:
            yield from (found for found in runs(config) if found.experiment == experiment)


def seeded(
    config: "Config", runs: "Sequence[Run]", asked: Sequence[int] | None
) -> "Iterator[tuple[Run, int]]":
    """Each run with each seed asked for, or configured where none is, once."""
    from nws.config import seeds

    known = set()
    for run in runs:
        for seed in asked or seeds(config, run.experiment):
            if (cell := (run.experiment, run.name, seed)) not in known:  # named twice
                known.add(cell)
                yield run, seed


def with_threads(config: "Config", threads: int | None) -> "Config":
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


def show(paths: Sequence[Path]) -> None:
    """Print what was made."""
    for path in paths:
        print(path)
