"""The dense solver: forms every block and its inverse. O(m(nl² + l³)), m(l+1)² numbers."""

from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, direct

CHUNK = 2**22  # numbers in a temporary
CACHED = 2**18  # numbers; more than the nearest cache holds

# Multiplications of full-speed products that take as long as one of an inversion, and as the rest
# of it; and as reading a number of an inverse from a farther cache, and from memory.
INVERSION, MATRIX = 5, 3e5
READ, FETCH = 10, 20


class Factors(NamedTuple):
    """(αI + F_j)⁻¹ (m, l+1, l+1), and α."""

    inverse: tf.Tensor
    damping: tf.Tensor


class Cholesky:
    """Best for small layers; for middle ones, too, if a metric serves many steps."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        return Factors(inverse(blocks(H, V), damping), damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        x = apply(factors.inverse, tf.transpose(g))
        return direct((1.0 + factors.damping) * tf.transpose(x))


def blocks(H: tf.Tensor, V: tf.Tensor) -> tf.Tensor:
    """F_j = Σ_n V_nj h̃_n h̃_nᵀ for every unit, (m, l+1, l+1).

    The products h̃_a h̃_b of two parents are shared by all units: one product forms all blocks.
    """
    rows, parents = H.shape
    some = max(1, CHUNK // (rows * parents))
    parts = []
    for start in range(0, parents, some):
        pairs = H[:, start : start + some, None] * H[:, None, :]
        part = tf.matmul(V, tf.reshape(pairs, [rows, -1]), transpose_a=True)
        parts.append(tf.reshape(part, [V.shape[1], -1, parents]))
    return tf.concat(parts, axis=1)


def inverse(F: tf.Tensor, damping: tf.Tensor) -> tf.Tensor:
    """(αI + F)⁻¹ for matrices F (..., n, n), from their Cholesky factors."""
    eye = tf.eye(F.shape[-1], dtype=F.dtype)
    lower = tf.linalg.cholesky(F + damping * eye)
    return tf.linalg.cholesky_solve(lower, tf.broadcast_to(eye, F.shape))


def apply(matrices: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """A_j v_j for A (m, n, n) and v (m, n). XLA reads large A three times as fast."""
    if matrices.shape.num_elements() > CACHED:
        return _compiled_apply(matrices, vectors)
    return tf.linalg.matvec(matrices, vectors)


_compiled_apply = tf.function(tf.linalg.matvec, jit_compile=True, autograph=False)


def cost(n: int, l: int, units: int, refresh: int = 1) -> float:
    """Of one step whose factors serve ``refresh`` steps: n samples, l parents with the 1."""
    form = n * l**2 * (units + 30)
    return (form + units * (INVERSION * l**3 + MATRIX)) / refresh + reading(units * l**2)


def reading(numbers: int) -> float:
    """Of a product with stored inverses that hold so many numbers."""
    return numbers * (READ if numbers < 2**22 else FETCH)
