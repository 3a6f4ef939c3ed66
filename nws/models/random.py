"""Stateless random numbers: every draw is a function of (seed, purpose, step).

Nothing to save in a checkpoint, and the same bits however a run was interrupted.

The generator is Squares (Widynski 2020, arXiv:2004.06278): a key for each seed and purpose, and a
counter that is squared five times. A training step compares every unit with a number of its own,
and with TensorFlow's Philox no operation but the products took longer. Squares has no state and no
tables: XLA turns it into vector instructions.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

# A stream of numbers for each seed and purpose; another purpose changes them all.
PURPOSES = ("wake", "sleep", "pixels", "shuffle", "validation", "likelihood", "model")

# 16-bit draws quantise a probability to steps of 2^-16, an error of at most 2^-17, which is 1.6% of
# the smallest one that they are used for.
COARSE = 2.0**-11
# The largest float32 below 1: what the largest 32-bit word becomes.
BELOW_ONE = 1.0 - 2.0**-24


class Key(NamedTuple):
    """Where the random numbers of one step come from.

    ``seed`` is a number, or its :func:`streams`: then one graph serves all seeds.
    """

    seed: int | tuple[tf.Tensor, ...]
    step: tf.Tensor | int


def symmetric_uniform(size: int, key: Key, purpose: str, resolution: float) -> tf.Tensor:
    """``size`` draws from U(-1, 1), for comparison with the mean of a ±1 unit.

    Where probabilities are clipped at ``resolution`` or more, and that is far above the 2^-17 that
    a 16-bit draw errs by, both halves of each 32-bit word are used: half the cost.
    """
    if resolution < COARSE:
        return tf.cast(_words(size, key, purpose), tf.float32) * (BELOW_ONE * 2.0**-31)
    words = _words(-(-size // 2), key, purpose)
    halves = tf.reshape(tf.bitcast(words, tf.int16), [-1])[:size]
    return (tf.cast(halves, tf.float32) + 0.5) * 2.0**-15


def permutation(size: int, key: Key) -> tf.Tensor:
    """A random order of 0 … size-1: the order of the images in one epoch."""
    return tf.argsort(_words(size, key, "shuffle"), stable=True)


def _words(size: int, key: Key, purpose: str) -> tf.Tensor:
    """So many words of 32 random bits, int32. A step has 2^32 counters of 64 bits to itself."""
    all_ = key.seed if isinstance(key.seed, tuple) else streams(key.seed)
    words = _squares(-(-size // 2), tf.cast(key.step, tf.uint64), all_[PURPOSES.index(purpose)])
    return tf.reshape(tf.bitcast(words, tf.int32), [-1])[:size]


def streams(seed: int) -> tuple[tf.Tensor, ...]:
    """The generator's key for each purpose, uint64."""
    first = seed * len(PURPOSES)
    return tuple(tf.constant(squares_key(first + i), tf.uint64) for i, _ in enumerate(PURPOSES))


def squares_key(stream: int) -> int:
    """One of the 10^16 keys that Widynski's recipe allows: in hexadecimal, two halves of eight
    distinct digits that are not 0, the last one odd."""
    rng = np.random.Generator(np.random.Philox(key=stream % 2**128))

    def half() -> list[int]:
        return [int(digit) for digit in rng.permutation(np.arange(1, 16))[:8]]

    low = half()
    while low[-1] % 2 == 0:
        low = half()
    return int("".join(f"{digit:x}" for digit in half() + low), 16)


@tf.function(jit_compile=True, autograph=False)
def _squares(size: int, step: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """64 random bits, uint64, for each of the counters step·2^32 + 0 … size-1."""
    shift = tf.constant(32, tf.uint64)

    def swapped(v: tf.Tensor) -> tf.Tensor:
        return tf.bitwise.bitwise_or(
            tf.bitwise.right_shift(v, shift), tf.bitwise.left_shift(v, shift)
        )

    counter = tf.bitwise.left_shift(step, shift) + tf.cast(tf.range(size), tf.uint64)
    y = counter * key
    z = y + key
    v = swapped(y * y + y)
    v = swapped(v * v + z)
    v = swapped(v * v + y)
    last = v * v + z
    v = swapped(last)
    return tf.bitwise.bitwise_xor(last, tf.bitwise.right_shift(v * v + y, shift))
