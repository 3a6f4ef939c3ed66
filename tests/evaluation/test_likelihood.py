"""The importance-sampled log-likelihood: against enumeration, and its arithmetic."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from machines import Arrays, all_hidden, joint, posterior_proposal, random_model
from scipy.special import logsumexp

from nws.evaluation import exact, likelihood
from nws.evaluation.jobs import standard_error
from nws.evaluation.likelihood import Estimate, log_likelihood
from nws.machine.compilation import compiled
from nws.models import importance
from nws.models.helmholtz import Coding, recognise
from nws.models.parameters import from_arrays
from nws.models.random import Key

CODING = Coding("pm1", 1e-6)
IMAGES = exact.states(4)


def mild(layers: list[int], seed: int) -> Arrays:
    """A machine whose q is near its posterior, so that a thousand samples are many."""
    return random_model(layers, seed, scale=0.4)


def independent(layers: list[int], seed: int) -> Arrays:
    """A machine without weights: its posterior is its prior, and q is set to that."""
    model = random_model(layers, seed)
    for name in model:
        if "_W" in name:
            model[name] *= 0.0
    for i in range(1, len(layers)):
        above = model[f"p_b{i}"] if i < len(layers) - 1 else model["prior_b"]
        model[f"q_b{i - 1}"] = above
    return model


def estimate(model: Arrays, x: np.ndarray, samples: int, seed: int = 0) -> Estimate:
    return log_likelihood(from_arrays(model), x, samples, seed, CODING)


def test_many_samples_give_the_exact_value() -> None:
    """Error of log p: √((1/ESS) - 1/S) on each image."""
    model = mild([4, 3, 2], 0)
    found = estimate(model, IMAGES, 20_000)
    error = np.sqrt(1 / found.effective_samples - 1 / 20_000)
    gap = np.abs(found.log_likelihood - exact.log_likelihood(model, IMAGES))
    assert (gap < 5 * error + 1e-5).all()
    assert error.max() < 0.03


@pytest.mark.parametrize(("images", "samples"), [(230, 10), (16, 500), (23, 5000), (100, 1)])
def test_a_score_in_portions_is_that_of_all_at_once(
    monkeypatch: pytest.MonkeyPatch, images: int, samples: int
) -> None:
    """To the last bit, the last portion and block not full; and it says how far it is."""
    model, x = mild([4, 3, 2], 0), np.resize(IMAGES, (images, 4))
    told: list[int] = []
    whole = log_likelihood(from_arrays(model), x, samples, 0, CODING, told=told.append)
    assert told == [images]
    monkeypatch.setattr(likelihood, "PORTION", 1000)
    found = log_likelihood(from_arrays(model), x, samples, 0, CODING, told=told.append)
    np.testing.assert_array_equal(found.log_likelihood, whole.log_likelihood)
    np.testing.assert_allclose(found.effective_samples, whole.effective_samples, rtol=1e-6)
    assert told[1:] == sorted(set(told[1:]))
    assert told[-1] == images
    assert len(told) > 2 or images * samples <= 1000


@pytest.mark.parametrize("samples", [1, 7])
def test_the_mean_weight_is_unbiased(samples: int) -> None:
    """E[ω] = p(x): 4,000 independent estimates of one image."""
    model = mild([4, 3, 2], 1)
    x = np.repeat(IMAGES[5:6], 4000, axis=0)
    weights = np.exp(estimate(model, x, samples).log_likelihood.astype(np.float64))
    p = np.exp(exact.log_likelihood(model, IMAGES[5:6])[0])
    assert abs(weights.mean() - p) < 5 * weights.std() / np.sqrt(4000)
    assert len(np.unique(weights)) > 4  # independent indeed


def test_the_bound_grows_with_the_samples() -> None:
    """Towards log p(x), from below (Burda et al. 2016, Theorem 1)."""
    model = mild([4, 3, 2], 2)
    x = np.repeat(IMAGES[6:7], 4000, axis=0)
    found = [estimate(model, x, s).log_likelihood for s in (1, 3, 10, 100)]
    means, errors = [f.mean() for f in found], [f.std() / np.sqrt(4000) for f in found]
    for i in range(3):
        assert means[i + 1] - means[i] > 3 * (errors[i] + errors[i + 1])
    top = exact.log_likelihood(model, IMAGES[6:7])[0]
    assert means[-1] < top + 5 * errors[-1]
    assert means[-1] == pytest.approx(top, abs=0.05)


@pytest.mark.parametrize("images", [1, 101, 230])
@pytest.mark.parametrize("samples", [1, 7, 2003, 4999])
def test_with_the_posterior_as_q_every_sample_counts_fully(images: int, samples: int) -> None:
    """All ω are p(x): no chunk, block or padding may lose or add one."""
    model = independent([6, 4, 3], 3)
    x = np.random.default_rng(0).choice([-1.0, 1.0], (images, 6))
    found = estimate(model, x, samples)
    log_p = exact.log_likelihood(model, x)
    np.testing.assert_allclose(found.log_likelihood, log_p, atol=2e-5)
    np.testing.assert_allclose(found.effective_samples, samples, rtol=1e-4)


def test_effective_sample_size_tends_to_its_expectation() -> None:
    """ESS/S → E[ω]²/E[ω²], by enumeration of q; within 1 and S on the way."""
    model = mild([4, 3, 2], 4)
    found = estimate(model, IMAGES, 20_000).effective_samples / 20_000
    h = all_hidden([4, 3, 2])
    for x, share in zip(IMAGES, found, strict=True):
        q = posterior_proposal(model, x, h)
        weight = joint(model, x, h) / q
        assert share == pytest.approx((q @ weight) ** 2 / (q @ weight**2), rel=0.1)
    few = estimate(model, IMAGES, 5).effective_samples
    assert (few >= 1).all()
    assert (few <= 5).all()
    np.testing.assert_allclose(estimate(model, IMAGES, 1).effective_samples, 1.0, rtol=1e-4)


def test_estimates_depend_on_the_seed_alone() -> None:
    model = mild([4, 3, 2], 5)
    one, again, other = (estimate(model, IMAGES, 50, seed).log_likelihood for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


def test_machines_and_images_of_any_size_one_after_the_other() -> None:
    """Compiled functions are kept between calls: none may serve what it was not made for."""
    for layers, images in (([4, 3, 2], 5), ([4, 3, 2], 7), ([4, 2, 2], 7), ([5, 2], 1)):
        model = mild(layers, 6)
        x = np.random.default_rng(0).choice([-1.0, 1.0], (images, layers[0]))
        found = estimate(model, x, 5000).log_likelihood
        np.testing.assert_allclose(found, exact.log_likelihood(model, x), atol=0.1)


# The arithmetic of weights

finite = st.floats(-300, 300, width=32)
log_weights = st.lists(finite, min_size=1, max_size=40).map(np.array)


def column(log_w: np.ndarray) -> tf.Tensor:
    return tf.constant(log_w[:, None], tf.float64)


@given(log_weights)
def test_log_likelihood_of_weights(log_w: np.ndarray) -> None:
    found = importance.log_likelihood(column(log_w)).numpy()
    np.testing.assert_allclose(found, logsumexp(log_w) - np.log(len(log_w)), atol=1e-9)


@given(log_weights, finite)
def test_a_constant_factor_moves_only_the_likelihood(log_w: np.ndarray, shift: float) -> None:
    one, two = column(log_w), column(log_w + shift)
    gap = importance.log_likelihood(two) - importance.log_likelihood(one)
    np.testing.assert_allclose(gap, shift, atol=1e-9)
    for f in (importance.normalised, importance.effective_sample_size):
        np.testing.assert_allclose(f(two), f(one), rtol=1e-9)


@given(log_weights)
def test_effective_sample_size_of_weights(log_w: np.ndarray) -> None:
    found = importance.effective_sample_size(column(log_w)).numpy()[0]
    w = np.exp(log_w - log_w.max())
    assert found == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-9)
    assert 1 - 1e-9 <= found <= len(log_w) * (1 + 1e-9)


@given(st.integers(1, 40), finite)
def test_equal_weights_count_fully(samples: int, log_w: float) -> None:
    found = importance.effective_sample_size(column(np.full(samples, log_w))).numpy()[0]
    assert found == pytest.approx(samples, rel=1e-9)


@given(st.lists(finite, min_size=2, max_size=50).map(np.array))
def test_standard_error(values: np.ndarray) -> None:
    n = len(values)
    expected = np.sqrt(((values - values.mean()) ** 2).sum() / (n - 1) / n)
    assert standard_error(values) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_single_image_has_no_standard_error(recwarn: pytest.WarningsRecorder) -> None:
    """nan is no JSON."""
    assert standard_error(np.array([1.0])) is None
    assert not recwarn.list


MEMORY = """
import resource, numpy as np
from nws.evaluation.likelihood import log_likelihood
from nws.models.helmholtz import Coding
from nws.models.parameters import initial
def peak(samples):
    x = np.ones((100, 9), np.float32)
    log_likelihood(initial([9, 6, 2], 0), x, samples, 0, Coding())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak(2000), peak(60_000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_memory_is_bounded() -> None:
    """At once, six million samples of 17 units would be 400 MB, and every layer's means more."""
    done: Any = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=120
    )
    few, many = map(int, done.stdout.split())
    assert many - few < 80


def test_no_two_chunks_have_the_same_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step, not compiled: three blocks of images, four chunks of samples each."""
    steps: list[int] = []

    def recording(params: Any, x: Any, samples: int, key: Key, *rest: Any) -> Any:
        steps.append(key.step.numpy().item())
        return recognise(params, x, samples, key, *rest)

    monkeypatch.setattr(likelihood, "recognise", recording)
    monkeypatch.setattr(likelihood, "ROWS", 50)
    x = tf.constant(IMAGES[:15], tf.float32)
    params = from_arrays(mild([4, 3, 2], 0))
    for step in (0, 1):
        likelihood.estimate(params, x, 40, Key(0, tf.constant(step)), CODING, block=5)
    assert len(steps) == 24
    assert len(set(steps)) == 24


def test_seeds_share_one_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace takes longer than the scores of a small machine."""
    graph: Any = compiled(likelihood._estimate, "graph")
    monkeypatch.setitem(likelihood._COMPILED, "graph", graph)
    model = mild([4, 3, 2], 0)
    first, second = (estimate(model, IMAGES, 50, seed).log_likelihood for seed in (0, 1))
    assert (first != second).all()
    assert graph.experimental_get_tracing_count() == 1
