"""A unit's own damping, against dense algebra."""

import numpy as np
import pytest
import tensorflow as tf
from machines import sigmoid

from nws.fisher import choose
from nws.fisher.guard import guarded


@pytest.mark.parametrize("solver", ["cholesky", "woodbury", "cg"])
@pytest.mark.parametrize("power", [0.5, 1.0])
def test_a_unit_s_damping_is_that_of_dense_algebra(solver: str, power: float) -> None:
    rng = np.random.default_rng(2)
    n, l, m, alpha = 40, 6, 5, 0.1
    H = np.hstack([np.sign(rng.standard_normal((n, l))), np.ones((n, 1))])
    P = np.clip(sigmoid(4 * rng.standard_normal((n, m))), 1e-3, 1 - 1e-3)
    P[:, 0] = 1e-3
    V, g = P * (1 - P) / n, rng.standard_normal((l + 1, m))
    alphas = alpha * (0.25 / (P * (1 - P)).mean(axis=0)) ** power
    expected = np.stack([
        np.linalg.solve((a * np.eye(l + 1) + H.T @ np.diag(v) @ H) / (1 + a), column)
        for a, v, column in zip(alphas, V.T, g.T, strict=True)
    ], axis=1)  # fmt: skip
    method = guarded(choose(solver, n, l + 1, m, 1, 1e-10, 500), power)
    factors = method.factor(tf.constant(H), tf.constant(V), tf.constant(alpha, tf.float64))
    found = method.solve(factors, tf.constant(g)).value.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_a_saturated_unit_is_not_thrown() -> None:
    """Its step is its gradient or so; without the guard it is 1/α times as long."""
    H = tf.concat([tf.ones([8, 3], tf.float64), tf.ones([8, 1], tf.float64)], axis=1)
    V, alpha = tf.fill([8, 1], tf.constant(1e-4 / 8, tf.float64)), tf.constant(0.01, tf.float64)
    g = tf.constant([[1.0], [-1.0], [0.0], [0.0]], tf.float64)
    free, guard = choose("cholesky", 8, 4, 1), guarded(choose("cholesky", 8, 4, 1), 1.0)
    longest = [float(tf.norm(s.solve(s.factor(H, V, alpha), g).value)) for s in (free, guard)]
    assert longest[0] / float(tf.norm(g)) > 90
    assert longest[1] / float(tf.norm(g)) == pytest.approx(1.0, abs=0.05)


def test_without_a_power_the_solver_is_the_same() -> None:
    solver = choose("cg", 8, 4, 1)
    assert guarded(solver, 0.0) is solver
