"""The natural gradient as a wrapper: natural(wake_sleep) is NWS, natural(reweighted) is NRWS.

The wrapped algorithm's gradients are multiplied by the inverse of the damped Fisher matrix, one
block per unit (Eqs. 16, 17). The factored blocks are kept for K steps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from nws.algorithms.base import Algorithm, Evidence, Options, Step
from nws.fisher.base import Solver
from nws.models.parameters import Parameters
from nws.models.random import Key
from nws.models.sbn import variance


class Metric(NamedTuple):
    """The factored Fisher blocks of p and q, the prior's diagonal, and their damping."""

    p: tuple[Any, ...]
    prior: tf.Tensor
    q: tuple[Any, ...]
    damping: tf.Tensor


class Quality(NamedTuple):
    """Of one step's solves: the largest relative residual, mean iterations, all finite?"""

    residual: tf.Tensor
    iterations: tf.Tensor
    finite: tf.Tensor


class Solvers(NamedTuple):
    """One solver per layer."""

    p: tuple[Solver, ...]
    q: tuple[Solver, ...]


def _factor(solver: Solver, parents: tf.Tensor, mu: tf.Tensor, damping: tf.Tensor) -> Any:
    rows = tf.cast(tf.shape(parents)[0], parents.dtype)
    return solver.factor(parents, variance(mu) / rows, damping)


def measure(evidence: Evidence, solvers: Solvers, damping: tf.Tensor) -> Metric:
    """Factor the damped Fisher blocks estimated from one step's samples (Eqs. 10-15)."""
    return Metric(
        tuple(_factor(s, *e, damping) for s, e in zip(solvers.p, evidence.p, strict=True)),
        variance(evidence.prior_mu),
        tuple(_factor(s, *e, damping) for s, e in zip(solvers.q, evidence.q, strict=True)),
        damping,
    )


def precondition(
    metric: Metric, gradients: Parameters, solvers: Solvers
) -> tuple[Parameters, Quality]:
    """F̃⁻¹g layer by layer. The prior's block is diagonal: (1+α) g / (α + σ')."""
    p = [s.solve(m, g) for s, m, g in zip(solvers.p, metric.p, gradients.p, strict=True)]
    q = [s.solve(m, g) for s, m, g in zip(solvers.q, metric.q, gradients.q, strict=True)]
    damping = metric.damping
    prior = (1.0 + damping) * gradients.prior / (damping + metric.prior)
    solutions = [*p, *q]
    quality = Quality(
        tf.reduce_max(tf.stack([tf.reduce_max(s.residual) for s in solutions])),
        tf.reduce_mean(tf.cast(tf.stack([s.iterations for s in solutions]), tf.float32)),
        tf.reduce_all(tf.stack([s.finite for s in solutions])),
    )
    natural = Parameters(tuple(s.value for s in p), prior, tuple(s.value for s in q))
    return natural, quality


NaturalStep = Callable[
    [Parameters, tf.Tensor, Key, Options, Any, tf.Tensor | None, tf.Tensor],
    tuple[Step, Metric, Quality],
]


def natural(algorithm: Algorithm, solvers: Solvers) -> NaturalStep:
    """``algorithm`` with natural gradients: also takes the metric, whether to refresh it (None: at
    every step, and no metric is needed), and α."""

    def step(
        params: Parameters,
        x: tf.Tensor,
        key: Key,
        options: Options,
        metric: Any,
        refresh: tf.Tensor | None,
        damping: tf.Tensor,
    ) -> tuple[Step, Metric, Quality]:
        plain = algorithm(params, x, key, options)
        if refresh is None:
            metric = measure(plain.evidence, solvers, damping)
        else:
            metric = tf.cond(
                refresh, lambda: measure(plain.evidence, solvers, damping), lambda: metric
            )
        gradients, quality = precondition(metric, plain.gradients, solvers)
        return plain._replace(gradients=gradients), metric, quality

    return step
