"""3by3: exactly the distribution of the paper."""

from collections import Counter

import numpy as np
import pytest

from nws.data.patterns import patterns, rows

# Written out by hand: one line and two lines, upright and flat.
VERTICAL = {"001001001", "010010010", "100100100", "011011011", "101101101", "110110110"}
HORIZONTAL = {"000000111", "000111000", "111000000", "000111111", "111000111", "111111000"}


def text(row: np.ndarray) -> str:
    return "".join(str(int(pixel)) for pixel in row.ravel())


def test_the_twelve_patterns_and_their_probabilities() -> None:
    grid, probabilities = patterns()
    assert grid.dtype == np.uint8
    weights = {text(row): p for row, p in zip(grid, probabilities, strict=True)}
    expected = dict.fromkeys(VERTICAL, 2 / 18) | dict.fromkeys(HORIZONTAL, 1 / 18)
    assert weights == pytest.approx(expected, abs=1e-15)
    assert len(grid) == 12


def test_entropy_and_divergence_from_uniform() -> None:
    _, p = patterns()
    entropy = -(p * np.log(p)).sum()
    assert p.sum() == pytest.approx(1, abs=1e-15)
    assert entropy == pytest.approx(2.428274, abs=5e-7)
    assert entropy == pytest.approx(2 / 3 * np.log(9) + 1 / 3 * np.log(18), abs=1e-12)
    assert np.log(512) - entropy == pytest.approx(3.810051, abs=5e-7)


@pytest.mark.parametrize("periods", [1, 3])
def test_frequencies_of_the_rows_are_exact(periods: int) -> None:
    images = rows(18 * periods)
    assert images.shape == (18 * periods, 3, 3)
    expected = dict.fromkeys(VERTICAL, 2 * periods) | dict.fromkeys(HORIZONTAL, periods)
    assert Counter(text(image) for image in images) == expected
