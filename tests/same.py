"""Whether two results are the same: all that was trained, but not when and how fast.

As a program: ``python tests/same.py results/a results/b``.
"""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Of the machine and the moment, not of the training.
CIRCUMSTANCES = {
    *("resumed", "seconds", "seconds_per_epoch", "wall_seconds", "evaluation_seconds"),
    *("peak_memory_mib", "finished_at", "commit", "dirty"),
}


def results(root: Path) -> dict[str, Any]:
    """What the runs under ``root`` gave, by file."""
    readers: dict[str, Callable[[Path], Any]] = {
        "history.csv": _rows,
        "metrics.json": _metrics,
        "model.npz": Path.read_bytes,
        "samples.npz": Path.read_bytes,
    }
    runs = root / "runs"
    return {
        str(path.relative_to(runs)): read(path)
        for name, read in readers.items()
        for path in sorted(runs.rglob(name))
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The files that are not the same, or not in both."""
    names = sorted(one.keys() | other.keys())
    return [name for name in names if name not in one or one[name] != other.get(name)]


def times_resumed(root: Path) -> int:
    """How often the runs went on from a checkpoint, all together."""
    found = root.glob("runs/*/*/*/training.json")
    return sum(json.loads(path.read_text(encoding="utf-8"))["resumed"] for path in found)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def _metrics(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key not in CIRCUMSTANCES}


def main(whole: Path, broken: Path) -> int:
    """Say which result files of two folders differ; 0 if none does."""
    expected = results(whole)
    differ = differences(expected, results(broken))
    print(f"{len(expected)} files, {len(differ)} differ:", ", ".join(differ) or "the same results")
    print(f"times resumed: {times_resumed(whole)} and {times_resumed(broken)}")
    return 1 if differ or not expected else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
