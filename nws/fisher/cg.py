"""Conjugate gradients for all units of a layer at once: no block is ever formed.

All units share H, so one product with H serves them all: O(nl) an iteration and unit. Two systems
give the same solution, and the cheaper one is solved (D = V^½):

- primal: (αI + Hᵀ D_j² H) x = g, two products of n·l. Units weigh the same samples, so the metric
  of an average unit is close to all of theirs: its inverse M preconditions the system of each, and
  halves the iterations for one product of l² more;
- dual: (αI + D_j HHᵀ D_j) y = D_j H g, then x = (g - Hᵀ D_j y)/α, one product of n². Its
  residual r leaves Hᵀ D_j r/α in the primal system, whose norm the iteration knows for free.

The primal iteration is the textbook's. The dual one is that of Chronopoulos and Gear (1989): its
only product, Br with B the matrix without its damping, gives the step, the direction and rᵀBr/α²,
the squared primal residual. Units stop one by one, at theirs; where products are large, the last
few go on without the others.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import tensorflow as tf

from nws.fisher.base import Solution
from nws.fisher.cholesky import INVERSION, inverse

# Cost, in multiplications of full-speed products: starting the operations of an iteration, and
# those on single numbers; iterations to a residual of 1e-2 at α = .05.
ITERATION, ELEMENTWISE = 2.5e6, 140
DUAL, PLAIN, PRECONDITIONED = 14, 10, 4.5
CHUNK = 200
# Multiplications of a product from which it pays to leave finished units behind, when all but one
# in so many units have finished.
LARGE, LAST = 8e6, 3
FEW = 64  # samples: so small a dual system waits between operations, unless they are compiled


class Factors(NamedTuple):
    """H (n, l+1); α; HHᵀ for the dual system, else empty; the order (m,) in which units are cut
    into chunks, and of each chunk V, or D for the dual system, and M, empty where there is none."""

    H: tf.Tensor
    damping: tf.Tensor
    gram: tf.Tensor
    order: tf.Tensor
    weights: tuple[tf.Tensor, ...]
    M: tuple[tf.Tensor, ...]


class Primal(NamedTuple):
    """State of the primal iteration; columns are units. ``error`` is rᵀr, ``gamma`` rᵀMr."""

    k: tf.Tensor
    x: tf.Tensor
    r: tf.Tensor
    p: tf.Tensor
    gamma: tf.Tensor
    error: tf.Tensor


class Dual(NamedTuple):
    """State of the dual iteration; columns are units. ``Ap`` is kept instead of computed."""

    k: tf.Tensor
    x: tf.Tensor
    r: tf.Tensor
    Br: tf.Tensor
    gamma: tf.Tensor
    error: tf.Tensor
    p: tf.Tensor
    Ap: tf.Tensor
    last_gamma: tf.Tensor
    last_step: tf.Tensor


State = TypeVar("State", Primal, Dual)


class ConjugateGradient(NamedTuple):
    """Stops at a primal relative residual ``tolerance``, or after ``iterations``.

    ``chunk`` units iterate together; chunks run in parallel and stop on their own. Factors serve
    ``refresh`` steps. ``static``: finished units stay, masked, so that no shape depends on values.
    """

    tolerance: float = 1e-2
    iterations: int = 100
    refresh: int = 1
    chunk: int = CHUNK
    static: bool = False

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        nothing = tf.zeros([0, 0], H.dtype)
        rows, parents = H.shape
        system = cheapest(rows, parents, V.shape[1], self.refresh)
        gram = tf.matmul(H, H, transpose_b=True) if system == "dual" else nothing
        # Units with little variance need few iterations: chunks of their like stop early.
        order = tf.argsort(tf.reduce_sum(V, axis=0))
        chunks = self._cut(V, order)
        M = tuple(
            _inverse_of_average(H, chunk, damping) if system == "preconditioned" else nothing
            for chunk in chunks
        )
        weights = map(tf.sqrt, chunks) if system == "dual" else chunks
        return Factors(H, damping, gram, order, tuple(weights), M)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        chunk = self._dual if factors.gram.shape[0] else self._primal
        pieces = zip(factors.weights, factors.M, self._cut(g, factors.order), strict=True)
        parts = [chunk(factors, *piece) for piece in pieces]
        x, residual = (tf.concat([part[i] for part in parts], axis=-1) for i in (0, 1))
        if len(parts) > 1:
            back = tf.math.invert_permutation(factors.order)
            x, residual = _take(x, back), tf.gather(residual, back)
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
        return list(tf.split(_take(columns, order), sizes, axis=1))

    def _primal(
        self, factors: Factors, V: tf.Tensor, M: tf.Tensor, g: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        norm = tf.reduce_sum(tf.square(g), axis=0)
        goal = self.tolerance**2 * norm
        zero = tf.zeros_like(g)
        start = Primal(tf.zeros([], tf.int32), zero, g, zero, tf.zeros_like(norm), norm)
        large = factors.H.shape.num_elements() * V.shape[1] >= LARGE
        few = V.shape[1] // LAST if large and not self.static else 0
        last = self._repeat(_iteration(factors, V, M, goal), start, goal, few)
        if few:
            last = self._finish(factors, V, M, goal, last)
        return last.x, _relative(last.error, norm), last.k

    def _finish(
        self, factors: Factors, V: tf.Tensor, M: tf.Tensor, goal: tf.Tensor, all_: Primal
    ) -> Primal:
        """Go on with the units that have not reached their goals, without the others."""
        rest = tf.where(all_.error > goal)[:, 0]
        V, goal = _take(V, rest), tf.gather(goal, rest)
        start = Primal(
            all_.k,
            *(_take(t, rest) for t in (all_.x, all_.r, all_.p)),
            *(tf.gather(t, rest) for t in (all_.gamma, all_.error)),
        )
        last = self._repeat(_iteration(factors, V, M, goal), start, goal)
        error = tf.tensor_scatter_nd_update(all_.error, rest[:, None], last.error)
        return all_._replace(k=last.k, x=_put(all_.x, rest, last.x), error=error)

    def _dual(
        self, factors: Factors, D: tf.Tensor, _: tf.Tensor, g: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        H, damping = factors.H, factors.damping

        def solve(gram: tf.Tensor, D: tf.Tensor, right: tf.Tensor, goal: tf.Tensor) -> Dual:
            return self._iterate(lambda v: D * (gram @ (D * v)), damping, right, goal)

        if H.shape[0] <= FEW and tf.inside_function():
            solve = tf.function(solve, jit_compile=True, autograph=False)
        norm = tf.square(damping) * tf.reduce_sum(tf.square(g), axis=0)
        last = solve(factors.gram, D, D * (H @ g), self.tolerance**2 * norm)
        x = (g - tf.matmul(H, D * last.x, transpose_a=True)) / damping
        return x, _relative(last.error, norm), last.k

    def _iterate(
        self,
        B: Callable[[tf.Tensor], tf.Tensor],
        damping: tf.Tensor,
        right: tf.Tensor,
        goal: tf.Tensor,
    ) -> Dual:
        """Solve (αI + B) x = right until every unit's rᵀBr is at most its ``goal``."""

        def at(r: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            Br = B(r)
            return r, Br, tf.reduce_sum(r * r, axis=0), tf.reduce_sum(r * Br, axis=0)

        def advance(*state: tf.Tensor) -> Dual:
            it = Dual(*state)
            beta = tf.math.divide_no_nan(it.gamma, it.last_gamma)
            curvature = it.error + damping * it.gamma
            curvature -= tf.math.divide_no_nan(beta * it.gamma, it.last_step)
            step = tf.where(it.error > goal, it.gamma / curvature, tf.zeros_like(goal))
            p = it.r + beta * it.p
            Ap = (it.Br + damping * it.r) + beta * it.Ap
            return Dual(it.k + 1, it.x + step * p, *at(it.r - step * Ap), p, Ap, it.gamma, step)

        zero, nothing = tf.zeros_like(right), tf.zeros_like(goal)
        k = tf.zeros([], tf.int32)
        start = Dual(k, zero, *at(right), zero, zero, nothing, nothing)
        return self._repeat(advance, start, goal)

    def _repeat(
        self, advance: Callable[..., State], start: State, goal: tf.Tensor, but: int = 0
    ) -> State:
        """Until the errors of all units ``but`` a few have reached their goals, or too long."""

        def unfinished(*state: tf.Tensor) -> tf.Tensor:
            it = type(start)(*state)
            return (it.k < self.iterations) & (tf.math.count_nonzero(it.error > goal) > but)

        return tf.while_loop(unfinished, advance, start, parallel_iterations=1)


def _iteration(
    factors: Factors, V: tf.Tensor, M: tf.Tensor, goal: tf.Tensor
) -> Callable[..., Primal]:
    """One of the primal system, for units with these V and goals."""
    H, damping = factors.H, factors.damping

    def advance(*state: tf.Tensor) -> Primal:
        it = Primal(*state)
        z = M @ it.r if M.shape[0] else it.r
        gamma = tf.reduce_sum(it.r * z, axis=0) if M.shape[0] else it.error
        p = z + tf.math.divide_no_nan(gamma, it.gamma) * it.p
        Ap = damping * p + tf.matmul(H, V * (H @ p), transpose_a=True)
        step = tf.where(it.error > goal, gamma / tf.reduce_sum(p * Ap, axis=0), tf.zeros_like(goal))
        r = it.r - step * Ap
        error = tf.reduce_sum(tf.square(r), axis=0)
        return Primal(it.k + 1, it.x + step * p, r, p, gamma, error)

    return advance


def costs(n: int, l: int, units: int, refresh: int = 1) -> dict[str, float]:
    """Of one solve of each system, in full-speed multiplications: n samples, l parents with the
    1. A preconditioner serves ``refresh`` steps."""
    inverses = -(-units // CHUNK) * (n * l**2 + INVERSION * l**3) / refresh
    return {
        "dual": DUAL * (ITERATION + units * n * (n + ELEMENTWISE)) + 2 * units * n * l,
        "plain": PLAIN * (ITERATION + units * l * (2 * n + ELEMENTWISE)),
        "preconditioned": PRECONDITIONED * (ITERATION + units * l * (2 * n + l + ELEMENTWISE))
        + inverses,
    }


def cheapest(n: int, l: int, units: int, refresh: int = 1) -> str:
    """The system that is solved."""
    found = costs(n, l, units, refresh)
    return min(found, key=found.__getitem__)


def cost(n: int, l: int, units: int, refresh: int = 1) -> float:
    """Of one step."""
    return min(costs(n, l, units, refresh).values())


def _inverse_of_average(H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> tf.Tensor:
    """(αI + Hᵀ diag(v) H)⁻¹ for the mean v of the columns of V."""
    v = tf.reduce_mean(V, axis=1, keepdims=True)
    return inverse(tf.matmul(H, v * H, transpose_a=True), damping)


def _take(columns: tf.Tensor, which: tf.Tensor) -> tf.Tensor:
    """``tf.gather(columns, which, axis=1)``, which takes eight times as long."""
    return tf.transpose(tf.gather(tf.transpose(columns), which))


def _put(columns: tf.Tensor, which: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
    """The columns with the new ones in place of ``which``."""
    rows = tf.tensor_scatter_nd_update(tf.transpose(columns), which[:, None], tf.transpose(new))
    return tf.transpose(rows)


def _relative(error: tf.Tensor, norm: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.maximum(tf.math.divide_no_nan(error, norm), 0.0))
