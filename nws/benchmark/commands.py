"""Whole commands, as a user runs them: seconds from start to end, and peak memory.

Measured before this process loads TensorFlow: Linux starts the peak of a new process at the memory
of the one that made it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nws.benchmark import company
from nws.benchmark.goals import Row, row
from nws.benchmark.rounds import Value, value
from nws.errors import NwsError
from nws.files.whole import write_npz
from nws.reporting import figures


class Finished(NamedTuple):
    """Of one command."""

    seconds: float
    gib: float


def run(*command: str) -> Finished:
    """``nws COMMAND``; NwsError with its last words if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "nws.cli", *command], stdout=words, stderr=words
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode:
            words.seek(0)
            last = words.read().decode(errors="replace").strip().splitlines()[-1:]
            raise NwsError(f"nws {' '.join(command)}: {' '.join(last)}")
    return Finished(seconds, usage.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20))


def measure(results: Path | None, rounds: int, quick: bool) -> tuple[list[Row], list[str]]:
    """All of them, and notes on what was skipped."""
    rows, notes = [_row("help", "nws --help", "", _repeat(rounds, "--help"))], []
    with tempfile.TemporaryDirectory() as folder:
        for part in (_redraw(results, quick, rounds), _training(Path(folder), rounds, quick)):
            try:
                rows += part
            except NwsError as error:
                notes.append(str(error))
    return rows, notes


def _repeat(rounds: int, *command: str) -> Value:
    """Its seconds, over some rounds after one that fills the file cache."""
    run(*command)
    return value([run(*command).seconds for _ in range(rounds)])


def _row(name: str, what: str, architecture: str, found: Value, unit: str = "s") -> Row:
    return row(name, what, architecture, unit, found)


def _redraw(results: Path | None, quick: bool, rounds: int) -> Iterator[Row]:
    """The slowest of the figures, from a copy of the results that may be written to."""
    root = results or _results()
    if root is None or not (root / "config.json").is_file():
        raise NwsError("figure: skipped, there are no results to draw from (--results)")
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        _link(root, Path(folder))
        where = ("--config", str(root / "config.json"), "--results", folder)
        for name in figures.NAMES[:1] if quick else figures.NAMES:
            times[name] = _repeat(1 if quick else rounds, "figure", name, *where)
    slowest = max(times, key=lambda name: times[name].median)
    what = f"redrawing a figure ({slowest}, the slowest of {len(times)})"
    yield _row("figure", what, "", times[slowest])


def _results() -> Path | None:
    """The results of the largest scale there is."""
    roots = [Path("results") / scale for scale in ("paper", "quick", "smoke")]
    return next((root for root in roots if (root / "figures").is_dir()), None)


def _link(root: Path, copy: Path) -> None:
    """Everything under ``root`` but the figures."""
    for path in root.resolve().iterdir():
        if path.name != "figures":
            (copy / path.name).symlink_to(path)


def _training(folder: Path, rounds: int, quick: bool) -> Iterator[Row]:
    """Preparing MNIST, the start of a training, and the memory of training and evaluation."""
    sources = _sources(folder)
    where = (*_config(folder, "all", sources, {}), "--results", str(folder))
    if sources["mnist_static"] == "mnist":
        found = _repeat(1 if quick else rounds, "prepare", "mnist_static", *where)
        yield _row("prepare", "preparing MNIST from a local copy", "mnist", found)
    yield from _first_steps(folder, sources, rounds, quick)
    yield from _memory(folder, sources, quick)
    counts = {"train": company.IMAGES, "valid": 100, "test": 100}
    about = _config(folder, "company", sources, counts)
    yield from company.many(lambda *words: run(*words).seconds, about, folder, 1 if quick else 3)


def _first_steps(folder: Path, sources: dict[str, str], rounds: int, quick: bool) -> Iterator[Row]:
    """A run of one step, whole: what ends with the process had its first step before."""
    where = _config(folder, "one", sources, {"train": 32, "valid": 32, "test": 32})
    jobs = {"mnist": "mnist/nrws", "minimnist": "minimnist/nrws_b"}
    for name in list(jobs)[:1] if quick else jobs:
        job, times = jobs[name], []
        for index in range(1 if quick else rounds):
            root = ("--results", str(folder / f"one{index}"))
            run("prepare", *where, *root)
            times.append(run("train", job, "--seed", "0", *where, *root).seconds)
        yield _row(
            "first_step", "NRWS run of one step, start to end of process", name, value(times)
        )


def _memory(folder: Path, sources: dict[str, str], quick: bool) -> Iterator[Row]:
    """One epoch of 12-layer NRWS with checkpoints and validation, then its evaluation."""
    images, scored, job = 3200 if quick else 50_000, 20, ("mnist/nrws", "--seed", "0")
    refreshes = (50,) if quick else (50, 1)
    counts = {"train": images, "valid": min(images, 10_000), "test": min(images, 10_000)}
    gib = []
    for refresh in refreshes:
        where = _config(folder, f"memory{refresh}", sources, counts, refresh, scored)
        root = ("--results", str(folder / f"memory{refresh}"))
        run("prepare", "mnist_static", *where, *root)
        gib.append(run("train", *job, *where, *root).gib)
    what = f"peak memory of NRWS training ({images:,} images, {_ks(refreshes)})"
    yield _row("training_memory", what, "mnist", Value(max(gib)), "GiB")
    if quick:
        return
    what = f"peak memory of the log-likelihood, 10,000 samples ({2 * scored} images)"
    found = run("evaluate", *job, *where, *root)
    yield _row("likelihood_memory", what, "mnist", Value(found.gib), "GiB")


def _ks(refreshes: tuple[int, ...]) -> str:
    return "K = " + " or ".join(map(str, refreshes))


def _sources(folder: Path) -> dict[str, str]:
    """What each data set is made from: MNIST, or a file of synthetic pictures in its place."""
    from nws.data.fetch import mnist

    try:
        mnist(sources=())
        return {"minimnist_b": "minimnist", "mnist_static": "mnist"}
    except NwsError:
        return {
            name: str(_synthetic(folder / f"{name}.npz", pixels))
            for name, pixels in (("minimnist_b", 196), ("mnist_static", 784))
        }


def _synthetic(path: Path, pixels: int) -> Path:
    rng, side = np.random.default_rng(0), int(pixels**0.5)
    splits = {"train": 50_000, "valid": 10_000, "test": 10_000}
    write_npz(path, {s: rng.integers(0, 2, (n, side, side), np.uint8) for s, n in splits.items()})
    return path


def _config(
    folder: Path,
    name: str,
    sources: dict[str, str],
    counts: dict[str, int],
    refresh: int = 50,
    scored: int = 20,
) -> tuple[str, str]:
    """Options that name a configuration: the paper's two NRWS runs, for one epoch."""
    short: dict[str, Any] = {"epochs": 1, "refresh": refresh, "likelihood_images": scored}
    config = {
        "scale": "benchmark",
        "device": "cpu",
        "datasets": {name: {"source": source, **counts} for name, source in sources.items()},
        "experiments": {name: {"settings": short} for name in ("minimnist", "mnist")},
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return "--config", str(path)
