"""Interleaved measurement: every round measures everything once, so that drift hits all alike."""

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

Measure = Callable[[], float]


class Value(NamedTuple):
    """The median over the rounds, and half the interquartile range."""

    median: float
    spread: float = 0.0


def interleave(
    measures: Mapping[str, Measure], rounds: int, settle: bool = False
) -> dict[str, list[float]]:
    """Each measure's values, one a round, after one call that warms it up.

    Every second round goes backwards: nothing always follows the same neighbour. ``settle``: each
    is called twice in a row and only the second counts, since the first finds the caches full of
    another's numbers: a training has them to itself.
    """
    found: dict[str, list[float]] = {name: [] for name in measures}
    for name, measure in measures.items():
        print(f"  preparing {name}", file=sys.stderr, flush=True)
        measure()
    for index in range(rounds):
        print(f"  round {index + 1} of {rounds}", file=sys.stderr, flush=True)
        for name in list(measures)[:: 1 if index % 2 == 0 else -1]:
            if settle:
                measures[name]()
            found[name].append(measures[name]())
    return found


def value(values: list[float]) -> Value:
    """Of one measure."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return Value(float(middle), float(high - low) / 2)


def ratio(above: list[float], below: list[float]) -> Value:
    """The ratio of the medians; its spread is that of the ratios within rounds."""
    middle = float(np.median(above) / np.median(below))
    return Value(middle, value([a / b for a, b in zip(above, below, strict=True)]).spread)
