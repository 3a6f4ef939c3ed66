"""How far the runs of a workflow are, said beside Snakemake's own count of jobs."""

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from nws.planning.plan import duration


def watch(costs: Mapping[Path, float], files: Sequence[str], every: float = 60.0) -> None:
    """Say on stderr how far the runs are whenever more of them have made their ``files``.

    ``costs`` has the folder of each run, and how long it was thought to take. Snakemake counts
    jobs: long and short ones alike, and those of many runs as one.
    """
    began, count = time.time(), 0
    while count < len(costs):
        time.sleep(every)
        done = [folder for folder in costs if _is_newer(folder, files, began)]
        if len(done) > count:
            print(describe(costs, done, time.time() - began), file=sys.stderr, flush=True)
            count = len(done)


def describe(costs: Mapping[Path, float], done: Collection[Path], elapsed: float) -> str:
    """How many runs are done, and the time left at the speed so far."""
    spent = sum(costs[folder] for folder in done)
    left = elapsed * (sum(costs.values()) - spent) / spent
    return f"{len(done)} of {len(costs)} runs trained, roughly {duration(left)} left"


def _is_newer(folder: Path, files: Sequence[str], began: float) -> bool:
    """Whether the files were made after ``began``: there may be those of an earlier training."""
    try:
        return min((folder / file).stat().st_mtime for file in files) >= began
    except OSError:
        return False
