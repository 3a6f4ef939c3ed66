"""The metric that the units of a layer share: where it is exact, and how it is damped."""

import numpy as np
import pytest
import tensorflow as tf
from machines import sigmoid

from nws.fisher import choose
from nws.fisher.guard import guarded


def problem(n: int = 40, l: int = 6, m: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    H = np.hstack([np.sign(rng.standard_normal((n, l))), np.ones((n, 1))])
    P = sigmoid(2 * rng.standard_normal((n, m)))
    return H, P * (1 - P) / n, rng.standard_normal((l + 1, m))


def solve(
    H: np.ndarray, V: np.ndarray, g: np.ndarray, alpha: float, power: float = 0.0
) -> np.ndarray:
    method = guarded(choose("shared", len(H), H.shape[1], V.shape[1]), power)
    factors = method.factor(tf.constant(H), tf.constant(V), tf.constant(alpha, H.dtype))
    return np.asarray(method.solve(factors, tf.constant(g)).value)


@pytest.mark.parametrize("n", [40, 7, 4, 1])  # more samples than parameters, as many, fewer
@pytest.mark.parametrize("alpha", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_it_is_the_dense_solution_of_its_own_blocks(n: int, alpha: float, power: float) -> None:
    """F_j ≈ s_j A by its definition, with a unit's own damping too."""
    H, V, g = problem(n)
    scale = V.sum(axis=0)
    own = (0.25 / scale) ** power
    weights = (V / own).sum(axis=1) / (V / own).sum()
    A = H.T @ np.diag(weights) @ H
    expected = np.stack([
        np.linalg.solve((alpha * k * np.eye(len(A)) + s * A) / (1 + alpha * k), column)
        for k, s, column in zip(own, scale, g.T, strict=True)
    ], axis=1)  # fmt: skip
    np.testing.assert_allclose(solve(H, V, g, alpha, power), expected, rtol=1e-9, atol=1e-12)


def test_it_is_exact_where_units_weigh_the_samples_alike() -> None:
    """The variances of any two units are proportional: then s_j A is the block itself."""
    H, V, g = problem()
    V = np.outer(V[:, 0], [1.0, 0.5, 0.1, 2.0, 1e-3])
    exact = choose("cholesky", *H.shape, V.shape[1])
    alpha = tf.constant(0.05, tf.float64)
    factors = exact.factor(tf.constant(H), tf.constant(V), alpha)
    expected = exact.solve(factors, tf.constant(g)).value
    np.testing.assert_allclose(solve(H, V, g, 0.05), expected, rtol=1e-9)


def test_the_sum_of_the_blocks_is_exact() -> None:
    """α → 0 with one right-hand side h for all: Σ_j s_j A = Σ_j F_j = Hᵀ diag(Σ_j V_j) H."""
    H, V, _ = problem()
    total = H.T @ np.diag(V.sum(axis=1)) @ H
    h = np.arange(1.0, H.shape[1] + 1)[:, None]
    # s_j A x_j = h for every unit: x_j = A⁻¹h / s_j, so Σ_j F_j x_1 s_1 / Σ_j s_j = h.
    x = solve(H, V, np.repeat(h, V.shape[1], axis=1), 1e-12)[:, :1]
    np.testing.assert_allclose(total @ x * V[:, 0].sum() / V.sum(), h, rtol=1e-6)


@pytest.mark.parametrize("n", [40, 4])
def test_a_layer_without_variance_gives_the_plain_gradient_over_the_damping(n: int) -> None:
    """Every unit saturated beyond what float32 tells from 0."""
    H, V, g = (a.astype(np.float32) for a in problem(n))
    np.testing.assert_allclose(solve(H, 0 * V, g, 0.1), 11 * g, rtol=1e-5)
