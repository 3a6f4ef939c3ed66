"""An approximation, ours: the units of a layer share one matrix, each at its own scale.

    F_j ≈ s_j A,   s_j = E[σ'_j],   A = E_w[ĥĥᵀ] with weights w_n ∝ Σ_j σ'_j(h_n).

Exact where the units of a layer weigh the samples alike; always exact in the sum of the blocks over
the units. It is the Kronecker factorization of Martens and Grosse (2015) with the diagonal second
factor that units of a layer, independent given their parents, have. Each unit is damped exactly:
with A = QΛQᵀ, (αI + s_j A)⁻¹g = Q (Qᵀg / (α + s_j λ)). A layer stores (l+1)² numbers and not
m(l+1)², and two products of matrices apply them.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, direct


class Factors(NamedTuple):
    """Q (l+1, l+1), its columns the eigenvectors of A; α + s_j λ_i (l+1, m); α."""

    Q: tf.Tensor
    spectrum: tf.Tensor
    damping: tf.Tensor


class Shared:
    """Best where a step of the exact metric costs more than it gives: docs/beyond.md."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        total, scale = tf.reduce_sum(V), tf.reduce_sum(V, axis=0)
        # Where every unit of the layer is saturated there is no variance to share.
        weights = tf.math.divide_no_nan(tf.reduce_sum(V, axis=1), total)
        A = tf.matmul(H * weights[:, None], H, transpose_a=True)
        values, Q = tf.linalg.eigh(A)
        values = tf.maximum(values, 0.0)  # A is a mean of squares: what is below 0 is rounding
        return Factors(Q, damping + values[:, None] * scale, damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        Q, spectrum, damping = factors
        x = Q @ (tf.matmul(Q, g, transpose_a=True) / spectrum)
        return direct((1.0 + damping) * x)
