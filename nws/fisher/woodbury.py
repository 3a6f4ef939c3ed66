"""The Woodbury identity (Eq. 17): n×n systems instead of (l+1)×(l+1). O(m(n²l + n³)).

In its symmetric form, which stays accurate when σ' → 0: with A = diag(V_j)^½ H,
(αI + AᵀA)⁻¹ = (I - Aᵀ(αI + AAᵀ)⁻¹A)/α, and AAᵀ = D_j HHᵀ D_j, D = V^½.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, direct
from nws.fisher.cholesky import chunked


class Factors(NamedTuple):
    """Cholesky factors of αI + D_j HHᵀ D_j (m, n, n); H (n, l+1); D (n, m); α."""

    lower: tf.Tensor
    H: tf.Tensor
    D: tf.Tensor
    damping: tf.Tensor


class Woodbury:
    """Best where samples are few: n < l."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        rows, D = H.shape[0], tf.sqrt(V)
        gram = tf.matmul(H, H, transpose_b=True)
        damped = damping * tf.eye(rows, dtype=H.dtype)
        lower = []
        for d in chunked(D, rows * rows):
            d = tf.transpose(d)
            lower.append(tf.linalg.cholesky(damped + d[:, :, None] * gram * d[:, None, :]))
        return Factors(tf.concat(lower, axis=0), H, D, damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        lower, H, D, damping = factors
        right = tf.transpose(D * (H @ g))[:, :, None]
        y = tf.transpose(tf.linalg.cholesky_solve(lower, right)[:, :, 0])
        x = g - tf.matmul(H, D * y, transpose_a=True)
        return direct((1.0 + damping) / damping * x)
