"""Conjugate gradients for all units of a layer at once: no block is ever formed.

All units share H, so one product with H serves them all: O(nl) an iteration and unit. Two systems
give the same solution, and the cheaper one is solved (D = V^½):

- primal: (αI + Hᵀ D_j² H) x = g, two products of n·l. Units weigh the same samples, so the metric
  of an average unit is close to all of theirs: its inverse M preconditions the system of each, and
  halves the iterations for one product of l² more;
- dual, n < 1.5 l: (αI + D_j HHᵀ D_j) y = D_j H g, then x = (g - Hᵀ D_j y)/α, one product of n². Its
  residual r leaves Hᵀ D_j r/α in the primal system, whose norm the iteration knows for free.

The iteration is that of Chronopoulos and Gear (1989): from u = Mr, one product Bu, with B the
matrix without its damping, and the inner products γ = rᵀu and uᵀ(αI + B)u follow the step and the
direction. Units stop one by one, at a primal residual rᵀr, or rᵀBr/α² in the dual system.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution
from nws.fisher.cholesky import INVERSION, inverse

# Cost, in multiplications of full-speed products: starting the operations of an iteration, and
# those on single numbers; iterations to a residual of 1e-2 at α = .05, plain and preconditioned.
ITERATION, ELEMENTWISE = 2.5e6, 140
PLAIN, PRECONDITIONED = 11, 5
FEW = 64  # samples: so small a dual system waits between operations, unless they are compiled


class Factors(NamedTuple):
    """H (n, l+1); α; HHᵀ for the dual system, else empty; the order (m,) in which units are cut
    into chunks, and of each chunk D = V^½ and M, which is empty where it does not pay."""

    H: tf.Tensor
    damping: tf.Tensor
    gram: tf.Tensor
    order: tf.Tensor
    D: tuple[tf.Tensor, ...]
    M: tuple[tf.Tensor, ...]


class Iterate(NamedTuple):
    """State of the iteration; columns are units. ``Ap`` is kept instead of computed."""

    k: tf.Tensor
    x: tf.Tensor
    r: tf.Tensor
    u: tf.Tensor
    Bu: tf.Tensor
    gamma: tf.Tensor
    curvature: tf.Tensor
    error: tf.Tensor
    p: tf.Tensor
    Ap: tf.Tensor
    last_gamma: tf.Tensor
    last_step: tf.Tensor


class System(NamedTuple):
    """αI + B, the preconditioner M (None: I), and which system it is."""

    B: Callable[[tf.Tensor], tf.Tensor]
    damping: tf.Tensor
    M: tf.Tensor | None
    dual: bool

    def at(self, r: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """u, Bu, γ = rᵀu, uᵀ(αI + B)u and the squared error of the residual r."""
        u = r if self.M is None else self.M @ r
        Bu = self.B(u)
        gamma, delta = tf.reduce_sum(r * u, axis=0), tf.reduce_sum(u * Bu, axis=0)
        if self.M is None:
            return u, Bu, gamma, delta + self.damping * gamma, delta if self.dual else gamma
        norm = self.damping * tf.reduce_sum(u * u, axis=0)
        return u, Bu, gamma, delta + norm, tf.reduce_sum(r * r, axis=0)


class ConjugateGradient(NamedTuple):
    """Stops at a primal relative residual ``tolerance``, or after ``iterations``.

    ``chunk`` units iterate together; chunks run in parallel and stop on their own.
    """

    tolerance: float = 1e-2
    iterations: int = 100
    chunk: int = 150

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        nothing = tf.zeros([0, 0], H.dtype)
        rows, parents = H.shape
        dual = _dual(rows, parents)
        gram = tf.matmul(H, H, transpose_b=True) if dual else nothing
        # Units with little variance need few iterations: chunks of their like stop early.
        order = tf.argsort(tf.reduce_sum(V, axis=0))
        chunks = self._cut(V, order)
        if dual or not _pays(rows, parents, chunks[-1].shape[1]):
            M = tuple(nothing for _ in chunks)
        else:
            M = tuple(_inverse_of_average(H, chunk, damping) for chunk in chunks)
        return Factors(H, damping, gram, order, tuple(map(tf.sqrt, chunks)), M)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        chunk = self._dual if factors.gram.shape[0] else self._primal
        pieces = zip(factors.D, factors.M, self._cut(g, factors.order), strict=True)
        parts = [chunk(factors, *piece) for piece in pieces]
        x, residual = (tf.concat([part[i] for part in parts], axis=-1) for i in (0, 1))
        if len(parts) > 1:
            back = tf.math.invert_permutation(factors.order)
            x, residual = tf.gather(x, back, axis=1), tf.gather(residual, back)
        # A right-hand side that is not finite stops at once, with x = 0 and residual nan.
        finite = tf.reduce_all(tf.math.is_finite(x)) & tf.reduce_all(tf.math.is_finite(residual))
        iterations = tf.reduce_max([k for _, _, k in parts])
        return Solution((1.0 + factors.damping) * x, residual, iterations, finite)

    def _cut(self, columns: tf.Tensor, order: tf.Tensor) -> list[tf.Tensor]:
        """Chunks of about equal size of the columns in this order; one chunk is left as it is."""
        units = columns.shape[1]
        pieces = -(-units // self.chunk)
        if pieces == 1:
            return [columns]
        sizes = [units // pieces + (i < units % pieces) for i in range(pieces)]
        return list(tf.split(tf.gather(columns, order, axis=1), sizes, axis=1))

    def _primal(
        self, factors: Factors, D: tf.Tensor, M: tf.Tensor, g: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        H, weights = factors.H, tf.square(D)

        def B(v: tf.Tensor) -> tf.Tensor:
            return tf.matmul(H, weights * (H @ v), transpose_a=True)

        norm = tf.reduce_sum(tf.square(g), axis=0)
        last = self._iterate(
            System(B, factors.damping, M if M.shape[0] else None, dual=False), g, norm
        )
        return last.x, _relative(last.error, norm), last.k

    def _dual(
        self, factors: Factors, D: tf.Tensor, _: tf.Tensor, g: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        H, damping = factors.H, factors.damping

        def solve(gram: tf.Tensor, D: tf.Tensor, right: tf.Tensor, norm: tf.Tensor) -> Iterate:
            system = System(lambda v: D * (gram @ (D * v)), damping, None, dual=True)
            return self._iterate(system, right, norm)

        if H.shape[0] <= FEW and tf.inside_function():
            solve = tf.function(solve, jit_compile=True, autograph=False)
        norm = tf.square(damping) * tf.reduce_sum(tf.square(g), axis=0)
        last = solve(factors.gram, D, D * (H @ g), norm)
        x = (g - tf.matmul(H, D * last.x, transpose_a=True)) / damping
        return x, _relative(last.error, norm), last.k

    def _iterate(self, system: System, right: tf.Tensor, norm: tf.Tensor) -> Iterate:
        """Solve (αI + B) x = right until every unit's error is at most tolerance² · ``norm``."""
        goal = self.tolerance**2 * norm

        def start() -> Iterate:
            zero, nothing = tf.zeros_like(right), tf.zeros_like(goal)
            k = tf.zeros([], tf.int32)
            return Iterate(k, zero, right, *system.at(right), zero, zero, nothing, nothing)

        def advance(*state: tf.Tensor) -> Iterate:
            it = Iterate(*state)
            beta = tf.math.divide_no_nan(it.gamma, it.last_gamma)
            curvature = it.curvature - tf.math.divide_no_nan(beta * it.gamma, it.last_step)
            step = tf.where(it.error > goal, it.gamma / curvature, tf.zeros_like(goal))
            p = it.u + beta * it.p
            Ap = (it.Bu + system.damping * it.u) + beta * it.Ap
            x, r = it.x + step * p, it.r - step * Ap
            return Iterate(it.k + 1, x, r, *system.at(r), p, Ap, it.gamma, step)

        def unfinished(*state: tf.Tensor) -> tf.Tensor:
            return tf.reduce_any(Iterate(*state).error > goal)

        return tf.while_loop(
            unfinished, advance, start(), maximum_iterations=self.iterations, parallel_iterations=1
        )


def cost(n: int, l: int, units: int) -> float:
    """Of one solve, in full-speed multiplications: n samples, l parents with the 1."""
    if _dual(n, l):
        return PLAIN * (ITERATION + units * (n**2 + ELEMENTWISE * n)) + 2 * units * n * l
    return min(_plain_cost(n, l, units), _preconditioned_cost(n, l, units))


def _dual(n: int, l: int) -> bool:
    return 2 * n < 3 * l


def _pays(n: int, l: int, units: int) -> bool:
    return _preconditioned_cost(n, l, units) < _plain_cost(n, l, units)


def _plain_cost(n: int, l: int, units: int) -> float:
    return PLAIN * (ITERATION + units * l * (2 * n + ELEMENTWISE))


def _preconditioned_cost(n: int, l: int, units: int) -> float:
    iteration = ITERATION + units * l * (2 * n + l + ELEMENTWISE)
    return PRECONDITIONED * iteration + n * l**2 + INVERSION * l**3


def _inverse_of_average(H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> tf.Tensor:
    """(αI + Hᵀ diag(v) H)⁻¹ for the mean v of the columns of V."""
    v = tf.reduce_mean(V, axis=1, keepdims=True)
    return inverse(tf.matmul(H, v * H, transpose_a=True), damping)


def _relative(error: tf.Tensor, norm: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.maximum(tf.math.divide_no_nan(error, norm), 0.0))
