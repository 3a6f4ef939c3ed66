"""A solver whose damping is larger for units with little variance, around any other solver.

Where a unit saturates, its block vanishes and a damped natural step is 1/α times its gradient: it
is thrown far, and stays where its gradient is nothing. Here unit j has the damping

    α_j = α s_j,   s_j = (¼ / E[σ'_j])^γ ≥ 1,

so that the step of a saturated unit tends to its plain gradient. No other solver is needed:
α s I + F = s (α I + F/s). One that approximates, ``shared``, approximates F/s.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, Solver


class Factors(NamedTuple):
    """Those of the solver inside, s (m,) and α."""

    inner: Any
    scale: tf.Tensor
    damping: tf.Tensor


class Guarded(NamedTuple):
    """``solver`` with α_j = α (¼ / E[σ'_j])^``power``."""

    solver: Solver
    power: float

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        scale = tf.pow(0.25 / tf.reduce_sum(V, axis=0), self.power)
        return Factors(self.solver.factor(H, V / scale, damping), scale, damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        inner = self.solver.solve(factors.inner, g)
        scale, damping = factors.scale, factors.damping
        return inner._replace(
            value=inner.value * ((1.0 + damping * scale) / (scale * (1.0 + damping)))
        )


def guarded(solver: Solver, power: float) -> Solver:
    """``solver`` itself where ``power`` is 0."""
    return Guarded(solver, power) if power else solver
