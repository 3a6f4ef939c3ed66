"""An approximation, ours: the units of a layer share one matrix, each at its own scale.

    F_j ≈ s_j A,   s_j = E[σ'_j],   A = E_w[ĥĥᵀ] with weights w_n ∝ Σ_j σ'_j(h_n).

Exact where the units of a layer weigh the samples alike; always exact in the sum of the blocks over
the units. Within :mod:`nws.fisher.guard` the blocks are F_j/s'_j, with the guard's scale s': it is
exact in their sum, and σ'_j/s'_j are the weights. It is the Kronecker factorization of Martens and
Grosse (2015), but for the weights, which are 1 there, with the diagonal second factor that units of
a layer, independent given their parents, have. Each unit is damped exactly. A layer stores (l+1)²
numbers and not m(l+1)², and products of matrices apply them.

With A = QΛQᵀ, (αI + s_j A)⁻¹g = Q (Qᵀg / (α + s_j λ)). Where samples are fewer than parameters, by
Woodbury's identity, A = BᵀB, BBᵀ = QΛQᵀ, Y = QᵀB: (g - Yᵀ(s_j / (α + s_j λ) · Yg))/α.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.fisher.base import Solution, direct


class Factors(NamedTuple):
    """Q (l+1, l+1), or Y (n, l+1); λ_i s_j (l+1 or n, m); s (m,); α."""

    basis: tf.Tensor
    spectrum: tf.Tensor
    scale: tf.Tensor
    damping: tf.Tensor


class Shared:
    """Best where the exact metric costs more than it gives: docs/beyond.md."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Factors:
        scale = tf.reduce_sum(V, axis=0)
        # Where every unit of the layer is saturated there is no variance to share.
        weights = tf.math.divide_no_nan(tf.reduce_sum(V, axis=1), tf.reduce_sum(V))
        B = tf.sqrt(weights)[:, None] * H
        few = H.shape[0] < H.shape[1]
        values, Q = tf.linalg.eigh(tf.matmul(B, B, transpose_a=not few, transpose_b=few))
        values = tf.maximum(values, 0.0)  # a matrix of squares: what is below 0 is rounding
        basis = tf.matmul(Q, B, transpose_a=True) if few else Q
        return Factors(basis, values[:, None] * scale, scale, damping)

    def solve(self, factors: Factors, g: tf.Tensor) -> Solution:
        basis, spectrum, scale, damping = factors
        if basis.shape[0] < basis.shape[1]:
            inside = scale * (basis @ g) / (damping + spectrum)
            x = (g - tf.matmul(basis, inside, transpose_a=True)) / damping
        else:
            x = basis @ (tf.matmul(basis, g, transpose_a=True) / (damping + spectrum))
        return direct((1.0 + damping) * x)
