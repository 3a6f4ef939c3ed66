"""Mean and interval over seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` seeds; ``low`` and ``high`` are nan for fewer than two."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the interval's length."""
        return (self.high - self.low) / 2


def student(values: Sequence[float]) -> Estimate:
    """Mean and 95% Student-t interval; the bootstrap covers too little with three seeds."""
    data = np.asarray(values, float)
    n = data.size
    if n < 2:
        return Estimate(float(data[0]) if n else np.nan, np.nan, np.nan, n)
    from scipy.special import stdtrit

    mean = float(data.mean())
    half = float(stdtrit(n - 1, 0.975) * data.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of the least-squares line through at least three points, and half of its 95%
    Student-t interval."""
    from scipy.special import stdtrit

    x, y = (np.asarray(v, float) - np.mean(v) for v in (x, y))
    slope = float(x @ y / (x @ x))
    error = np.sqrt(((y - slope * x) ** 2).sum() / (len(x) - 2) / (x @ x))
    return slope, float(stdtrit(len(x) - 2, 0.975) * error)


UNDISTURBED = 0.1


def undisturbed_epoch(seconds: Sequence[float] | np.ndarray) -> float:
    """Seconds of an epoch that nothing disturbed: the 10% quantile of the epochs' durations.

    ``seconds``: cumulative, at the end of each epoch. Other work on the machine, a pause and the
    first epoch's compilation only ever make an epoch longer, so a mean or a median measures them.
    """
    durations = np.diff(np.asarray(seconds, float), prepend=0.0)
    known = durations[np.isfinite(durations)]
    return float(np.quantile(known, UNDISTURBED)) if known.size else math.nan


def image_error(score: Mapping[str, Any]) -> float:
    """The standard error over images that ``metrics.json`` gives; nan where there was one image."""
    error = score["standard_error"]
    return math.nan if error is None else float(error)
