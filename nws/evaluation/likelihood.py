"""Importance-sampled log-likelihood, log p(x) ≈ log (1/S) Σ_k p(x, h_k)/q(h_k|x), h_k ~ q(h|x).

Any number of samples in bounded memory: images in small blocks, samples in chunks, joined by a
running log-sum-exp. Blocks are independent and run side by side.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nws.machine.compilation import compilation, compiled
from nws.models.helmholtz import Coding, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key, streams

ROWS = 2000  # samples × images in flight per block
PORTION = 1_000_000  # samples × images between two words on how far it is


class Estimate(NamedTuple):
    """Per image: log p(x) in nats, and the effective sample size, between 1 and S."""

    log_likelihood: tf.Tensor
    effective_samples: tf.Tensor


class _Sums(NamedTuple):
    """Running log Σω and log Σω², (images,)."""

    first: tf.Tensor
    second: tf.Tensor


def _layout(images: int, samples: int, block: int) -> tuple[int, int]:
    """(images per block, samples per chunk): chunks divide S evenly where they can."""
    chunks = -(-samples // max(1, min(samples, ROWS // min(block, 10))))
    chunk = -(-samples // chunks)
    return max(1, min(images, block, ROWS // chunk)), chunk


def _block(
    params: Parameters,
    x: tf.Tensor,
    samples: int,
    chunk: int,
    seed: int | tuple[tf.Tensor, ...],
    first_key: tf.Tensor,
    coding: Coding,
    purpose: str,
    power: float,
) -> _Sums:
    def add(k: tf.Tensor, sums: _Sums) -> tuple[tf.Tensor, _Sums]:
        drawn = recognise(params, x, chunk, Key(seed, first_key + k), coding, purpose)
        log_w = explain(params, drawn, coding).log_p - drawn.log_q
        log_w = log_w if power == 1 else power * log_w
        # The last chunk may ask for fewer samples than it draws; the rest gets weight zero.
        left = tf.range(chunk)[:, None] < samples - k * chunk
        log_w = tf.where(left, log_w, tf.constant(-np.inf, log_w.dtype))
        first = tf.reduce_logsumexp(log_w, axis=0)
        second = tf.reduce_logsumexp(2.0 * log_w, axis=0)
        return k + 1, _Sums(_log_add(sums.first, first), _log_add(sums.second, second))

    nothing = tf.fill([x.shape[0]], tf.constant(-np.inf, x.dtype))
    chunks = -(-samples // chunk)
    if chunks == 1:
        return add(tf.constant(0), _Sums(nothing, nothing))[1]
    return tf.while_loop(
        lambda k, _: k < chunks, add, (0, _Sums(nothing, nothing)), parallel_iterations=1
    )[1]


def _log_add(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_logsumexp(tf.stack([a, b]), axis=0)


def estimate(
    params: Parameters,
    x: tf.Tensor,
    samples: int,
    key: Key,
    coding: Coding,
    purpose: str = "likelihood",
    block: int = 100,
    power: float = 1.0,
) -> Estimate:
    """log p(x) for images x (n, l[0]) in ±1. Call it inside a ``tf.function``.

    ``power`` t: log (1/S) Σ_k ω_kᵗ instead, as bidirectional machines need it with t = 1/2.
    """
    count = x.shape[0]
    images, chunk = _layout(count, samples, block)
    blocks, chunks = -(-count // images), -(-samples // chunk)
    padded = tf.pad(x, [[0, blocks * images - count], [0, 0]], constant_values=1.0)
    start = tf.cast(key.step, tf.int32) * (blocks * chunks)

    def one(args: tuple[tf.Tensor, tf.Tensor]) -> _Sums:
        xs, b = args
        xs = tf.ensure_shape(xs, [images, x.shape[1]])
        first_key = start + b * chunks
        return _block(params, xs, samples, chunk, key.seed, first_key, coding, purpose, power)

    spec = tf.TensorSpec([images], x.dtype)
    sums = tf.map_fn(
        one,
        (tf.reshape(padded, [blocks, images, x.shape[1]]), tf.range(blocks)),
        fn_output_signature=_Sums(spec, spec),
        parallel_iterations=2,
    )
    first, second = (tf.reshape(s, [-1])[:count] for s in sums)
    size = tf.math.log(tf.constant(samples, x.dtype))
    return Estimate(first - size, tf.exp(2.0 * first - second))


def _estimate(
    params: Parameters,
    x: tf.Tensor,
    samples: int,
    seed: tuple[tf.Tensor, ...],
    step: tf.Tensor,
    coding: Coding,
    power: float,
) -> Estimate:
    return estimate(params, x, samples, Key(seed, step), coding, power=power)


# Shapes must stay known: one trace for each. Seeds come as tensors, and need none.
_COMPILED = {how: compiled(_estimate, how) for how in ("graph", "xla")}


def log_likelihood(
    params: Parameters,
    x: np.ndarray,
    samples: int,
    seed: int,
    coding: Coding,
    power: float = 1.0,
    compile: str = "auto",
    told: Callable[[int], None] = lambda images: None,
) -> Estimate:
    """:func:`estimate` for a whole array x (n, l[0]) in ±1, compiled; numpy results.

    ``told`` is called with the number of images scored so far, now and then.
    """
    run = _COMPILED[compilation(compile)]
    portion = _portion(len(x), samples)
    found = []
    for i, start in enumerate(range(0, max(1, len(x)), max(1, portion))):
        rows = x[start : start + portion]
        padded = np.pad(rows, [(0, portion - len(rows)), (0, 0)], constant_values=1.0)
        images, step = tf.constant(padded, tf.float32), tf.constant(i)
        result = run(params, images, samples, streams(seed), step, coding, power)
        found.append([value.numpy()[: len(rows)] for value in result])
        told(start + len(rows))
    return Estimate(*(np.concatenate(values) for values in zip(*found, strict=True)))


def _portion(images: int, samples: int, block: int = 100) -> int:
    """How many of the images are scored at once: all, or whole blocks, so that portion number i
    draws the samples that its blocks have among those of all images."""
    rows, _ = _layout(images, samples, block)
    blocks = max(1, -(-images // rows))
    portions = -(-blocks // max(1, PORTION // (rows * samples)))
    return min(images, rows * -(-blocks // portions))
