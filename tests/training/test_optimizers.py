"""Optimizers are those of Keras; schedules end where they should."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import CHEAP, train

from nws.training.optimizers import Optimizer, adam, momentum, sgd
from nws.training.program import Program
from nws.training.schedules import schedule


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (sgd(), keras.optimizers.SGD(0.1)),
        (momentum(0.8), keras.optimizers.SGD(0.1, 0.8)),
        (momentum(0.8, nesterov=True), keras.optimizers.SGD(0.1, 0.8, nesterov=True)),
        (adam(), keras.optimizers.Adam(0.1, 0.9, 0.999, 1e-8)),
        (adam(0.5, 0.9, 1e-3), keras.optimizers.Adam(0.1, 0.5, 0.9, 1e-3)),
    ],
    ids=["sgd", "momentum", "nesterov", "adam", "other adam"],
)
def test_optimizers_are_those_of_keras(ours: Optimizer, theirs: Any) -> None:
    rng = np.random.default_rng(0)
    params = [tf.constant(rng.normal(size=shape), tf.float32) for shape in ((3, 4), (4,))]
    variables = [tf.Variable(w) for w in params]
    state = ours.init(params)
    for _ in range(6):
        uphill = [tf.constant(rng.normal(size=w.shape), tf.float32) for w in params]
        params, state = ours.update(uphill, state, params, tf.constant(0.1))
        theirs.apply_gradients([(-g, v) for g, v in zip(uphill, variables, strict=True)])
    for w, v in zip(params, variables, strict=True):
        np.testing.assert_allclose(w, v.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("constant", [2.0, 2.0, 2.0, 2.0, 2.0]),
        ("linear", [2.0, 1.55, 1.1, 0.2, 0.2]),
        ("exponential", [2.0, 2.0 * 0.1**0.25, 2.0 * 0.1**0.5, 0.2, 0.2]),
        ("inverse", [2.0, 2.0 / 3.25, 2.0 / 5.5, 0.2, 0.2]),
    ],
)
def test_schedules(kind: str, expected: list[float]) -> None:
    value = schedule(kind, 2.0, 0.1, 100)
    found = [float(value(tf.constant(step))) for step in (0, 25, 50, 100, 150)]
    assert found == pytest.approx(expected, rel=1e-6)


def test_schedules_reach_their_end_with_the_last_epoch(program: Program) -> None:
    """A rate that falls to next to nothing by half of the training moves less than a constant."""
    falling = {"learning_rate_schedule": {"kind": "exponential", "end": 1e-6}}
    config = tiny.settings(epochs=6, learning_rate=0.05, **falling)
    rows = train(tiny.program(config), config).params, train(tiny.program(config), CHEAP).params
    moved = [np.abs(a - b).max() for a, b in zip(*(map(np.array, p.q) for p in rows), strict=True)]
    assert max(moved) < 0.05 * 0.01 * 15 * 3
