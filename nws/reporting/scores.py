"""What the seeds of a run scored, as the columns of a table."""

from collections import Counter
from typing import Any

import numpy as np

from nws.reporting.results import DONE, Entry
from nws.reporting.statistics import image_error, student


def columns(entries: list[Entry]) -> dict[str, Any]:
    """The log-likelihoods of a run's seeds: mean and 95% interval over those that ended well."""
    good = [entry.metrics for entry in entries if entry.status in DONE]
    test = [found for metrics in good if (found := score(metrics, "test"))]
    valid = [found["mean"] for metrics in good if (found := score(metrics, "valid"))]
    estimate = student([found["mean"] for found in test])
    return {
        "seeds": len(test),
        "ll_test_mean": estimate.mean,
        "ci_low": estimate.low,
        "ci_high": estimate.high,
        "standard_error": mean([image_error(found) for found in test]),
        "ll_test_seeds": " ".join(f"{found['mean']:.4f}" for found in test),
        "ll_valid": mean(valid),
        "status": _status(entries, len(test)),
    }


def score(metrics: dict[str, Any], split: str) -> dict[str, Any] | None:
    """The score of a split if it was estimated and is a number."""
    found = (metrics.get("log_likelihood") or {}).get(split)
    return found if found and np.isfinite(found["mean"]) else None


def average(entries: list[Entry], key: str) -> float:
    """The mean of a number over the seeds that ended well; nan if none did."""
    return mean([entry.metrics[key] for entry in entries if entry.status in DONE])


def mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _status(entries: list[Entry], scored: int) -> str:
    """How the seeds ended: one word if all ended alike, else how many ended how."""
    ends = Counter(entry.status for entry in entries)
    done = sum(ends[status] for status in DONE)
    text = next(iter(ends)) if len(ends) == 1 else ", ".join(f"{n} {s}" for s, n in ends.items())
    return text if scored == done else f"{text}; {done - scored} not evaluated"
