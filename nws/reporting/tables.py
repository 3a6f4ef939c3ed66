"""Tables 1 and 2, Table 1 tuned, and that of miniMNIST's candidates: the mean over seeds beside the
paper's values, as CSV."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nws import config as configuration
from nws.errors import NwsError
from nws.files import manifest
from nws.files.whole import write_bytes
from nws.reporting import paper
from nws.reporting.results import DONE, Entry, Results
from nws.reporting.statistics import image_error, student

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENTS = {
    "table1": ("minimnist",),
    "table2": ("mnist", "others"),
    "table1_tuned": ("tuned",),
    "candidates": ("candidates",),
}
NAMES = tuple(EXPERIMENTS)
COLUMNS = [
    "dataset",
    "binarization",
    "algorithm",
    "samples",
    "learning_rate",
    "damping",
    "refresh",
    "epochs",
    "images",
    "seeds",
    "ll_test_mean",
    "ci_low",
    "ci_high",
    "standard_error",
    "ll_test_seeds",
    "ll_valid",
    "log_p_star",
    "log_p_star_error",
    "likelihood_samples",
    "seconds_per_epoch",
    "paper_ll",
    "paper_seconds_per_epoch",
    "status",
    "run",
]


def requires(name: str, config: configuration.Config) -> list[tuple[str, str]]:
    """The (experiment, run) pairs that a table reads."""
    experiments = _experiments(name)
    return [
        (r.experiment, r.name) for r in configuration.runs(config) if r.experiment in experiments
    ]


def data(name: str, results: Results) -> "pd.DataFrame":
    """One row per run; for Table 2 also the values quoted from the literature."""
    import pandas as pd

    rows = [
        _row(name, results, [e for e in results.entries(experiment) if e.run.name == run.name])
        for experiment in _experiments(name)
        for run in results.runs(experiment)
    ]
    if name == "table2":
        rows += [_literature(value) for value in paper.LITERATURE]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)  # integers stay integers


def make(
    name: str,
    results_root: Path,
    out_dir: Path | None = None,
    config: configuration.Config | None = None,
) -> list[Path]:
    """Write ``name.csv`` to ``out_dir``, by default ``tables`` under the results."""
    out_dir = out_dir or results_root / "tables"
    path = out_dir / f"{name}.csv"
    write_bytes(path, to_csv(data(name, Results(results_root, config))))
    manifest.write(out_dir, [path.name], f"{name}.{manifest.NAME}")
    return [path]


def to_csv(frame: "pd.DataFrame") -> bytes:
    """A table as its CSV."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _experiments(name: str) -> tuple[str, ...]:
    if name not in EXPERIMENTS:
        raise NwsError(f"no table {name!r}; there is: {', '.join(NAMES)}")
    return EXPERIMENTS[name]


def _row(name: str, results: Results, entries: list[Entry]) -> dict[str, Any]:
    settings = entries[0].run.settings
    good = [entry.metrics for entry in entries if entry.status in DONE]
    test = [score for metrics in good if (score := _score(metrics, "test"))]
    valid = [score["mean"] for metrics in good if (score := _score(metrics, "valid"))]
    star = [s["test"] for metrics in good if (s := metrics.get("bihm"))]
    estimate = student([score["mean"] for score in test])
    ours: dict[str, Any] = {
        "epochs": max((metrics["epochs"] for metrics in good), default=settings.epochs),
        "images": results.dataset(settings.dataset).get("counts", {}).get("train"),
        "seeds": len(test),
        "ll_test_mean": estimate.mean,
        "ci_low": estimate.low,
        "ci_high": estimate.high,
        "standard_error": _mean([image_error(score) for score in test]),
        "ll_test_seeds": " ".join(f"{score['mean']:.4f}" for score in test),
        "ll_valid": _mean(valid),
        "log_p_star": _mean([score["mean"] for score in star]),
        "log_p_star_error": _mean([score["standard_error"] for score in star]),
        "likelihood_samples": settings.likelihood_samples,
        "seconds_per_epoch": _mean([metrics["seconds_per_epoch"] for metrics in good]),
        "status": _status(entries, len(test)),
        "run": f"{entries[0].run.experiment}/{entries[0].run.name}",
    }
    return _settings(results, settings) | ours | _reported(results, entries[0].run)


def _settings(results: Results, settings: configuration.RunSettings) -> dict[str, Any]:
    return {
        "dataset": settings.dataset,
        "binarization": paper.coding(results.config, settings.dataset),
        "algorithm": settings.algorithm,
        "samples": settings.samples,
        "learning_rate": settings.learning_rate,
        "damping": settings.damping if settings.natural else None,
        "refresh": settings.refresh if settings.natural else None,
    }


def _reported(results: Results, run: configuration.Run) -> dict[str, Any]:
    """The paper's line for the same data set and algorithm, or what it quotes for the method."""
    settings = run.settings
    if run.experiment == "others":
        value = paper.quoted(settings.algorithm)
        return {"algorithm": value.method, "paper_ll": value.log_likelihood} if value else {}
    if run.experiment == "mnist":
        row = paper.table2_row(settings.algorithm)
    else:
        row = paper.table1_row(results.config, settings.dataset, settings.algorithm)
    return {
        "paper_ll": row.log_likelihood if row else None,
        "paper_seconds_per_epoch": row.seconds_per_epoch if row else None,
    }


def _literature(value: paper.Literature) -> dict[str, Any]:
    return {
        "algorithm": value.method,
        "samples": value.samples or None,
        "learning_rate": value.learning_rate or None,
        "paper_ll": value.log_likelihood,
        "status": f"literature: {value.source}",
    }


def _score(metrics: dict[str, Any], split: str) -> dict[str, Any] | None:
    """The score of a split if it was estimated and is a number."""
    score = (metrics.get("log_likelihood") or {}).get(split)
    return score if score and np.isfinite(score["mean"]) else None


def _status(entries: list[Entry], scored: int) -> str:
    """How the seeds ended: one word if all ended alike, else how many ended how."""
    ends = Counter(entry.status for entry in entries)
    done = sum(ends[status] for status in DONE)
    text = next(iter(ends)) if len(ends) == 1 else ", ".join(f"{n} {s}" for s, n in ends.items())
    return text if scored == done else f"{text}; {done - scored} not evaluated"


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
