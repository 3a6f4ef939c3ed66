"""The 3by3 data set: lines on a three by three grid, its distribution known exactly."""

import itertools

import numpy as np
from numpy.typing import NDArray

SIDE = 3
PERIOD = 18  # 1 / the smallest probability


def patterns() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The twelve patterns (12, 9) in {0, 1} and their probabilities (12,).

    The non-empty proper subsets of the columns, drawn as vertical lines (probability 2/18 each),
    then those of the rows, drawn as horizontal lines (1/18 each). The entropy is
    (2/3) ln 9 + (1/3) ln 18 = 2.428274 nats. Source: Kirby, "A tutorial on Helmholtz machines",
    2006.
    """
    subsets = [s for s in itertools.product((0, 1), repeat=SIDE) if 0 < sum(s) < SIDE]
    lines = np.array(subsets, np.uint8)
    vertical = np.repeat(lines[:, None, :], SIDE, axis=1)
    horizontal = np.repeat(lines[:, :, None], SIDE, axis=2)
    grid = np.concatenate([vertical, horizontal]).reshape(-1, SIDE * SIDE)
    return grid, np.repeat([2 / PERIOD, 1 / PERIOD], len(subsets))


def rows(count: int) -> NDArray[np.uint8]:
    """``count`` images (count, 3, 3), a multiple of 18, in which the frequencies are exact."""
    grid, probabilities = patterns()
    period = np.repeat(grid, np.rint(probabilities * PERIOD).astype(int), axis=0)
    return np.tile(period, (count // PERIOD, 1)).reshape(-1, SIDE, SIDE)
