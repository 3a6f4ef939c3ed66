"""Stateless random numbers: every draw is a function of (seed, purpose, step).

Nothing to save in a checkpoint, and the same bits however a run was interrupted.
"""

from typing import NamedTuple

import tensorflow as tf

PURPOSES = ("wake", "sleep", "pixels", "shuffle", "validation", "likelihood", "model")

# 16-bit draws quantise a probability to steps of 2^-16, an error of at most 2^-17.
COARSE = 2.0**-17


class Key(NamedTuple):
    """Where the random numbers of one step come from."""

    seed: int
    step: tf.Tensor | int


def _philox_seed(key: Key, purpose: str) -> tf.Tensor:
    stream = (key.seed * len(PURPOSES) + PURPOSES.index(purpose)) % 2**31
    return tf.stack([tf.constant(stream, tf.int32), tf.cast(key.step, tf.int32)])


def symmetric_uniform(size: int, key: Key, purpose: str, resolution: float) -> tf.Tensor:
    """``size`` draws from U(-1, 1), for comparison with the mean of a ±1 unit.

    Where probabilities are clipped at ``resolution`` or more, and that is above the 2^-17 that a
    16-bit draw errs by, both halves of each 32-bit word are used: half the cost.
    """
    seed = _philox_seed(key, purpose)
    if resolution < COARSE:
        return tf.random.stateless_uniform([size], seed, minval=-1.0, maxval=1.0)
    words = tf.random.stateless_uniform([-(-size // 2)], seed, None, None, tf.int32)
    halves = tf.reshape(tf.bitcast(words, tf.int16), [-1])[:size]
    return (tf.cast(halves, tf.float32) + 0.5) * 2.0**-15


def permutation(size: int, key: Key) -> tf.Tensor:
    """A random order of 0 … size-1: the order of the images in one epoch."""
    order = tf.random.stateless_uniform([size], _philox_seed(key, "shuffle"), None, None, tf.int32)
    return tf.argsort(order, stable=True)
