"""Conjugate gradients for all units of a layer at once: no block is ever formed.

All units share H, so one product with H serves them all: O(nl) an iteration and unit. Two systems
give the same solution, and the cheaper one is solved (D = V^½):

- primal, n ≥ l: (αI + Hᵀ D_j² H) x = g, two products of n·l;
- dual, n < 2l: (αI + D_j HHᵀ D_j) y = D_j H g, then x = (g - Hᵀ D_j y)/α, one product of n². Its
  residual r leaves Hᵀ D_j r/α in the primal system, whose norm the iteration knows for free.

The iteration is that of Chronopoulos and Gear (1989): from one product Br, with B the matrix
without its damping, and the two inner products γ = rᵀr and δ = rᵀBr follow the step, the direction
and the primal residual (γ, or δ/α² in the dual system). Units stop one by one.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution


class Factors(NamedTuple):
    """H (n, l+1), D = V^½ (n, m), α; ``gram`` = HHᵀ for the dual system, empty for the primal."""

    H: tf.Tensor
    D: tf.Tensor
    gram: tf.Tensor
    damping: tf.Tensor


class Iterate(NamedTuple):
    """State of the iteration; columns are units, and ``A p`` is kept instead of computed."""

    k: tf.Tensor
    x: tf.Tensor
    r: tf.Tensor
    Br: tf.Tensor
    p: tf.Tensor
    Ap: tf.Tensor
    gamma: tf.Tensor
    delta: tf.Tensor
    last_gamma: tf.Tensor
    last_step: tf.Tensor
    active: tf.Tensor


class ConjugateGradient(NamedTuple):
    """Stops at a primal relative residual ``tolerance``, or after ``iterations``.

    ``chunk`` units iterate together; chunks run in parallel and stop on their own.
    """

    tolerance: float = 1e-2
    iterations: int = 100
    chunk: int = 200

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        dual = H.shape[0] < 2 * H.shape[1]
        gram = tf.matmul(H, H, transpose_b=True) if dual else tf.zeros([0, 0], H.dtype)
        return Factors(H, tf.sqrt(V), gram, damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        pieces = -(-g.shape[1] // self.chunk)
        if pieces == 1:
            return self._solve(factors, g)
        # Units with little variance need few iterations: chunks of their like stop early.
        order = tf.argsort(tf.reduce_sum(tf.square(factors.D), axis=0))
        sizes = [g.shape[1] // pieces + (i < g.shape[1] % pieces) for i in range(pieces)]
        D, g = (tf.split(tf.gather(a, order, axis=1), sizes, axis=1) for a in (factors.D, g))
        parts = [self._solve(factors._replace(D=d), c) for d, c in zip(D, g, strict=True)]
        back = tf.math.invert_permutation(order)
        return Solution(
            tf.gather(tf.concat([part.value for part in parts], axis=1), back, axis=1),
            tf.gather(tf.concat([part.residual for part in parts], axis=0), back),
            tf.reduce_max([part.iterations for part in parts]),
            tf.reduce_all([part.finite for part in parts]),
        )

    def _solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        H, D, gram, damping = factors
        norm = tf.reduce_sum(tf.square(g), axis=0)
        dual = gram.shape[0] > 0

        def product(v: tf.Tensor) -> tf.Tensor:
            if dual:
                return D * (gram @ (D * v))
            return tf.matmul(H, weights * (H @ v), transpose_a=True)

        if dual:
            last, residual = self._iterate(product, D * (H @ g), damping, damping**2 * norm, dual)
            x = (g - tf.matmul(H, D * last.x, transpose_a=True)) / damping
        else:
            weights = tf.square(D)
            last, residual = self._iterate(product, g, damping, norm, dual)
            x = last.x
        # A right-hand side that is not finite stops at once, with x = 0 and residual nan.
        finite = tf.reduce_all(tf.math.is_finite(x)) & tf.reduce_all(tf.math.is_finite(residual))
        return Solution((1.0 + damping) * x, residual, last.k, finite)

    def _iterate(
        self,
        product: Callable[[tf.Tensor], tf.Tensor],
        right: tf.Tensor,
        damping: tf.Tensor,
        norm: tf.Tensor,
        dual: bool,
    ) -> tuple[Iterate, tf.Tensor]:
        """Solve (αI + product) x = right until δ (dual) or γ is below tolerance² · ``norm``."""
        goal = self.tolerance**2 * norm

        def start() -> Iterate:
            zero = tf.zeros_like(right)
            Br = product(right)
            gamma = tf.reduce_sum(right * right, axis=0)
            delta = tf.reduce_sum(right * Br, axis=0)
            active = (delta if dual else gamma) > goal
            nothing = tf.zeros_like(gamma)
            k = tf.zeros([], tf.int32)
            return Iterate(k, zero, right, Br, zero, zero, gamma, delta, nothing, nothing, active)

        def advance(*state: tf.Tensor) -> Iterate:
            it = Iterate(*state)
            beta = tf.math.divide_no_nan(it.gamma, it.last_gamma)
            curvature = it.delta + damping * it.gamma
            curvature -= tf.math.divide_no_nan(beta * it.gamma, it.last_step)
            step = tf.where(it.active, it.gamma / curvature, tf.zeros_like(it.gamma))
            p = it.r + beta * it.p
            Ap = (it.Br + damping * it.r) + beta * it.Ap
            x, r = it.x + step * p, it.r - step * Ap
            Br = product(r)
            gamma, delta = tf.reduce_sum(r * r, axis=0), tf.reduce_sum(r * Br, axis=0)
            active = it.active & ((delta if dual else gamma) > goal)
            return Iterate(it.k + 1, x, r, Br, p, Ap, gamma, delta, it.gamma, step, active)

        def unfinished(*state: tf.Tensor) -> tf.Tensor:
            return tf.reduce_any(Iterate(*state).active)

        last = tf.while_loop(
            unfinished, advance, start(), maximum_iterations=self.iterations, parallel_iterations=1
        )
        squared = tf.math.divide_no_nan(last.delta if dual else last.gamma, norm)
        return last, tf.sqrt(tf.maximum(squared, 0.0))
