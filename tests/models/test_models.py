"""The stacks against enumeration: log probabilities, samples, codings, files."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from enumeration import TINY, every_state
from machines import all_hidden, joint, posterior_proposal, random_model, sigmoid

from nws.errors import NwsError
from nws.evaluation import exact
from nws.models import sbn
from nws.models.helmholtz import Coding, dream, explain, recognise
from nws.models.parameters import (
    from_arrays,
    initial,
    read,
    recode,
    to_arrays,
)
from nws.models.random import Key

LAYERS = [4, 3, 2]


def test_log_joint_is_that_of_the_definition() -> None:
    model = random_model(LAYERS, 1)
    x = np.array([1.0, -1.0, -1.0, 1.0])
    log_p = explain(from_arrays(model), every_state(from_arrays(model), x), TINY).log_p
    np.testing.assert_allclose(log_p[:, 0], np.log(joint(model, x, all_hidden(LAYERS))), rtol=2e-5)


def test_log_q_is_that_of_the_definition() -> None:
    model = random_model(LAYERS, 2)
    x = np.array([[1.0, -1.0, -1.0, 1.0], [1.0, 1.0, 1.0, -1.0]])
    drawn = recognise(from_arrays(model), tf.constant(x, tf.float32), 5, Key(0, 0), TINY)
    for b in range(2):
        rows = [h.numpy().reshape(5, 2, -1)[:, b] for h in drawn.h[1:]]
        q = posterior_proposal(model, x[b], rows)
        np.testing.assert_allclose(drawn.log_q[:, b], np.log(q), rtol=1e-5)


def test_the_probability_of_all_images_is_one() -> None:
    model = random_model(LAYERS, 3)
    total = np.exp(exact.log_likelihood(model, exact.states(4))).sum()
    assert total == pytest.approx(1.0, abs=1e-12)


def test_exact_likelihood_is_that_of_the_definition() -> None:
    model, x = random_model(LAYERS, 4), np.array([1.0, 1.0, -1.0, 1.0])
    expected = np.log(joint(model, x, all_hidden(LAYERS)).sum())
    assert exact.log_likelihood(model, x[None])[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("clip", [1e-3, 1e-6])
def test_dreams_have_the_model_s_distribution(clip: float) -> None:
    """Frequencies of all 16 images in 200,000 dreams, within five standard errors; both the
    16-bit (clip 1e-3) and the 32-bit draws."""
    model, n = random_model(LAYERS, 5), 200_000
    drawn = dream(from_arrays(model), n, Key(0, 0), Coding("pm1", clip)).h[0].numpy()
    index = ((drawn > 0) @ (1 << np.arange(4)[::-1])).astype(int)
    frequency = np.bincount(index, minlength=16) / n
    p = np.exp(exact.log_likelihood(model, exact.states(4), clip))
    assert np.abs(frequency - p).max() < 5 * np.sqrt(p.max() / n)
    assert (np.abs(frequency - p) < 5 * np.sqrt(p * (1 - p) / n) + 1e-5).all()


def test_recognised_samples_have_q_s_distribution() -> None:
    model, samples = random_model(LAYERS, 6), 100_000
    x = np.array([[1.0, -1.0, 1.0, 1.0]])
    drawn = recognise(from_arrays(model), tf.constant(x, tf.float32), samples, Key(1, 0), TINY)
    hidden = np.hstack([h.numpy() for h in drawn.h[1:]])
    index = ((hidden > 0) @ (1 << np.arange(5)[::-1])).astype(int)
    q = posterior_proposal(model, x[0], all_hidden(LAYERS))
    assert (np.abs(np.bincount(index, minlength=32) / samples - q) < 5 * np.sqrt(q / samples)).all()


def test_draws_depend_on_seed_purpose_and_step_alone() -> None:
    params = initial(LAYERS, 0)
    same = [dream(params, 50, Key(3, 7), TINY).h[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*same)
    for other in (Key(3, 8), Key(4, 7)):
        assert (dream(params, 50, other, TINY).h[0].numpy() != same[0]).any()
    assert (dream(params, 50, Key(3, 7), TINY, "model").h[0].numpy() != same[0]).any()


@pytest.mark.parametrize("units", [1, 7, 10, 196, 300])
def test_log_prob_is_exact_however_unlikely(units: int) -> None:
    """Products of a few probabilities neither under- nor overflow: all units at the clip, on
    either side of it."""
    for clip in (1e-6, 2.0**-24):
        mu = np.full((3, units), 1 - 2 * clip, np.float32)
        h = np.ones((3, units), np.float32)
        h[1] = -1
        h[2, ::2] = -1
        expected = np.log(0.5 + 0.5 * h.astype(float) * mu).sum(-1)
        found = sbn.log_prob(tf.constant(h), tf.constant(mu))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * units)


def test_the_impossible_has_no_probability() -> None:
    assert sbn.log_prob(-tf.ones([1, 10]), tf.ones([1, 10])).numpy()[0] == -np.inf


def test_both_codings_are_one_distribution() -> None:
    """W01 = 2W, b01 = b - ΣW: the same random numbers give the same images."""
    params = from_arrays(random_model([6, 5, 4], 7))
    other = recode(params, "01")
    pm1 = dream(params, 500, Key(0, 0), TINY)
    zero_one = dream(other, 500, Key(0, 0), Coding("01", 1e-6))
    np.testing.assert_allclose(pm1.mu[0], zero_one.mu[0], atol=1e-5)
    np.testing.assert_array_equal(pm1.h[0], zero_one.h[0])
    for a, b in zip(params.p, recode(other, "pm1").p, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_probabilities_stay_within_the_clip() -> None:
    mu = sbn.mean(tf.constant([[50.0, 1.0]]), tf.constant([[10.0, -10.0], [0.0, 0.0]]), 1e-3)
    np.testing.assert_allclose(0.5 + 0.5 * mu, [[0.999, 0.001]], rtol=1e-4)
    np.testing.assert_allclose(sbn.variance(mu), 0.001 * 0.999, rtol=1e-3)


def test_initial_weights_are_truncated_glorot_normal() -> None:
    W = initial([400, 300], 0).p[0].numpy()
    deviation = np.sqrt(2 / 700)
    assert W[:-1].std() == pytest.approx(deviation, rel=0.02)
    assert np.abs(W[:-1]).max() < 2 * deviation / 0.8796
    assert (W[-1] == np.float32(0.1)).all()


def test_files_hold_what_the_readme_says(tmp_path: Path) -> None:
    params = initial([6, 4, 3], 1)
    arrays = to_arrays(params)
    shapes = {name: a.shape for name, a in arrays.items()}
    assert shapes == {
        "prior_b": (3,),
        "p_W0": (4, 6), "p_b0": (6,), "p_W1": (3, 4), "p_b1": (4,),
        "q_W0": (6, 4), "q_b0": (4,), "q_W1": (4, 3), "q_b1": (3,),
    }  # fmt: skip
    np.savez(tmp_path / "m.npz", **arrays)
    for a, b in zip(params.p + params.q, read(tmp_path / "m.npz").p + params.q, strict=True):
        np.testing.assert_array_equal(a, b)
    h = np.random.default_rng(0).choice([-1.0, 1.0], (1, 4)).astype(np.float32)
    expected = sigmoid(h @ arrays["p_W0"] + arrays["p_b0"])
    np.testing.assert_allclose(
        0.5 + 0.5 * sbn.mean(sbn.augment(tf.constant(h)), params.p[0], 1e-6), expected, rtol=1e-5
    )


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with pytest.raises(NwsError, match="cannot be read: No such file"):
        read(path)
    path.write_bytes(b"PK nonsense")
    with pytest.raises(NwsError, match="is not a readable"):
        read(path)
    arrays = to_arrays(initial([6, 4, 3], 1))
    np.savez(path, **{k: v for k, v in arrays.items() if k != "q_b1"})
    with pytest.raises(NwsError, match="q_b1"):
        read(path)
    np.savez(path, **{**arrays, "q_W0": np.zeros((5, 4), np.float32)})
    with pytest.raises(NwsError, match="layer 0"):
        read(path)
    np.savez(path, **{**arrays, "p_W0": np.array([{"a": 1}])})
    with pytest.raises(NwsError, match="p_W0: holds Python objects"):
        read(path)


@pytest.mark.parametrize("lost", [("p_W1", "p_b1"), ("p_W1",), ("q_W1",), ("p_b1", "q_W1", "q_b1")])
def test_a_model_without_its_top_is_no_smaller_model(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """Where the upper layers are of one size, the rest fits together."""
    held = to_arrays(initial([4, 3, 3], 1))
    np.savez(tmp_path / "m.npz", **{k: v for k, v in held.items() if k not in lost})
    with pytest.raises(NwsError, match=f"lacks the array {', '.join(lost)};"):
        read(tmp_path / "m.npz")


@pytest.mark.parametrize("extra", ["p_W_ema", "p_W0_old", "p_Wmask", "q_W9_", "p_W" + "9" * 5000])
def test_arrays_of_other_names_are_left_alone(tmp_path: Path, extra: str) -> None:
    held = to_arrays(initial([4, 3, 2], 1))
    np.savez(tmp_path / "m.npz", **held, **{extra: held["p_W0"]})
    for name, array in to_arrays(read(tmp_path / "m.npz")).items():
        np.testing.assert_array_equal(array, held[name])


def test_few_of_the_missing_arrays_are_told(tmp_path: Path) -> None:
    held = to_arrays(initial([4, 3, 2], 1))
    np.savez(tmp_path / "m.npz", **held, p_W999999999=held["p_W0"])
    with pytest.raises(NwsError, match=r"lacks the array p_W2, p_b2, q_W2, q_b2; it holds"):
        read(tmp_path / "m.npz")


def test_small_initial_weights() -> None:
    """Uniform within ±√(6/(in + out))/in, biases as asked: mean 0, deviation bound/√3."""
    params = initial([300, 200], 0, -1.0, "small")
    for M, fan_in in ((params.p[0], 200), (params.q[0], 300)):
        W, bound = M.numpy()[:-1], np.sqrt(6 / 500) / fan_in
        assert np.abs(W).max() <= bound
        assert W.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)
        assert abs(W.mean()) < 5 * bound / np.sqrt(3 * W.size)
        assert (M.numpy()[-1] == -1).all()
