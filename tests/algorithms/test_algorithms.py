"""Gradients against enumeration and closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from enumeration import TINY, every_state
from machines import Arrays, all_hidden, joint, posterior_proposal, random_model

from nws.algorithms.base import Options, p_wake, q_wake
from nws.algorithms.decayed import decayed
from nws.algorithms.natural import Metric, Quality, Solvers, measure, natural, precondition
from nws.algorithms.reweighted import reweighted
from nws.algorithms.wake_sleep import wake_sleep
from nws.evaluation import exact
from nws.fisher import choose, natural_gradient
from nws.models import importance
from nws.models.helmholtz import Coding, dream, explain, recognise
from nws.models.parameters import Parameters, from_arrays, initial, to_arrays
from nws.models.random import Key

LAYERS = [4, 3, 2]
X = np.array([1.0, -1.0, -1.0, 1.0])


def flat(params: Parameters) -> np.ndarray:
    return np.concatenate([t.numpy().ravel() for t in (*params.p, params.prior, *params.q)])


def batch(n: int = 6, visible: int = 4, seed: int = 0) -> tf.Tensor:
    rng = np.random.default_rng(seed)
    return tf.constant(rng.choice([-1.0, 1.0], (n, visible)), tf.float32)


def test_fisher_s_identity() -> None:
    """With exact posterior weights, p-wake is the gradient of log p(x) (here: by differences)."""
    model = random_model(LAYERS, 1)
    sampled = every_state(from_arrays(model), X)
    explained = explain(from_arrays(model), sampled, TINY)
    gradients, prior = p_wake(sampled, explained, importance.normalised(explained.log_p), 0.5)

    def difference(name: str) -> np.ndarray:
        result = np.zeros_like(model[name])
        for index in np.ndindex(*model[name].shape):
            ends = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in model.items()}
                moved[name][index] += sign * 1e-5
                ends.append(exact.log_likelihood(moved, X[None])[0])
            result[index] = (ends[0] - ends[1]) / 2e-5
        return result

    for i, g in enumerate(gradients):
        np.testing.assert_allclose(g[:-1], difference(f"p_W{i}"), atol=2e-5)
        np.testing.assert_allclose(g[-1], difference(f"p_b{i}"), atol=2e-5)
    np.testing.assert_allclose(prior, difference("prior_b"), atol=2e-5)


def test_q_wake_is_the_gradient_of_the_weighted_log_q() -> None:
    model = random_model(LAYERS, 2)
    rng = np.random.default_rng(0)
    weights = rng.uniform(size=(32, 1))
    gradients = q_wake(every_state(from_arrays(model), X), tf.constant(weights, tf.float32), 0.5)

    def objective(m: dict[str, np.ndarray]) -> float:
        q = posterior_proposal(m, X, all_hidden(LAYERS))
        return float(weights[:, 0] @ np.log(q))

    for name, g in (("q_W0", gradients[0][:-1]), ("q_b1", gradients[1][-1])):
        index = (1,) * g.ndim
        ends = []
        for sign in (1, -1):
            moved = {k: v.copy() for k, v in model.items()}
            moved[name][index] += sign * 1e-5
            ends.append(objective(moved))
        assert float(g[index]) == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-4)


def test_q_sleep_is_unbiased() -> None:
    """Its mean over many dreams is E_p[∇ log q(h|x)], by enumeration of all (x, h)."""
    model = random_model(LAYERS, 3, scale=0.5)
    params, n = from_arrays(model), 4000
    options = Options(samples=n, q_wake=0.0, scale=0.5, coding=TINY)
    found = np.mean(
        [reweighted(params, batch(2), Key(0, k), options).gradients.q[0] for k in range(5)], axis=0
    )
    expected = np.zeros((5, 3))
    for x in exact.states(4):
        h = all_hidden(LAYERS)
        p = joint(model, x, h)
        mean = 1 / (1 + np.exp(-(x @ model["q_W0"] + model["q_b0"])))
        error = p @ ((h[0] + 1) / 2 - mean)
        expected += np.outer([*x, 1.0], error)
    assert np.abs(found - expected).max() < 5 * 0.5 / np.sqrt(5 * 2 * n)


@pytest.mark.parametrize(("algorithm", "awake"), [(wake_sleep, 0.0), (reweighted, 0.3)])
def test_a_step_is_the_gradient_of_what_it_drew(algorithm, awake: float) -> None:  # type: ignore[no-untyped-def]
    """By differences in float64, weights held: the mean over images of Σ_k w log p(x, h_k), and of
    Σ_k (w - 1/S) log q(h_k|x) in its share, the mean over dreams of log q(h|x) in the other."""
    model, images, samples, key = random_model(LAYERS, 6, 0.5), batch(), 5, Key(0, 0)
    params, rows = from_arrays(model), samples * len(images)
    options = Options(samples=samples, q_wake=0.3, scale=0.5, coding=TINY)
    drawn = [
        h.numpy().reshape(samples, len(images), -1)
        for h in recognise(params, images, samples, key, TINY).h[1:]
    ]
    dreams = [h.numpy() for h in dream(params, rows, key, TINY).h]

    def logs(of, m: Arrays) -> np.ndarray:  # type: ignore[no-untyped-def]
        return np.log([of(m, x, [h[:, b] for h in drawn]) for b, x in enumerate(images.numpy())]).T

    def asleep(m: Arrays) -> float:
        each = [
            posterior_proposal(m, x, [h[n : n + 1] for h in dreams[1:]])[0]
            for n, x in enumerate(dreams[0])
        ]
        return float(np.log(each).mean())

    omega = np.exp(logs(joint, model) - logs(posterior_proposal, model))
    w = omega / omega.sum(axis=0) if awake else np.full_like(omega, 1 / samples)

    def objective(m: Arrays) -> float:
        q_awake = ((w - 1 / samples) * logs(posterior_proposal, m)).sum(axis=0).mean()
        p_awake = (w * logs(joint, m)).sum(axis=0).mean()
        return float(p_awake + awake * q_awake + (1 - awake) * asleep(m))

    found = to_arrays(algorithm(params, images, key, options).gradients)
    for name, values in model.items():
        for index in np.ndindex(*values.shape):
            ends = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in model.items()}
                moved[name][index] += sign * 1e-5
                ends.append(objective(moved))
            slope = (ends[0] - ends[1]) / 2e-5
            assert found[name][index] == pytest.approx(slope, abs=2e-5), (name, index)


def test_one_sample_has_no_q_wake() -> None:
    """S = 1: ω̃ = 1, so with the baseline RWS without q-wake's share is WS."""
    params, x = initial(LAYERS, 0), batch()
    options = Options(samples=1, q_wake=0.0, coding=TINY)
    one, two = (f(params, x, Key(0, 0), options).gradients for f in (reweighted, wake_sleep))
    np.testing.assert_allclose(flat(one), flat(two), atol=1e-6)
    half = reweighted(params, x, Key(0, 0), options._replace(q_wake=0.5)).gradients
    np.testing.assert_allclose(
        half.q[0], 0.5 * two.q[0], atol=1e-6, err_msg="only half of q-sleep is left"
    )


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_decay_is_the_gradient_of_what_the_weights_cost(scale: float) -> None:
    """-(λ/2)‖W‖² by autodiff, twice that in argo's convention; biases and q cost nothing."""
    params, x, options = initial(LAYERS, 0), batch(), Options(samples=5, scale=scale, coding=TINY)
    plain, less = (
        f(params, x, Key(0, 0), options).gradients for f in (reweighted, decayed(reweighted, 0.3))
    )
    with tf.GradientTape() as tape:
        tape.watch(params)
        cost = -0.15 * tf.add_n([tf.reduce_sum(W[:-1] ** 2) for W in params.p])
    for W, before, after in zip(tape.gradient(cost, params.p), plain.p, less.p, strict=True):
        np.testing.assert_allclose(after - before, 2 * scale * W, atol=1e-6)
    assert flat(less._replace(p=())).tobytes() == flat(plain._replace(p=())).tobytes()


@pytest.mark.parametrize("algorithm", [wake_sleep, reweighted])
def test_argo_s_gradient_is_twice_the_canonical(algorithm) -> None:  # type: ignore[no-untyped-def]
    params, x = initial(LAYERS, 0), batch()
    argo, canonical = (
        algorithm(params, x, Key(0, 0), Options(scale=scale)).gradients for scale in (1.0, 0.5)
    )
    np.testing.assert_allclose(flat(argo), 2 * flat(canonical), rtol=1e-5, atol=1e-7)


def test_baseline_changes_no_expectation() -> None:
    """E_q[∇ log q] = 0, so subtracting 1/S leaves the mean of q-wake and lowers its variance."""
    params, x = from_arrays(random_model(LAYERS, 5)), batch(200)
    draws = {
        baseline: np.stack([
            flat(reweighted(
                params, x, Key(0, k), Options(samples=5, q_wake=1.0, baseline=baseline)
            ).gradients)
            for k in range(60)
        ])
        for baseline in (True, False)
    }  # fmt: skip
    gap = np.abs(draws[True].mean(0) - draws[False].mean(0))
    spread = np.sqrt((draws[True].var(0) + draws[False].var(0)) / 60)
    assert (gap <= 5 * spread + 1e-6).all()
    assert draws[True].var(0).sum() < draws[False].var(0).sum()


@pytest.mark.parametrize("solver", ["cholesky", "woodbury", "cg", "auto"])
@pytest.mark.parametrize("coding", ["pm1", "01"])
def test_natural_steps_are_those_of_the_reference(solver: str, coding: str) -> None:
    """NRWS in a step against RWS' gradients times dense blocks of the same samples in float64,
    with the images repeated S times, as Eq. 15 has them."""
    params, x, samples = initial([12, 9, 5], 0), batch(8, 12), 4
    options = Options(samples=samples, coding=Coding(coding, 1e-3))
    solvers = Solvers(*[tuple(choose(solver, 32, 10, 9, 1, 1e-5, 500) for _ in range(2))] * 2)
    plain = reweighted(params, x, Key(0, 0), options)
    alpha = tf.constant(0.05)
    step, _, quality = natural(reweighted, solvers)(params, x, Key(0, 0), options, (), None, alpha)
    for side in ("p", "q"):
        for i, (H, mu) in enumerate(getattr(plain.evidence, side)):
            H, P = H.numpy().astype(float), 0.5 + 0.5 * mu.numpy().astype(float)
            if side == "q" and i == 0:
                H, P = np.tile(H, (samples, 1)), np.tile(P, (samples, 1))
            g = getattr(plain.gradients, side)[i].numpy()
            expected = natural_gradient(H, P, g, 0.05, "cholesky")
            found = getattr(step.gradients, side)[i]
            np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    p = 0.5 + 0.5 * plain.evidence.prior_mu.numpy()
    np.testing.assert_allclose(
        step.gradients.prior, 1.05 * plain.gradients.prior / (0.05 + p * (1 - p)), rtol=1e-4
    )
    assert bool(quality.finite)
    assert float(quality.residual) <= 1e-5


def test_the_quality_of_a_step_is_that_of_its_worst_layer() -> None:
    """One layer has one iteration of cg, the others are exact; then a gradient is not finite."""
    params, x, options = initial(LAYERS, 0), batch(), Options(samples=3)
    exactly, hardly = choose("cholesky", 18, 4, 3), choose("cg", 18, 4, 3, 1, 1e-9, 1)
    plain = wake_sleep(params, x, Key(0, 0), options)

    def quality(solvers: Solvers, gradients: Parameters) -> Quality:
        metric = measure(plain.evidence, solvers, tf.constant(0.1))
        return precondition(metric, gradients, solvers)[1]

    whole = Solvers((exactly, exactly), (exactly, exactly))
    assert float(quality(whole, plain.gradients).residual) == 0
    assert bool(quality(whole, plain.gradients).finite)
    mixed = whole._replace(q=(exactly, hardly))
    assert float(quality(mixed, plain.gradients).residual) > 1e-3
    bad = plain.gradients._replace(p=(plain.gradients.p[0] * np.nan, plain.gradients.p[1]))
    spoilt = whole._replace(p=(choose("cg", 18, 4, 3, 1, 1e-9, 5), exactly))
    assert not bool(quality(spoilt, bad).finite)


def test_a_stale_metric_is_kept() -> None:
    params, x, options = initial(LAYERS, 0), batch(), Options(samples=3)
    solvers = Solvers(*[tuple(choose("cholesky", 18, 4, 3) for _ in range(2))] * 2)
    step = natural(wake_sleep, solvers)
    alpha = tf.constant(0.1)
    old: Metric = measure(wake_sleep(params, x, Key(0, 0), options).evidence, solvers, alpha)
    later, kept, _ = step(params, x, Key(0, 1), options, old, tf.constant(False), alpha)
    for a, b in zip(tf.nest.flatten(old), tf.nest.flatten(kept), strict=True):
        np.testing.assert_array_equal(a, b)
    plain = wake_sleep(params, x, Key(0, 1), options)
    expected, _ = precondition(old, plain.gradients, solvers)
    np.testing.assert_allclose(flat(later.gradients), flat(expected), rtol=1e-6)
    _, fresh, _ = step(params, x, Key(0, 1), options, old, tf.constant(True), alpha)
    assert (fresh.p[0].inverse.numpy() != old.p[0].inverse.numpy()).any()


def test_q_sleep_has_a_weight_of_its_own() -> None:
    """Both at full rate: the sum of q-wake alone and q-sleep alone. Not given: the rest to 1."""
    params, x, key = from_arrays(random_model(LAYERS, 4)), batch(), Key(0, 0)

    def q(**weights: float) -> np.ndarray:
        gradients = reweighted(params, x, key, Options(samples=5, **weights)).gradients  # type: ignore[arg-type]
        return np.concatenate([g.numpy().ravel() for g in gradients.q])

    awake, asleep = q(q_wake=1.0), q(q_wake=0.0)
    np.testing.assert_allclose(q(q_wake=1.0, q_sleep=1.0), awake + asleep, atol=1e-6)
    np.testing.assert_allclose(q(q_wake=0.3), 0.3 * awake + 0.7 * asleep, atol=1e-6)
