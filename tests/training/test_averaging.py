"""Averages over steps against numpy, and what a run publishes of them."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import assert_same, bits, train

from nws.models.parameters import to_arrays
from nws.training import averaging
from nws.training.run import Outcome

TAIL = {"kind": "tail", "start": 0.4}
EXPONENTIAL = {"kind": "exponential", "decay": 0.8}


def averages(kind: str, decay: float, start: float, thetas: np.ndarray) -> list[float]:
    """Of θ after each step, by the recursion of the package."""
    weight = averaging.weight(kind, decay, start, len(thetas))
    average, found = [tf.constant(0.0)], []
    for step, theta in enumerate(thetas):
        average = averaging.update(average, [tf.constant(theta)], weight(tf.constant(step)))
        found.append(float(average[0]))
    return found


THETAS = np.random.default_rng(0).normal(size=60).astype(np.float32)


def test_a_tail_average_is_the_mean_from_its_start_on() -> None:
    found = averages("tail", 0.9995, 0.25, THETAS)
    assert found[:15] == pytest.approx(THETAS[:15].tolist())
    expected = [THETAS[15 : n + 1].mean() for n in range(15, 60)]
    assert found[15:] == pytest.approx(expected, abs=1e-6)


def test_an_exponential_average_forgets_at_its_decay() -> None:
    """Once it is as long as its decay asks, it is the textbook's."""
    found = averages("exponential", 0.8, 0.0, THETAS)
    assert found[0] == pytest.approx(THETAS[0])
    for n in range(45, 60):
        assert found[n] == pytest.approx(0.8 * found[n - 1] + 0.2 * THETAS[n], abs=1e-6)


@pytest.mark.parametrize("steps", [20, 200, 2000])
def test_an_exponential_average_is_never_longer_than_a_tenth_or_so(steps: int) -> None:
    """With decay 1 nothing else bounds it: the average of a line lags by t/11, at every length."""
    line = np.arange(steps, dtype=np.float32)
    (*_, last) = averages("exponential", 1.0, 0.0, line)
    assert line[-1] - last == pytest.approx(steps / 11, rel=0.02, abs=0.2)


def outcome(seed: int = 0, **changes: Any) -> Outcome:
    config = tiny.settings(**changes)
    return train(tiny.program(config, seed), config)


def last_steps(config: Any) -> list[np.ndarray]:
    """All parameters as one vector, after each step."""
    program = tiny.program(config)
    state, found = program.init(tiny.start(config)), []
    for epoch in range(config.epochs):
        for i in range(program.steps_per_epoch):
            state = program.advance(state, epoch, i, i + 1)
            found.append(np.concatenate([np.ravel(t) for t in tf.nest.flatten(state.params)]))
    return found


@pytest.mark.parametrize("algorithm", ["rws", "nrws"])
def test_a_run_publishes_the_average_and_trains_the_last(algorithm: str) -> None:
    plain = outcome(algorithm=algorithm)
    averaged = outcome(algorithm=algorithm, averaging=TAIL)
    steps = last_steps(tiny.settings(algorithm=algorithm))
    found = np.concatenate([np.ravel(t) for t in tf.nest.flatten(averaged.params)])
    np.testing.assert_allclose(found, np.mean(steps[6:], axis=0), atol=1e-6)  # 0.4 of 15
    for one, two in zip(plain.progress.rows, averaged.progress.rows, strict=True):
        assert (two.train_loss, two.valid_loss_last) == (one.train_loss, one.valid_loss)
        assert one.valid_loss_last is None
    assert averaged.progress.rows[-1].valid_loss != plain.progress.rows[-1].valid_loss


def test_the_loss_of_a_run_is_that_of_what_it_publishes() -> None:
    config = tiny.settings(averaging=EXPONENTIAL)
    program = tiny.program(config)
    end = train(program, config)
    assert end.progress.rows[-1].valid_loss == program.validate(end.params, config.epochs - 1)


def test_averaging_lowers_the_loss_of_a_rate_that_is_too_high() -> None:
    """What it is for: the noise floor."""
    end = outcome(learning_rate=2.0, epochs=200, averaging={"kind": "tail", "start": 0.5})
    last = np.mean([row.valid_loss_last for row in end.progress.rows[-50:]])
    assert end.progress.rows[-1].valid_loss < last - 0.1


@pytest.mark.parametrize("which", ["p", "q"])
def test_a_frozen_network_stands_still_and_the_other_learns(which: str) -> None:
    config = tiny.settings(freeze=which, averaging=EXPONENTIAL)
    first, end = (
        to_arrays(tiny.start(config)),
        to_arrays(train(tiny.program(config), config).params),
    )
    for name, array in first.items():
        frozen = name.startswith("prior") or name[0] == "p"
        assert (array == end[name]).all() == (frozen == (which == "p")), name


def test_without_averaging_nothing_is_kept() -> None:
    config = tiny.settings()
    assert tiny.program(config).init(tiny.start(config)).average == ()
    assert_same(outcome(), outcome(averaging={"kind": "none", "decay": 0.5}))
    assert bits(outcome().params) != bits(outcome(averaging=EXPONENTIAL).params)
