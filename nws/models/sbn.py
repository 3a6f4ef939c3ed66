"""One layer of a sigmoid belief network with ±1 units.

Given its parents, a unit is +1 with probability σ(a), a = h̃ᵀW, where h̃ holds the parents and a
trailing 1, so that the last row of W is the bias. Its mean is 2σ(a) - 1 = tanh(a/2), the number
that all functions here pass around: it is cheaper than σ, and h - E[h] needs nothing else.
"""

import tensorflow as tf


def augment(h: tf.Tensor, coding: str = "pm1") -> tf.Tensor:
    """Parents of the next layer: (n, l) ±1 units → (n, l+1), a trailing 1 for the bias.

    ``coding`` "01" feeds the next layer {0, 1} instead of ±1 (the same distributions with
    W01 = 2W, b01 = b - ΣW).
    """
    values = h if coding == "pm1" else 0.5 * (h + 1.0)
    return tf.pad(values, [[0, 0], [0, 1]], constant_values=tf.ones((), h.dtype))


def mean(parents: tf.Tensor, W: tf.Tensor, clip: float) -> tf.Tensor:
    """E[h | parents] = tanh(h̃W/2), (n, l+1) × (l+1, m) → (n, m), with σ kept in [c, 1-c]."""
    return bounded(parents @ (0.5 * W), clip)


def prior_mean(bias: tf.Tensor, clip: float) -> tf.Tensor:
    """E[h] of the top layer, (m,)."""
    return bounded(0.5 * bias, clip)


def bounded(half: tf.Tensor, clip: float) -> tf.Tensor:
    """tanh(a/2) from ``half`` = a/2, with σ(a) kept in [c, 1-c]. The raw operation:
    tf.clip_by_value passes twice."""
    bound = 1.0 - 2.0 * clip
    return tf.raw_ops.ClipByValue(t=tf.tanh(half), clip_value_min=-bound, clip_value_max=bound)


def draw(mu: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """±1 units with mean ``mu`` from ``uniform`` in (-1, 1): P(u < μ) = (1+μ)/2 = σ(a)."""
    return 2.0 * tf.cast(uniform < mu, mu.dtype) - 1.0  # half the time of tf.where


def log_prob(h: tf.Tensor, mu: tf.Tensor) -> tf.Tensor:
    """Σ_j log p(h_j) = Σ_j log((1 + h_j μ_j)/2) over the last axis.

    Up to five probabilities are multiplied before their logarithm is taken: each is 0 or at least
    2^-25, and float32 goes down to 2^-126.
    """
    # 0.5 h first: p and q share it, and so do the samples of an image.
    p = 0.5 + (0.5 * h) * mu
    units = p.shape[-1]
    few = max(d for d in range(1, 6) if units % d == 0)
    products = tf.reduce_prod(tf.reshape(p, [*p.shape[:-1], few, units // few]), axis=-2)
    return tf.reduce_sum(tf.math.log(products), axis=-1)


def variance(mu: tf.Tensor) -> tf.Tensor:
    """σ' = σ(1-σ) = (1-μ²)/4, the weight of a sample in the Fisher block of a unit."""
    return 0.25 - 0.25 * tf.square(mu)
