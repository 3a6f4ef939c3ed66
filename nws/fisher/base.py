"""What a solver of damped Fisher systems takes and gives.

One layer has m units with l+1 parameters each. From n samples, H (n, l+1) holds their parents with
a trailing 1, and V (n, m) holds σ'/n. The Fisher block of unit j is F_j = Hᵀ diag(V_j) H (Eqs. 13
and 15), its damped form F̃_j = (αI + F_j)/(1+α) (Eq. 16). The natural gradient is F̃_j⁻¹ g_j.
"""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf


class Solution(NamedTuple):
    """F̃⁻¹g (l+1, m); each unit's relative residual (m,); iterations; is every number finite?"""

    value: tf.Tensor
    residual: tf.Tensor
    iterations: tf.Tensor
    finite: tf.Tensor


class Solver(Protocol):
    """Factor once, solve many times. The factors are tensors: a state that can be saved."""

    def factor(self, H: tf.Tensor, V: tf.Tensor, damping: tf.Tensor) -> Any:
        """What :meth:`solve` needs of H (n, l+1), V (n, m) and α: a (nested) tuple of tensors."""

    def solve(self, factors: Any, g: tf.Tensor) -> Solution:
        """F̃_j⁻¹ g_j for every column j of g (l+1, m)."""


def direct(value: tf.Tensor) -> Solution:
    """The solution of a solver without iterations: its residual is rounding alone."""
    return Solution(
        value,
        tf.zeros([value.shape[1]], value.dtype),
        tf.ones([], tf.int32),
        tf.reduce_all(tf.math.is_finite(value)),
    )
