"""The dense solver: forms every block and its Cholesky factor. O(m(nl² + l³)), m(l+1)² numbers."""

from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, direct

CHUNK = 2**22  # numbers in a chunk's temporary (units, n, l+1)


class Factors(NamedTuple):
    """Lower Cholesky factors of αI + F_j (m, l+1, l+1), and α."""

    lower: tf.Tensor
    damping: tf.Tensor


def chunked(V: tf.Tensor, numbers_per_unit: int) -> list[tf.Tensor]:
    """Columns of V in pieces whose temporaries hold about ``CHUNK`` numbers."""
    units = V.shape[1]
    size = max(1, CHUNK // numbers_per_unit)
    return [V[:, start : start + size] for start in range(0, units, size)]


class Cholesky:
    """Best for small layers, l ≲ 50."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        damped = damping * tf.eye(H.shape[1], dtype=H.dtype)
        lower = [
            tf.linalg.cholesky(
                damped + tf.matmul(H[None] * tf.transpose(v)[:, :, None], H[None], transpose_a=True)
            )
            for v in chunked(V, H.shape[0] * H.shape[1])
        ]
        return Factors(tf.concat(lower, axis=0) if len(lower) > 1 else lower[0], damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        x = tf.linalg.cholesky_solve(factors.lower, tf.transpose(g)[:, :, None])
        return direct((1.0 + factors.damping) * tf.transpose(x[:, :, 0]))
