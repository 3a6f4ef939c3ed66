"""The Woodbury identity (Eq. 17): n×n systems instead of (l+1)×(l+1). O(m(n²l + n³)).

In its symmetric form, which stays accurate when σ' → 0: with A = diag(V_j)^½ H,
(αI + AᵀA)⁻¹ = (I - Aᵀ(αI + AAᵀ)⁻¹A)/α, and AAᵀ = D_j HHᵀ D_j, D = V^½.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, direct
from nws.fisher.cholesky import CHUNK, INVERSION, MATRIX, apply, inverse, reading


class Factors(NamedTuple):
    """(αI + D_j HHᵀ D_j)⁻¹ (m, n, n); H (n, l+1); D (n, m); α."""

    inverse: tf.Tensor
    H: tf.Tensor
    D: tf.Tensor
    damping: tf.Tensor


class Woodbury:
    """Best where samples are few: n < l."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        D = tf.sqrt(V)
        gram = tf.matmul(H, H, transpose_b=True)
        some = max(1, CHUNK // H.shape[0] ** 2)
        parts = []
        for start in range(0, D.shape[1], some):
            d = tf.transpose(D[:, start : start + some])
            parts.append(inverse(d[:, :, None] * gram * d[:, None, :], damping))
        return Factors(tf.concat(parts, axis=0), H, D, damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        _, H, D, damping = factors
        y = tf.transpose(apply(factors.inverse, tf.transpose(D * (H @ g))))
        x = g - tf.matmul(H, D * y, transpose_a=True)
        return direct((1.0 + damping) / damping * x)


def cost(n: int, l: int, units: int, refresh: int = 1) -> float:
    """Of one step whose factors serve ``refresh`` steps: n samples, l parents with the 1."""
    factor = units * (30 * n**2 + INVERSION * n**3 + MATRIX)
    return factor / refresh + reading(units * n**2) + 2 * units * n * l
