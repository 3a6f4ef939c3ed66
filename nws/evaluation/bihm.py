"""The log-likelihood of a bidirectional Helmholtz machine, log p*(x) = log p̃*(x) - 2 log Z.

log p̃*(x) = 2 log E_q[√ω], ω = p(x, h)/q(h|x), needs samples of q. Z² = Σ_x p̃*(x) is the mean of
√(q(h|x)/p(x, h) · p(x, h′)/q(h′|x)) over (x, h) ~ p and h′ ~ q(·|x).

Source: Bornschein, Shabanian, Fischer and Bengio, "Bidirectional Helmholtz Machines", 2016.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nws.evaluation.likelihood import log_likelihood
from nws.models import sbn
from nws.models.helmholtz import Coding, Dreamt, Recognised, dream, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key

ROWS = 2000  # dreams in flight
LEAST = 10_000  # samples of Z, at least
NORMAL = 1.959964  # 95%, two-sided


class Normaliser(NamedTuple):
    """2 log Z in nats, its standard error, and a 95% interval, from ``samples`` dreams.

    The logarithm of a mean is below its expectation's: so is ``value``, and log p* above, by about
    half the squared standard error. All of this is of many ``effective_samples``, (Σw)²/Σw²: with a
    hundred or fewer the weights have a tail that was hardly seen, and the error is larger than it
    says.
    """

    value: float
    standard_error: float
    low: float
    high: float
    samples: int
    effective_samples: float


def log_unnormalised(
    params: Parameters,
    x: np.ndarray,
    samples: int,
    seed: int,
    coding: Coding,
    told: Callable[[int], None] = lambda images: None,
) -> np.ndarray:
    """log p̃*(x) in nats for each row of x (n, l[0]) in ±1: a lower bound in expectation."""
    found = log_likelihood(params, x, samples, seed, coding, 0.5, told=told)
    return np.asarray(2.0 * found.log_likelihood)


def two_log_z(params: Parameters, samples: int, seed: int, coding: Coding) -> Normaliser:
    """2 log Z from ``samples`` dreams, rounded up to whole chunks; error by the delta method."""
    chunks = -(-samples // ROWS)
    log_w = _log_weights(params, tf.constant(chunks), seed, coding).numpy().astype(np.float64)
    total, squares = np.logaddexp.reduce(log_w), np.logaddexp.reduce(2.0 * log_w)
    count = log_w.size
    value = float(total - np.log(count))
    error = float(np.sqrt(max(0.0, np.exp(squares - 2.0 * total) - 1.0 / count)))
    low, high = value - NORMAL * error, value + NORMAL * error
    return Normaliser(value, error, low, high, count, float(np.exp(2.0 * total - squares)))


@tf.function(autograph=False)
def _log_weights(params: Parameters, chunks: tf.Tensor, seed: int, coding: Coding) -> tf.Tensor:
    """(chunks · ROWS,) log weights, whose mean weight is Z²."""

    def one(k: tf.Tensor) -> tf.Tensor:
        # Step 0 of this purpose is the pictures'.
        dreamt = dream(params, ROWS, Key(seed, 2 * k + 1), coding, "model")
        other = recognise(params, dreamt.h[0], 1, Key(seed, 2 * k + 2), coding, "model")
        again = explain(params, other, coding).log_p - other.log_q
        return 0.5 * (again[0] - _log_ratio(params, dreamt, coding))

    spec = tf.TensorSpec([ROWS], tf.float32)
    found = tf.map_fn(one, tf.range(chunks), fn_output_signature=spec, parallel_iterations=2)
    return tf.reshape(found, [-1])


def _log_ratio(params: Parameters, dreamt: Dreamt, coding: Coding) -> tf.Tensor:
    """log p(x, h) - log q(h|x) of dreams, (n,)."""
    q = [sbn.mean(H, W, coding.clip) for H, W in zip(dreamt.parents, params.q, strict=False)]
    log_q = tf.add_n([sbn.log_prob(h, mu) for h, mu in zip(dreamt.h[1:], q, strict=True)])
    rows = Recognised(dreamt.h, dreamt.parents, tuple(q), log_q[None])
    return explain(params, rows, coding).log_p[0] - log_q
