"""A run is that of a plain loop, in which every key of its settings does what its text says."""

from typing import Any

import numpy as np
import tensorflow as tf
import tiny
from tiny import GREY, IMAGES

from nws.algorithms.base import Options, Step
from nws.algorithms.reweighted import reweighted
from nws.models.helmholtz import Coding
from nws.models.parameters import Parameters, initial
from nws.models.random import Key, permutation
from nws.training import parts
from nws.training.loop import _binary
from nws.training.optimizers import adam

EPOCHS, PER_EPOCH, BATCH = 2, 5, 16
STEPS = EPOCHS * PER_EPOCH
# Of every key another value than its default.
KEYS: dict[str, Any] = {
    "algorithm": "nrws",
    "epochs": EPOCHS,
    "solver": "cholesky",
    "refresh": 3,
    "learning_rate": 0.03,
    "learning_rate_schedule": {"kind": "linear", "end": 0.1},
    "damping": 0.2,
    "damping_schedule": {"kind": "exponential", "end": 0.5},
    "unit_damping": 0.7,
    "gradient_convention": "canonical",
    "baseline": False,
    "q_wake": 0.3,
    "q_sleep": 0.6,
    "clip": 0.3,
    "weight_decay": 0.02,
    "optimizer": "momentum",
    "momentum": 0.6,
    "averaging": {"kind": "exponential", "decay": 0.3, "start": 0.3},
}
OPTIONS = Options(
    samples=3, q_wake=0.3, baseline=False, scale=0.5, coding=Coding("pm1", 0.3), fisher=True,
    q_sleep=0.6,
)  # fmt: skip

Arrays = list[np.ndarray]


def flat(params: Parameters) -> Arrays:
    return [t.numpy().astype(float) for t in (*params.p, params.prior, *params.q)]


def unflat(arrays: Arrays) -> Parameters:
    tensors = [tf.constant(a, tf.float32) for a in arrays]
    return Parameters(tuple(tensors[:2]), tensors[2], tuple(tensors[3:]))


def preconditioned(gradients: Arrays, measured: Step, alpha: float) -> Arrays:
    """Dense blocks of the step in which the metric was measured, each unit with its own damping."""
    evidence = measured.evidence
    found = []
    pairs = [*evidence.p, None, *evidence.q]
    for g, pair in zip(gradients, pairs, strict=True):
        if pair is None:  # the prior
            mu = evidence.prior_mu.numpy()
            found.append((1 + alpha) * g / (alpha + (1 - mu**2) / 4))
            continue
        H, mu = (t.numpy().astype(float) for t in pair)
        x = np.empty_like(g)
        for j, variance in enumerate(((1 - mu**2) / 4).T):
            a = alpha * (0.25 / variance.mean()) ** 0.7
            F = H.T @ (variance[:, None] / len(H) * H)
            x[:, j] = (1 + a) * np.linalg.solve(a * np.eye(len(F)) + F, g[:, j])
        found.append(x)
    return found


def plain_loop() -> tuple[Arrays, Arrays]:
    """The last parameters, and their average."""
    params = flat(initial([9, 6, 2], 0))
    average, velocity = params, [np.zeros_like(a) for a in params]
    for step in range(STEPS):
        epoch, i = divmod(step, PER_EPOCH)
        rows = permutation(len(IMAGES), Key(0, epoch)).numpy()[i * BATCH : (i + 1) * BATCH]
        x = tf.constant(2.0 * IMAGES[rows] - 1.0, tf.float32)
        drawn = reweighted(unflat(params), x, Key(0, step), OPTIONS)
        if step % 3 == 0:
            measured, alpha = drawn, 0.2 * 0.5 ** (step / STEPS)
        gradients = flat(drawn.gradients)
        for g, theta in zip(gradients[:2], params[:2], strict=True):
            g[:-1] -= 0.02 * theta[:-1]  # weights of p, not biases
        natural = preconditioned(gradients, measured, alpha)
        velocity = [0.6 * v + g for v, g in zip(velocity, natural, strict=True)]
        rate = 0.03 * (1 - 0.9 * step / STEPS)
        params = [theta + rate * v for theta, v in zip(params, velocity, strict=True)]
        weight = max(10 / (max(step - 3, 0) + 10), 0.7)
        average = [a + weight * (t - a) for a, t in zip(average, params, strict=True)]
    return params, average


def test_a_run_is_that_of_a_plain_loop() -> None:
    config = tiny.settings(**KEYS)
    program = tiny.program(config)
    state = program.init(tiny.start(config))
    for epoch in range(EPOCHS):
        state = program.advance(state, epoch, 0, PER_EPOCH)
    moved = np.abs(flat(state.params)[0] - flat(tiny.start(config))[0]).max()
    assert moved > 0.1
    for found, expected in zip((state.params, state.published), plain_loop(), strict=True):
        for a, b in zip(flat(found), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4 * moved)


def test_the_residual_of_an_epoch_is_the_largest_of_its_steps() -> None:
    config = tiny.settings(algorithm="nrws", solver="cg", refresh=1, epochs=1)
    program = tiny.program(config)
    state, so_far = program.init(tiny.start(config)), []
    for step in range(PER_EPOCH):
        state = program.advance(state, 0, step, step + 1)
        so_far.append(float(state.totals.residual))
    assert so_far == sorted(so_far)
    assert so_far[0] > 0


def test_cg_goes_on_to_the_tolerance_that_is_asked_for() -> None:
    ends = []
    for tolerance in (1e-1, 1e-5):
        config = tiny.settings(algorithm="nrws", solver="cg", epochs=1, cg_tolerance=tolerance)
        state = tiny.program(config).advance(
            tiny.program(config).init(tiny.start(config)), 0, 0, PER_EPOCH
        )
        assert 0 < float(state.totals.residual) <= tolerance
        ends.append(float(state.totals.iterations))
    assert ends[1] > ends[0]


def test_adam_has_the_keys_of_the_settings() -> None:
    keys = {"adam_beta1": 0.5, "adam_beta2": 0.7, "adam_epsilon": 0.1}
    found = parts.optimizer(tiny.settings(optimizer="adam", **keys))
    ours, theirs = [tf.constant([1.0, -2.0])], [tf.constant([1.0, -2.0])]
    a, b = found.init(ours), adam(0.5, 0.7, 0.1).init(theirs)
    for gradient in ([0.3, 1.0], [-1.0, 2.0]):
        g = [tf.constant(gradient)]
        ours, a = found.update(g, a, ours, tf.constant(0.1))
        theirs, b = adam(0.5, 0.7, 0.1).update(g, b, theirs, tf.constant(0.1))
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert abs(float(ours[0][0]) - 1.0) > 1e-3


def test_a_stochastic_pixel_is_one_with_its_grey_value() -> None:
    """Within five deviations; and from step to step another."""
    grey = tf.constant(GREY)
    drawn = np.stack([_binary(grey, True, Key(0, step)).numpy() for step in range(200)])
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    share = (drawn.mean(axis=0) + 1) / 2
    assert (np.abs(share - GREY) < 5 * np.sqrt(GREY * (1 - GREY) / 200)).all()
    assert (drawn.std(axis=0) > 0).all()
    whole = _binary(tf.constant(IMAGES.astype(bool)), False, Key(0, 0)).numpy()
    np.testing.assert_array_equal(whole, 2.0 * IMAGES - 1.0)
