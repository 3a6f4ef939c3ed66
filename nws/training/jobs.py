"""A run of a configuration as a job: data file in, ``history.csv``, ``model.npz``,
``training.json`` out."""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import tensorflow as tf

from nws.config import Config, Run, RunSettings
from nws.data.datasets import current
from nws.data.store import Dataset, load_provenance
from nws.evaluation import exact
from nws.files import manifest
from nws.files.alone import alone
from nws.files.code import source_hash
from nws.files.layout import data_file, run_folder, work_folder
from nws.files.record import record
from nws.files.whole import write_npz, write_text
from nws.machine.compilation import compilation
from nws.machine.device import commit, describe, peak_memory_mib
from nws.machine.memory import explained
from nws.models.parameters import Parameters, initial, recode, to_arrays
from nws.training.history import Row, to_csv
from nws.training.loop import Programs, compile_run
from nws.training.program import Program
from nws.training.run import LESS, Outcome, Work, fit


def train(
    config: Config,
    run: Run,
    seed: int,
    root: Path,
    programs: Programs | None = None,
    caught: list[int] | None = None,
) -> None:
    """Train, going on from the last checkpoint, and write the run's results; no other process
    trains the same run meanwhile.

    A run that diverges is a result too: its status says so. The checkpoint stays until
    :func:`forget`: runs that share a job are all done before any of them is. They share
    ``programs`` too, and the signals ``caught``.
    """
    began = time.monotonic()
    cell = run.experiment, run.name, seed
    folder, work = run_folder(root, *cell), work_folder(root, *cell)
    path = data_file(root, run.settings.dataset)
    data = current(path, config.datasets[run.settings.dataset], config.mnist_dir)
    origin = load_provenance(path)
    with alone(work / "lock", f"trains {'/'.join(cell[:2])}, seed {seed}"):
        with explained(lambda: "before the first step", LESS):
            outcome = _fit(run, seed, data, origin, work, programs, caught)
        about = _about(config, run, seed, origin, outcome, time.monotonic() - began)
        _write(folder, run, outcome, about)


def forget(root: Path, run: Run, seed: int) -> None:
    """Remove a run's checkpoints. Not sooner than its job ends: when a job is stopped, Snakemake
    deletes its results, those of finished runs too."""
    rmtree(work_folder(root, run.experiment, run.name, seed), ignore_errors=True)


def _fit(
    run: Run,
    seed: int,
    data: Dataset,
    origin: dict[str, Any],
    work: Path,
    programs: Programs | None,
    caught: list[int] | None,
) -> Outcome:
    settings = run.settings
    label = f"{run.experiment}/{run.name}/seed{seed}"
    program, params = _compiled(settings, data, seed, programs)
    fingerprint = {
        **record(settings.model_dump(), seed, origin["sha256"]),
        "compile": compilation(settings.compile),
        "code": source_hash("training"),
        "tensorflow": tf.__version__,
    }
    return fit(
        program,
        params,
        settings,
        label,
        Work(
            work, fingerprint, lambda rows: write_text(work / "history.csv", to_csv(rows)), caught
        ),
        _exact_kl(data, settings.coding) if settings.exact else None,
        lambda text: print(f"{label}: {text}", file=sys.stderr, flush=True),
    )


def _compiled(
    settings: RunSettings, data: Dataset, seed: int, programs: Programs | None
) -> tuple[Program, Any]:
    """The program of a run, and its initial parameters."""
    if settings.algorithm == "vae":
        from nws.training.vae import compile_vae  # Keras, which nothing else needs

        return compile_vae(settings, data.train, data.valid, seed)
    layers = [data.train.shape[1], *settings.layers]
    params = initial(layers, seed, settings.initial_bias, settings.initial_weights)
    if settings.coding == "01":
        params = recode(params, "01")  # the same initial distribution in both codings
    return compile_run(settings, data.train, data.valid, seed, programs), params


def _arrays(settings: RunSettings, params: Any) -> dict[str, np.ndarray]:
    """What ``model.npz`` holds."""
    if settings.algorithm == "vae":
        from nws.models import vae

        return vae.to_arrays(params)
    return to_arrays(_pm1(params, settings.coding))


def _exact_kl(data: Dataset, coding: str) -> Callable[[Parameters], float] | None:
    if data.patterns is None or data.probabilities is None:
        return None
    patterns, probabilities = 2.0 * data.patterns - 1.0, data.probabilities

    def kl(params: Parameters) -> float:
        return exact.kl(to_arrays(_pm1(params, coding)), patterns, probabilities)

    return kl


def _pm1(params: Parameters, coding: str) -> Parameters:
    return recode(params, "pm1") if coding == "01" else params


def _about(
    config: Config, run: Run, seed: int, origin: dict[str, Any], outcome: Outcome, wall: float
) -> dict[str, Any]:
    rows, device = outcome.progress.rows, "gpu" if tf.config.get_visible_devices("GPU") else "cpu"
    head, dirty = commit()
    threads = config.experiments[run.experiment].threads
    return {
        "experiment": run.experiment,
        "run": run.name,
        "seed": seed,
        "status": outcome.status,
        "reason": outcome.reason or None,
        "settings": run.settings.model_dump(),
        "dataset": {
            "name": run.settings.dataset,
            "sha256": origin["sha256"],
            "source": origin["source"],
            "origin": {"sha256": origin["origin"]["sha256"]},
        },
        "epochs": len(rows),
        "steps": rows[-1].step,
        "resumed": outcome.progress.resumed,
        "seconds": outcome.progress.seconds,
        "seconds_per_epoch": _median_epoch(rows),
        "wall_seconds": round(wall, 2),
        "peak_memory_mib": peak_memory_mib(),
        **_losses(rows),
        "compile": compilation(run.settings.compile),
        "machine": describe(device, threads),
        "code": source_hash("training"),
        "commit": head,
        "dirty": dirty,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _median_epoch(rows: tuple[Row, ...]) -> float:
    ends = [0.0, *(row.seconds for row in rows)]
    return round(statistics.median(b - a for a, b in pairwise(ends)), 4)


def _losses(rows: tuple[Row, ...]) -> dict[str, float | None]:
    """Lowest and last losses; None where a run diverged before its first epoch ended."""
    found: dict[str, float | None] = {}
    for name in ("train_loss", "valid_loss"):
        values = [v for row in rows if math.isfinite(v := getattr(row, name))]
        found[f"min_{name}"] = min(values, default=None)
        found[f"final_{name}"] = values[-1] if values else None
    return found


def _write(folder: Path, run: Run, outcome: Outcome, about: dict[str, Any]) -> None:
    # Of an earlier training: what says of which settings it is must not outlive its numbers.
    for old in ("training.json", "metrics.json", "samples.npz", manifest.NAME):
        (folder / old).unlink(missing_ok=True)
    write_text(folder / "history.csv", to_csv(outcome.progress.rows))
    write_npz(folder / "model.npz", _arrays(run.settings, outcome.params))
    write_text(folder / "training.json", json.dumps(about, indent=1) + "\n")
    manifest.write(folder, ["history.csv", "model.npz", "training.json"])
