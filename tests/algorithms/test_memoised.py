"""Memoised wake-sleep against brute force, and its gradients against enumeration."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from machines import all_hidden, joint, posterior_proposal, random_model

from nws.algorithms.base import Options
from nws.algorithms.memoised import Memory, _pack, _unpack, empty, memoised
from nws.algorithms.reweighted import reweighted
from nws.evaluation import exact
from nws.models.helmholtz import Coding, recognise
from nws.models.parameters import from_arrays
from nws.models.random import Key

LAYERS, PLACES, IMAGES = [4, 3, 2], 3, 6
MODEL = random_model(LAYERS, 1, scale=0.8)
X = exact.states(4)[[1, 5, 6, 9, 12, 15]]
OPTIONS = Options(samples=4, scale=0.5, coding=Coding("pm1", 1e-6))

State = tuple[float, ...]


def log_joint(x: np.ndarray, state: State) -> float:
    return float(np.log(joint(MODEL, x, np.split(np.array([state]), [3], axis=1))[0]))


def remembered(memory: Memory, image: int) -> list[State]:
    states = _unpack(memory.states, 5)[image].numpy()
    return [tuple(s) for s, k in zip(states, memory.known[image].numpy(), strict=True) if k]


def test_bits_come_back() -> None:
    units = tf.constant(np.random.default_rng(0).choice([-1.0, 1.0], (3, 5, 70)), tf.float32)
    packed = _pack(units)
    assert packed.shape == (3, 5, 3)
    np.testing.assert_array_equal(_unpack(packed, 70), units)


def test_the_memory_is_that_of_a_plain_loop() -> None:
    """Union with what q proposes, the best M distinct ones; other images' places are left alone."""
    params, memory = from_arrays(MODEL), empty(IMAGES, PLACES, 5)
    plain: list[list[State]] = [[] for _ in range(IMAGES)]
    order = np.random.default_rng(0)
    for step in range(8):
        rows = order.permutation(IMAGES)[:3]
        x, key = tf.constant(X[rows], tf.float32), Key(0, step)
        drawn = recognise(params, x, OPTIONS.samples, key, OPTIONS.coding)
        states = np.concatenate([h.numpy() for h in drawn.h[1:]], axis=1).reshape(4, 3, 5)
        for b, image in enumerate(rows):
            union = {*plain[image], *(tuple(s) for s in states[:, b])}
            ranked = sorted(union, key=lambda s: -log_joint(X[image], s))
            plain[image] = ranked[:PLACES]
        memory = memoised(params, x, key, OPTIONS, memory, tf.constant(rows)).memory
        for image in range(IMAGES):
            assert remembered(memory, image) == plain[image]


def test_with_room_for_all_states_p_climbs_the_likelihood() -> None:
    """A memory of every state weighs by the posterior: p-wake is ∇ log p(x) exactly."""
    states = np.concatenate(all_hidden(LAYERS), axis=1)
    packed = _pack(tf.constant(np.tile(states, (IMAGES, 1, 1)), tf.float32))
    full = Memory(packed, tf.ones(packed.shape[:2], tf.bool))
    x, rows = tf.constant(X, tf.float32), tf.range(IMAGES)
    step = memoised(from_arrays(MODEL), x, Key(0, 0), OPTIONS, full, rows)
    for image in range(IMAGES):
        assert set(remembered(step.memory, image)) == set(map(tuple, states))
    for name, found in (("p_b1", step.gradients.p[1][-1]), ("prior_b", step.gradients.prior)):
        for unit in range(len(MODEL[name])):
            ends = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in MODEL.items()}
                moved[name][unit] += sign * 1e-5
                ends.append(exact.log_likelihood(moved, X).mean())
            assert float(found[unit]) == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=2e-5)


def test_q_follows_the_weighted_memory_and_its_dreams() -> None:
    """The wake part of q: ∇ Σ_h w log q(h|x), w ∝ p(x, h) over the memory, by differences."""
    params, rows = from_arrays(MODEL), tf.range(IMAGES)
    x, awake = tf.constant(X, tf.float32), OPTIONS._replace(q_wake=1.0)
    step = memoised(params, x, Key(0, 3), awake, empty(IMAGES, PLACES, 5), rows)
    kept = [remembered(step.memory, image) for image in range(IMAGES)]

    def objective(model: dict[str, np.ndarray]) -> float:
        total = 0.0
        for image, states in enumerate(kept):
            w = np.exp([log_joint(X[image], s) for s in states])
            q = posterior_proposal(model, X[image], np.split(np.array(states), [3], axis=1))
            total += float(w / w.sum() @ np.log(q)) / IMAGES
        return total

    for unit in range(2):
        ends = []
        for sign in (1, -1):
            moved = {k: v.copy() for k, v in MODEL.items()}
            moved["q_b1"][unit] += sign * 1e-5
            ends.append(objective(moved))
        slope = (ends[0] - ends[1]) / 2e-5
        assert float(step.gradients.q[1][-1, unit]) == pytest.approx(slope, abs=2e-5)


def test_q_learns_awake_and_asleep_in_its_shares() -> None:
    """Asleep it is RWS's q-sleep of the same dreams; both are weighed by what the options say."""
    params, rows, x = from_arrays(MODEL), tf.range(IMAGES), tf.constant(X, tf.float32)

    def q(algorithm, awake: float, asleep: float) -> np.ndarray:  # type: ignore[no-untyped-def]
        options = OPTIONS._replace(q_wake=awake, q_sleep=asleep)
        gradients = algorithm(params, x, Key(0, 3), options).gradients.q
        return np.concatenate([g.numpy().ravel() for g in gradients])

    remembering = partial(memoised, memory=empty(IMAGES, PLACES, 5), rows=rows)
    asleep = q(remembering, 0.0, 1.0)
    np.testing.assert_allclose(asleep, q(reweighted, 0.0, 1.0), atol=1e-6)
    expected = 0.3 * q(remembering, 1.0, 0.0) + 0.6 * asleep
    np.testing.assert_allclose(q(remembering, 0.3, 0.6), expected, atol=1e-6)
