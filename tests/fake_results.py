"""Invented result files for tests of what reads them: smooth curves, no training behind them."""

import json
import shutil
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from nws import config as configuration
from nws.files import manifest
from nws.reporting import figures, paper, tables
from nws.reporting.page import report
from nws.reporting.results import ACTIVE, HISTORY, Results

SMALL = {
    "extends": None,
    "scale": "fake",
    "seeds": [0, 1, 2],
    "datasets": {
        "minimnist_b": {"source": "minimnist", "train": 320},
        "minimnist_b_antialias": {"source": "minimnist", "pooling": "antialias", "train": 320},
        "minimnist_bst": {"source": "minimnist", "binarization": "stochastic", "train": 320},
        "mnist_static": {"source": "mnist", "binarization": "static", "train": 320},
        "mnist_bst": {"source": "mnist", "binarization": "stochastic", "train": 320},
        "threebythree": {"source": "3by3"},
    },
    "experiments": {
        "minimnist": {
            "settings": {"layers": [8, 4], "epochs": 6},
            "runs": {
                f"{algorithm}_{suffix}": {
                    "dataset": f"minimnist_{suffix}",
                    "algorithm": algorithm,
                }
                for suffix in ("b", "bst")
                for algorithm in ("ws", "rws", "nrws")
            },
        },
        "clip": {
            "seeds": [0],
            "settings": {"dataset": "minimnist_b", "layers": [8, 4], "epochs": 6, "clip": 1e-6},
            "runs": {f"{name}_b": {"algorithm": name} for name in ("ws", "rws", "nrws")},
        },
        "mnist": {
            "settings": {"dataset": "mnist_static", "layers": [8, 4], "epochs": 6},
            "runs": {name: {"algorithm": name} for name in ("ws", "rws", "nrws")},
        },
        "rates": {
            "seeds": [0],
            "settings": {"dataset": "mnist_static", "layers": [8, 4], "epochs": 6},
            "grid": {"algorithm": ["ws", "rws"], "learning_rate": [0.05]},
        },
        "adam": {
            "settings": {"dataset": "mnist_static", "epochs": 4, "optimizer": "adam"},
            "runs": {name: {"algorithm": name} for name in ("ws", "nws", "rws", "nrws")},
        },
        "damping": {
            "seeds": [0],
            "settings": {
                "dataset": "threebythree",
                "layers": [4],
                "algorithm": "nws",
                "epochs": 20,
                "exact": True,
            },
            "runs": {"vanilla": {"algorithm": "ws"}},
            "grid": {"damping": [1e-5, 1e-3, 0.1, 10]},
        },
        "grid_minimnist": {
            "seeds": [0],
            "settings": {"epochs": 2},
            "grid": {"learning_rate": [0.001, 0.01, 0.1], "damping": [0.01, 0.1, 1]},
        },
        "grid_mnist": {
            "seeds": [0],
            "settings": {"dataset": "mnist_static", "epochs": 2},
            "grid": {"learning_rate": [0.001, 0.1], "damping": [0.01, 1]},
        },
        "race_search": {
            "seeds": [0],
            "settings": {"epochs": 4, "budget": 4, "likelihood_samples": 0},
            "grids": {
                "rws": {"algorithm": ["rws"], "learning_rate": [0.05, 0.2]},
                "nrws": {"algorithm": ["nrws"], "learning_rate": [0.05, 0.2]},
                "nrws_mended": {
                    "algorithm": ["nrws"],
                    "unit_damping": [1.0],
                    "learning_rate": [0.1, 0.2],
                },
            },
        },
        "race_search_long": {
            "seeds": [0],
            "settings": {"epochs": 8, "budget": 8, "likelihood_samples": 0},
            "runs": {
                "rws_1": {"algorithm": "rws", "learning_rate": 0.2},
                "rws_2": {"algorithm": "rws", "learning_rate": 0.05},
            },
        },
        **{
            name: {
                "alone": True,
                "settings": {"epochs": budget, "budget": budget},
                "runs": {
                    "rws": {"algorithm": "rws", "learning_rate": 0.2},
                    "nrws": {"algorithm": "nrws", "learning_rate": 0.2},
                    "nrws_mended": {
                        "algorithm": "nrws",
                        "unit_damping": 1.0,
                        "learning_rate": 0.1,
                    },
                },
            }
            for name, budget in (("race1", 2), ("race2", 4), ("race4", 16))
        },
        "activity": {
            "seeds": [0],
            "settings": {
                "epochs": 4,
                "layers": [8, 4],
                "activity": True,
                "averaging": {"kind": "tail"},
            },
            "runs": {"slow": {"algorithm": "rws"}, "fast": {}, "faster": {"learning_rate": 0.1}},
        },
        "exactness": {
            "settings": {
                "algorithm": "nrws",
                "epochs": 4,
                "layers": [8, 4],
                "activity": True,
                "averaging": {"kind": "tail"},
            },
            "runs": {
                "rws": {"algorithm": "rws", "learning_rate": 0.2, "epochs": 8},
                "cg_1e-2": {"solver": "cg", "refresh": 1},
                "exact_50": {},
                "shared_50": {"solver": "shared"},
            },
        },
        "noise_floor": {
            "seeds": [0],
            "settings": {
                "dataset": "threebythree",
                "layers": [3],
                "algorithm": "nws",
                "epochs": 4,
                "averaging": {"kind": "tail"},
            },
            "grids": {
                "rate": {"learning_rate": [0.1, 0.2], "damping": [0.1]},
                "damping": {"learning_rate": [0.1], "damping": [1]},
                "ws": {"algorithm": ["ws"], "learning_rate": [0.1, 0.2]},
            },
        },
        "candidates": {
            "settings": {"epochs": 2},
            "grid": {
                "algorithm": ["ws", "rws", "nrws"],
                "dataset": ["minimnist_b", "minimnist_b_antialias"],
            },
        },
        "sensitivity": {
            "seeds": [0],
            "settings": {"dataset": "minimnist_b", "layers": [8, 4], "epochs": 2},
            "runs": {
                "rws": {"algorithm": "rws", "learning_rate": 0.05},
                "rws_double": {"algorithm": "rws", "learning_rate": 0.1},
                "nrws": {"algorithm": "nrws", "learning_rate": 0.002},
                "nrws_double": {"algorithm": "nrws", "learning_rate": 0.004},
                "nrws_k1": {"algorithm": "nrws", "learning_rate": 0.002, "refresh": 1},
            },
        },
        "others": {
            "settings": {"dataset": "mnist_static", "epochs": 2},
            "runs": {
                **{name: {"algorithm": name} for name in ("bihm", "nbihm", "rws", "mws", "nmws")},
                "vae": {"algorithm": "vae", "optimizer": "adam"},
            },
        },
        "inversion": {
            "seeds": [0],
            "settings": {"dataset": "mnist_bst", "epochs": 2, "solver": "woodbury"},
            "grid": {"refresh": [1, 50]},
        },
        "ksteps": {
            "seeds": [0],
            "settings": {"dataset": "mnist_bst", "epochs": 5},
            "runs": {"cg_fresh": {"solver": "cg", "refresh": 1}},
            "grid": {"refresh": [0, 5, 1000]},
        },
    },
}
FLOOR = {"minimnist": 28.0, "mnist": 86.0, "3by3": paper.ENTROPY_3BY3}
SIDE = {"minimnist": 14, "mnist": 28, "3by3": 3}
HASHES = dict.fromkeys(("train", "valid", "test"), "0" * 64)
GAIN = {
    "ws": 1.5,
    "rws": 0.8,
    "nws": 1.0,
    "nrws": 0.0,
    "bihm": 0.5,
    "nbihm": 0.4,
    "mws": 1.2,
    "nmws": 1.1,
    "vae": 2.0,
}


def write(
    root: Path,
    config: configuration.Config | None = None,
    diverged: Collection[str] = (),
    missing: Collection[str] = (),
) -> Path:
    """A results tree under ``root``; ``diverged`` and ``missing`` name ``experiment/run``."""
    config = config or configuration.resolve(SMALL)
    write_file(root / "config.json", configuration.dump(config))
    for name, settings in config.datasets.items():
        _dataset(root / "data", name, settings)
    for run in configuration.runs(config):
        label = f"{run.experiment}/{run.name}"
        if label in missing:
            continue
        for seed in configuration.seeds(config, run.experiment):
            _run(root, config, run, seed, label in diverged)
    return root


def make(root: Path, names: Collection[str] = figures.NAMES) -> Path:
    """The report of a results tree, with these figures and all tables."""
    for name in names:
        figures.make(name, Results(root))
    for name in tables.NAMES:
        tables.make(name, Results(root))
    return report.make(Results(root))


def write_file(path: Path, content: str) -> None:
    """Text at a path, folders and all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _dataset(directory: Path, name: str, settings: configuration.DatasetSettings) -> None:
    side = SIDE[settings.source]
    pictures = _blobs(30, side, np.random.default_rng(1)) > 0.5
    arrays = {split: pictures[:12].astype(np.uint8) for split in ("train", "valid", "test")}
    arrays["shape"] = np.array([side, side])
    if settings.source == "3by3":
        arrays |= {"patterns": lines(), "probabilities": np.repeat([2 / 18, 1 / 18], 6)}
    directory.mkdir(parents=True, exist_ok=True)
    np.savez(directory / f"{name}.npz", **arrays)
    content = {
        "name": name,
        "source": settings.model_dump(),
        "binarization": settings.binarization,
        "counts": dict.fromkeys(("train", "valid", "test"), 12),
        "mean_pixel": 0.13,
        "sha256": HASHES,
        "origin": {"files": {"invented.gz": "1" * 64}},
    }
    write_file(directory / f"{name}.json", json.dumps(content))


def lines() -> np.ndarray:
    """The six vertical patterns of 3by3, then the six horizontal ones."""
    subsets = [[k >> i & 1 for i in range(3)] for k in range(1, 7)]
    vertical = [np.tile(s, (3, 1)).ravel() for s in subsets]
    horizontal = [np.tile(s, (3, 1)).T.ravel() for s in subsets]
    return np.array(vertical + horizontal, np.uint8)


def _blobs(count: int, side: int, generator: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] / max(side - 1, 1)
    centre = generator.uniform(0.3, 0.7, (count, 2, 1, 1))
    return np.exp(-((x - centre[:, 0]) ** 2 + (y - centre[:, 1]) ** 2) * 12).reshape(count, -1)


def _run(
    root: Path, config: configuration.Config, run: configuration.Run, seed: int, diverged: bool
) -> None:
    directory = root / "runs" / run.experiment / run.name / f"seed{seed}"
    directory.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(zlib.crc32(f"{run.experiment}{run.name}{seed}".encode()))
    source = config.datasets[run.settings.dataset].source
    rows = _history(run.settings, source, generator, diverged)
    layers = len(run.settings.layers) if run.settings.activity else 0
    lines_ = [",".join([*HISTORY, *(f"{ACTIVE}{i}" for i in range(1, layers + 1))])] + [
        ",".join("" if v is None else repr(v) for v in row) for row in rows
    ]
    write_file(directory / "history.csv", "\n".join(lines_) + "\n")
    training = _training(run, seed, rows, diverged)
    write_file(directory / "training.json", json.dumps(training))
    write_file(directory / "metrics.json", json.dumps(training | _scores(run, rows, generator)))
    side = SIDE[source]
    blobs = _blobs(64, side, generator)
    np.savez(
        directory / "samples.npz",
        data=(blobs > 0.5).astype(np.uint8),
        reconstructions=blobs.astype(np.float32),
        samples=(generator.random(blobs.shape) < blobs).astype(np.uint8),
        probabilities=blobs.astype(np.float32),
        shape=np.array([side, side]),
    )
    names = ("history.csv", "training.json", "metrics.json", "samples.npz")
    manifest.write(directory, names)


def _history(
    settings: configuration.RunSettings,
    source: str,
    generator: np.random.Generator,
    diverged: bool,
) -> list[tuple[float | None, ...]]:
    epochs = settings.epochs // 2 + 1 if diverged else settings.epochs
    epoch = np.arange(1, epochs + 1)
    speed = 3.0 if settings.natural else 6.0
    low = FLOOR[source] * (1 + 0.02 * GAIN[settings.algorithm]) + 0.3 * abs(
        np.log10(settings.learning_rate / settings.damping) + 1
    )
    loss = low + 0.8 * low * np.exp(-np.sqrt(epoch / speed * 4)) + generator.normal(0, 0.02, epochs)
    valid = loss + 0.004 * low * (1 + np.log(epoch))
    kl = valid - paper.ENTROPY_3BY3
    seconds = epoch * (2.5 if settings.natural else 1.0)
    rows = []
    for i in range(epochs):
        bad = diverged and i == epochs - 1
        rows.append(
            (
                int(epoch[i]),
                int(epoch[i]) * 10,
                float(seconds[i]),
                float("nan") if bad else float(loss[i]),
                float("nan") if bad else float(valid[i]),
                1e-3 if settings.natural else None,
                5.0 if settings.natural else None,
                float(kl[i]) if settings.exact else None,
                float(valid[i]) + 0.5 if settings.averaging.kind != "none" else None,
                *((2.5, 2.8) if settings.activity else (None, None)),
                *([1.0 - 0.1 * i] * len(settings.layers) if settings.activity else []),
            )
        )
    return rows


def _training(run: configuration.Run, seed: int, rows: list, diverged: bool) -> dict:
    finite = [row for row in rows if row[3] == row[3]] or [(0, 0, 0, None, None)]
    return {
        "experiment": run.experiment,
        "run": run.name,
        "seed": seed,
        "status": "diverged" if diverged else "finished",
        "reason": "the loss is not finite" if diverged else "",
        "settings": run.settings.model_dump(),
        "dataset": {"name": run.settings.dataset, "sha256": HASHES},
        "epochs": int(rows[-1][0]),
        "steps": int(rows[-1][1]),
        "resumed": 0,
        "seconds": float(rows[-1][2]),
        "seconds_per_epoch": float(rows[-1][2] / len(rows)),
        "wall_seconds": float(rows[-1][2] + 5),
        "peak_memory_mib": 800.0,
        "min_train_loss": min(row[3] for row in finite),
        "min_valid_loss": min(row[4] for row in finite),
        "final_train_loss": None if diverged else rows[-1][3],
        "final_valid_loss": None if diverged else rows[-1][4],
        "machine": {
            "device": "cpu",
            "cpu": "an invented processor",
            "gpu": None,
            "cores": 2,
            "threads": 2,
            "platform": "Linux",
            "python": "3.11.0",
            "tensorflow": "2.21.0",
            "numpy": "2.4.0",
        },
        "commit": "0" * 40,
        "dirty": True,
        "finished_at": "2026-01-01T00:00:00+00:00",
    }


def _scores(run: configuration.Run, rows: list, generator: np.random.Generator) -> dict:
    value = -rows[-1][4] + 0.5 + float(generator.normal(0, 0.05))
    score = {
        "mean": value,
        "standard_error": 0.2,
        "effective_sample_size": 120.0,
        "samples": run.settings.likelihood_samples,
        "images": 100,
    }
    scored = run.settings.likelihood_samples > 0 and value == value
    z = {"value": -3.0, "standard_error": 0.1, "low": -3.2, "high": -2.8, "samples": 10_000}
    star = {**score, "mean": value + 1.0, "unnormalised": value - 2.0, "standard_error": 0.15}
    bihm = {"two_log_z": z, "test": star, "valid": star} if run.settings.plain == "bihm" else None
    exact = {"kl": 0.02, "log_likelihood": -2.45, "entropy": paper.ENTROPY_3BY3}
    return {
        "log_likelihood": {"test": score, "valid": {**score}} if scored else None,
        "exact": exact if run.settings.exact else None,
        "bihm": bihm if scored else None,
        "evaluation_seconds": 1.0,
    }


def small():
    """A copy of the configuration, to change."""
    return json.loads(json.dumps(SMALL))


def remove(root, experiment, run, seed):
    """As if a run had not been trained."""
    shutil.rmtree(root / "runs" / experiment / run / f"seed{seed}")


def rescore(root, experiment, run, values, split="test"):
    """Put these log-likelihoods into the metrics of a run's seeds."""
    for seed, value in enumerate(values):
        path = root / "runs" / experiment / run / f"seed{seed}" / "metrics.json"
        metrics = json.loads(path.read_text())
        metrics["log_likelihood"][split]["mean"] = value
        put(path, json.dumps(metrics))


def rewrite(root, experiment, run, seed=0, **columns):
    """Replace columns of a history."""
    path = root / "runs" / experiment / run / f"seed{seed}" / "history.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[HISTORY.index(name)] = repr(float(value))
    put(path, "\n".join([",".join(HISTORY), *(",".join(row) for row in rows)]) + "\n")


def update(root, experiment, run, seed=0, **values):
    """Replace entries of a run's metrics, as if its training had given them."""
    folder = root / "runs" / experiment / run / f"seed{seed}"
    for name in ("training.json", "metrics.json"):
        content = json.loads((folder / name).read_text())
        kept = {k: v for k, v in values.items() if name == "metrics.json" or k in content}
        put(folder / name, json.dumps(content | kept))


def put(path, content):
    """Write a result file and record it, as who makes it does."""
    path.write_text(content, encoding="utf-8")
    manifest.write(path.parent, [path.name])
