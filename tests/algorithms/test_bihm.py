"""The bidirectional machine's gradients against enumeration."""

import numpy as np
import pytest
import tensorflow as tf
from enumeration import TINY, every_state
from machines import Arrays, all_hidden, joint, posterior_proposal, random_model

from nws.algorithms.base import Options, p_wake, q_wake
from nws.algorithms.bihm import bihm
from nws.algorithms.natural import Solvers, natural
from nws.evaluation import exact
from nws.fisher import choose, natural_gradient
from nws.models.helmholtz import explain
from nws.models.parameters import Parameters, from_arrays
from nws.models.random import Key

LAYERS = [4, 3, 2]
X = np.array([1.0, -1.0, -1.0, 1.0])
MODEL = random_model(LAYERS, 7, scale=0.7)


def gradient(model: Arrays, name: str) -> np.ndarray:
    """∂ log p̃*(x) by central differences of the enumerated value."""
    result = np.zeros_like(model[name])
    for index in np.ndindex(*model[name].shape):
        ends = []
        for sign in (1, -1):
            moved = {k: v.copy() for k, v in model.items()}
            moved[name][index] += sign * 1e-5
            ends.append(exact.log_unnormalised(moved, X[None])[0])
        result[index] = (ends[0] - ends[1]) / 2e-5
    return result


def assert_is_the_gradient(found: Parameters, atol: float) -> None:
    for side, stack in (("p", found.p), ("q", found.q)):
        for i, g in enumerate(stack):
            np.testing.assert_allclose(g[:-1], gradient(MODEL, f"{side}_W{i}"), atol=atol)
            np.testing.assert_allclose(g[-1], gradient(MODEL, f"{side}_b{i}"), atol=atol)
    np.testing.assert_allclose(found.prior, gradient(MODEL, "prior_b"), atol=atol)


def test_with_all_states_both_stacks_climb_log_p_star() -> None:
    """Σ_h w (∇ log p(x, h) + ∇ log q(h|x)), w ∝ √(p(x, h) q(h|x)), is ∇ log p̃*(x)."""
    params, h = from_arrays(MODEL), all_hidden(LAYERS)
    sampled = every_state(params, X)
    weights = np.sqrt(joint(MODEL, X, h) * posterior_proposal(MODEL, X, h))[:, None]
    w = tf.constant(weights / weights.sum(), tf.float32)
    p, prior = p_wake(sampled, explain(params, sampled, TINY), w, 0.5)
    assert_is_the_gradient(Parameters(p, prior, q_wake(sampled, w, 0.5)), 3e-5)


@pytest.mark.parametrize("baseline", [True, False])
def test_a_step_with_many_samples_is_that_gradient(baseline: bool) -> None:
    x = tf.constant(np.tile(X, (10, 1)), tf.float32)
    options = Options(samples=20_000, baseline=baseline, scale=0.5, coding=TINY)
    step = bihm(from_arrays(MODEL), x, Key(0, 0), options)
    assert_is_the_gradient(step.gradients, 0.01)
    log_p = exact.log_likelihood(MODEL, X[None])[0]
    assert np.mean(step.bound) == pytest.approx(log_p, abs=0.05)


def test_the_natural_one_has_the_same_blocks_as_the_others() -> None:
    """NBiHM is BiHM's gradients through dense blocks of dreams (p) and of awake samples (q)."""
    params, samples, size = from_arrays(random_model([6, 5, 3], 3, 0.3)), 4, 8
    x = tf.constant(np.random.default_rng(0).choice([-1.0, 1.0], (size, 6)), tf.float32)
    solvers = Solvers(*[tuple(choose("cholesky", 32, 7, 6, 1, 1e-5, 9) for _ in range(2))] * 2)
    options, key = Options(samples=samples), Key(0, 0)
    plain = bihm(params, x, key, options)
    step = natural(bihm, solvers)(params, x, key, options, (), None, tf.constant(0.05))[0]
    for side in ("p", "q"):
        for i, (H, mu) in enumerate(getattr(plain.evidence, side)):
            H, P = H.numpy().astype(float), 0.5 + 0.5 * mu.numpy().astype(float)
            g = getattr(plain.gradients, side)[i].numpy()
            expected = natural_gradient(H, P, g, 0.05, "cholesky")
            found = getattr(step.gradients, side)[i]
            np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    assert len(plain.evidence.p[0][0]) == samples * size
