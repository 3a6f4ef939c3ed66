"""What every algorithm shares: its options, its result, and the three estimates of a gradient.

All gradients point uphill. With the ``argo`` convention (``scale`` 1) they hold h - E[h] of ±1
units, twice the canonical derivative h01 - σ(a) (``scale`` 1/2).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from nws.models.helmholtz import Coding, Dreamt, Explained, Recognised
from nws.models.parameters import Parameters
from nws.models.random import Key
from nws.models.sbn import mean


class Options(NamedTuple):
    """S samples an image, the weights of q-wake and q-sleep in the q update (None: the rest to 1),
    the 1/S baseline, the convention; ``fisher``: are samples for the Fisher blocks asked for?"""

    samples: int = 10
    q_wake: float = 0.5
    baseline: bool = True
    scale: float = 1.0
    coding: Coding = Coding()
    fisher: bool = True
    q_sleep: float | None = None

    @property
    def asleep(self) -> float:
        """The weight of q-sleep."""
        return 1.0 - self.q_wake if self.q_sleep is None else self.q_sleep


class Evidence(NamedTuple):
    """Samples for the Fisher blocks: (parents, means) of each layer of p (dreamt), q (awake)."""

    p: tuple[tuple[tf.Tensor, tf.Tensor], ...]
    prior_mu: tf.Tensor
    q: tuple[tuple[tf.Tensor, tf.Tensor], ...]


class Step(NamedTuple):
    """Uphill gradients, the log-likelihood bound of each image (B,), the Fisher's samples, and what
    is remembered of the training images afterwards (by memoised wake-sleep)."""

    gradients: Parameters
    bound: tf.Tensor
    evidence: Evidence
    memory: Any = ()


Algorithm = Callable[[Parameters, tf.Tensor, Key, Options], Step]


def evidence(sampled: Recognised, dreamt: Dreamt) -> Evidence:
    """p-blocks from the sleep pass, q-blocks from the wake pass (Eqs. 10 and 11)."""
    return Evidence(
        tuple(zip(dreamt.parents[1:], dreamt.mu, strict=True)),
        dreamt.prior_mu,
        tuple(zip(sampled.parents, sampled.mu, strict=False)),
    )


def _weighted(parents: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return parents * tf.reshape(weights, [-1, 1])


def p_wake(
    sampled: Recognised, explained: Explained, weights: tf.Tensor, scale: float
) -> tuple[tuple[tf.Tensor, ...], tf.Tensor]:
    """Σ_b Σ_k w_kb ∇_θ log p(x_b, h_kb) for weights w (S, B) (Eq. 1): all layers, and the prior."""
    weights = scale * weights
    gradients = []
    for i, mu in enumerate(explained.mu):
        error = tf.reshape(sampled.h[i] - mu, [-1, mu.shape[-1]])
        gradients.append(
            tf.matmul(_weighted(sampled.parents[i + 1], weights), error, transpose_a=True)
        )
    top = tf.reshape(weights, [1, -1]) @ (sampled.h[-1] - explained.prior_mu)
    return tuple(gradients), top[0]


def q_wake(sampled: Recognised, weights: tf.Tensor, scale: float) -> tuple[tf.Tensor, ...]:
    """Σ_b Σ_k w_kb ∇_φ log q(h_kb | x_b) for weights w (S, B) (Eq. 3)."""
    weights = scale * weights
    samples, batch = weights.shape
    # All samples of an image share h̃[0], so their errors are summed before the product with it.
    units = tf.reshape(sampled.h[1], [samples, batch, -1])
    error = tf.reduce_sum(weights[:, :, None] * (units - sampled.mu[0]), axis=0)
    gradients = [tf.matmul(sampled.parents[0], error, transpose_a=True)]
    for i, mu in enumerate(sampled.mu[1:], start=1):
        parents = _weighted(sampled.parents[i], weights)
        gradients.append(tf.matmul(parents, sampled.h[i + 1] - mu, transpose_a=True))
    return tuple(gradients)


def q_sleep(
    params: Parameters, dreamt: Dreamt, weight: float, clip: float
) -> tuple[tf.Tensor, ...]:
    """``weight`` · Σ_n ∇_φ log q(h_n | x_n) over dreamt rows (Eq. 4)."""
    gradients = []
    for i, W in enumerate(params.q):
        error = weight * (dreamt.h[i + 1] - mean(dreamt.parents[i], W, clip))
        gradients.append(tf.matmul(dreamt.parents[i], error, transpose_a=True))
    return tuple(gradients)
