"""The generator against another implementation, and its draws against what they stand for."""

import numpy as np
import pytest
import tensorflow as tf

from nws.models.random import BELOW_ONE, PURPOSES, Key, _squares, permutation, squares_key
from nws.models.random import symmetric_uniform as draws

N = 200_000


@pytest.mark.parametrize(
    ("key", "step", "words"),
    [
        (0xC58EFD154CE32F6D, 0, [0x8352D81514C3F20F, 0x4D645C710DEA443C, 0x5F664B34B649CC78]),
        (0xC58EFD154CE32F6D, 3, [0xCEDD68C920AC9EA2, 0xAEC7351B80AD1949]),
        (0x86D47F132B79ACFD, 0, [0xB63B4AF6167CCCB0, 0xDA64F13B2DF97B48, 0x54E27D97113EA4B6]),
        (0x86D47F132B79ACFD, 3, [0x513F5C598125ACA7, 0xA6A16B247FD1443F]),
    ],
)
def test_known_answers(key: int, step: int, words: list[int]) -> None:
    """What ``randomgen.Squares(key, step * 2**32, variant=64)`` (randomgen 2.5.1) gives."""
    found = _squares(len(words), *tf.constant([step, key], tf.uint64)).numpy()
    assert [int(word) for word in found] == words


def test_keys_follow_the_recipe_and_differ() -> None:
    keys = [f"{squares_key(stream):016x}" for stream in range(2000)]
    for key in keys:
        for half in (key[:8], key[8:]):
            assert len(set(half)) == 8
            assert "0" not in half
        assert int(key[-1], 16) % 2
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("resolution", [1e-3, 1e-6])
def test_draws_are_uniform(resolution: float) -> None:
    """χ² over 1000 bins within five deviations; inside (-1, 1)."""
    u = draws(N, Key(5, 9), "wake", resolution).numpy()
    assert np.abs(u).max() < 1
    counts, _ = np.histogram(u, 1000, (-1, 1))
    chi2 = ((counts - N / 1000) ** 2 / (N / 1000)).sum()
    assert abs(chi2 - 999) < 5 * np.sqrt(2 * 999)


@pytest.mark.parametrize("resolution", [1e-3, 1e-6])
def test_draws_are_independent(resolution: float) -> None:
    """No correlation, within five deviations, between neighbours, layers' worth apart, steps,
    purposes or seeds; nor between their squares."""
    u = draws(N, Key(5, 9), "wake", resolution).numpy()
    others = [np.roll(u, lag) for lag in (1, 2, 3, 4, 320, 320 * 196)]
    keys = [
        (Key(5, 10), "wake"),
        (Key(5, 9), "sleep"),
        (Key(6, 9), "wake"),
        (Key(5, 2**20), "wake"),
    ]
    others += [draws(N, key, purpose, resolution).numpy() for key, purpose in keys]
    for other in others:
        for f in (np.asarray, np.square):
            assert abs(np.corrcoef(f(u), f(other))[0, 1]) < 5 / np.sqrt(N)


def test_every_bit_is_fair() -> None:
    words = _squares(N, *tf.constant([1, squares_key(0)], tf.uint64)).numpy()
    for bit in range(64):
        ones = int(((words >> np.uint64(bit)) & np.uint64(1)).sum())
        assert abs(ones - N / 2) < 5 * np.sqrt(N) / 2


def test_fewer_draws_are_the_first_of_more() -> None:
    for size in (1, 2, 3, 7):
        for resolution in (1e-3, 1e-6):
            some, more = (draws(n, Key(0, 0), "wake", resolution).numpy() for n in (size, 20))
            np.testing.assert_array_equal(some, more[:size])


def test_purposes_and_seeds_never_share_a_stream() -> None:
    first = {float(draws(1, Key(seed, 0), p, 0.0)[0]) for seed in range(20) for p in PURPOSES}
    assert len(first) == 20 * len(PURPOSES)


def test_sixteen_bit_draws_err_by_less_than_promised() -> None:
    """Counted over all 65,536 outcomes: |P(u < μ) - p| ≤ 2^-17 for any p."""
    u = (np.arange(-(2**15), 2**15) + 0.5) * 2.0**-15
    for p in np.random.default_rng(0).uniform(size=200):
        assert abs((u < 2 * p - 1).mean() - p) <= 2.0**-17


@pytest.mark.parametrize("clip", [1e-3, 4e-4, 2e-5, 8e-6, 1e-6])
def test_draws_are_fine_beside_the_smallest_probability(clip: float) -> None:
    """A unit clipped at c is up with probability c to within two hundredths of it."""
    u = draws(1000, Key(0, 0), "wake", clip).numpy()
    sixteen = bool((np.mod(u * 2.0**15 - 0.5, 1.0) == 0).all())
    assert (2.0**-17 if sixteen else 2.0**-25) <= 0.03 * clip


def test_no_word_becomes_an_end_of_the_interval() -> None:
    """A grey value of 1 is always drawn as 1, one of 0 never."""
    ends = tf.cast(tf.constant([2**31 - 1, -(2**31)], tf.int32), tf.float32)
    assert (np.abs(ends * (BELOW_ONE * 2.0**-31)) == np.float32(BELOW_ONE)).all()
    assert np.float32(BELOW_ONE) < 1


def test_a_permutation_has_every_row_once_and_depends_on_the_epoch() -> None:
    orders = [permutation(1000, Key(0, epoch)).numpy() for epoch in (0, 1)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    assert (orders[0] != orders[1]).mean() > 0.9
