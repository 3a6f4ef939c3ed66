"""Where results came from: machines, versions, time and memory, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from nws.errors import NwsError
from nws.files import manifest
from nws.reporting import figures, frames, tables
from nws.reporting.results import DONE, Entry, Results

PACKAGES = ("nws", "tensorflow", "numpy", "scipy", "pandas", "matplotlib", "jinja2", "snakemake")
MACHINE = ("device", "cpu", "gpu", "cores", "threads", "platform", "python", "tensorflow", "numpy")


def statuses(entries: Iterable[Entry]) -> dict[str, int]:
    """How many runs ended how."""
    return dict(Counter(entry.status for entry in entries))


def machines(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The distinct machines (hardware, threads, versions) with the number of runs on each."""
    found = Counter(
        tuple(entry.metrics["machine"].get(key) for key in MACHINE)
        for entry in entries
        if isinstance(entry.metrics.get("machine"), dict)
    )
    return [dict(zip(MACHINE, values, strict=True)) | {"runs": n} for values, n in found.items()]


def commits(entries: Iterable[Entry]) -> list[tuple[str, str, str, int]]:
    """The distinct commits: hash, whether the tree was clean, the hash of the code that trains,
    number of runs."""
    words = {True: "with changes not committed", False: "clean", None: "unknown"}
    found = Counter(
        (
            entry.metrics.get("commit") or "unknown",
            words[entry.metrics.get("dirty")],
            entry.metrics.get("code") or "not recorded",
        )
        for entry in entries
        if entry.metrics
    )
    return [(*made, n) for made, n in found.items()]


def totals(entries: Iterable[Entry]) -> dict[str, float]:
    """Sums over all runs, in seconds, and the largest peak memory. ``wall`` is training with its
    start and validation; of a run that was resumed only the end is known, and all of its steps."""
    metrics = [entry.metrics for entry in entries if entry.metrics]
    wall = sum(max(m.get("wall_seconds") or 0, m.get("seconds") or 0) for m in metrics)
    evaluation = sum(m.get("evaluation_seconds") or 0 for m in metrics)
    return {
        "seconds": sum(m.get("seconds") or 0 for m in metrics),
        "wall": wall,
        "evaluation": evaluation,
        "all": wall + evaluation,
        "memory": max((m.get("peak_memory_mib") or 0 for m in metrics), default=0),
        "resumed": sum(bool(m.get("resumed")) for m in metrics),
    }


def finished_at(entries: Iterable[Entry]) -> str:
    """When the last run ended; empty if none did."""
    return max((str(e.metrics.get("finished_at") or "") for e in entries), default="")


def versions() -> dict[str, str]:
    """Packages of the environment in which the report is made."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def unfinished(entries: Iterable[Entry]) -> list[Entry]:
    """Runs that are missing, unreadable, stale or diverged."""
    return [entry for entry in entries if entry.status not in DONE]


def changed(results: Results) -> list[str]:
    """Files that are not what was written."""
    directories = [results.root, results.root / "figures", results.root / "tables"]
    directories += [entry.directory for entry in results.all_entries()]
    return [
        f"{directory.relative_to(results.root).as_posix()}: {problem}"
        for directory in directories
        for problem in manifest.check(directory)
    ]


def without_manifest(results: Results) -> int:
    """Directories of runs that have files but no manifest to check them against."""
    return sum(
        entry.directory.is_dir() and not any(entry.directory.glob(f"*{manifest.NAME}"))
        for entry in results.all_entries()
    )


def outdated(results: Results) -> list[str]:
    """Figures and tables, as paths of their CSVs, that differ from what the runs give now."""
    found = []
    for kind, module in (("figures", figures), ("tables", tables)):
        for name in module.NAMES:
            path = results.root / kind / f"{name}.csv"
            if path.is_file() and not _current(path, module, name, results):
                found.append(f"{kind}/{name}.csv")
    return found


def _current(path: Path, module: Any, name: str, results: Results) -> bool:
    try:
        return frames.agree(path.read_bytes(), frames.to_csv(module.data(name, results)))
    except NwsError:
        return False
