"""Importance weights of samples h_k ~ q(h|x): ω_k = p(x, h_k) / q(h_k|x) (Eq. 2).

Arrays are (S, B): samples first, one column an image.
"""

import tensorflow as tf


def normalised(log_w: tf.Tensor) -> tf.Tensor:
    """ω̃_k = ω_k / Σ_j ω_j, (S, B)."""
    return tf.nn.softmax(log_w, axis=0)


def log_likelihood(log_w: tf.Tensor) -> tf.Tensor:
    """log (1/S) Σ_k ω_k, (B,): unbiased for p(x) before the log, a lower bound after it."""
    samples = tf.cast(tf.shape(log_w)[0], log_w.dtype)
    return tf.reduce_logsumexp(log_w, axis=0) - tf.math.log(samples)


def effective_sample_size(log_w: tf.Tensor) -> tf.Tensor:
    """1 / Σ_k ω̃_k², (B,): between 1 and S."""
    return 1.0 / tf.reduce_sum(tf.square(normalised(log_w)), axis=0)
