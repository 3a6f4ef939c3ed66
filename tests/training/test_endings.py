"""How a run ends: it diverges, converges, spends its budget, is told to stop, lacks memory."""

import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import CHEAP, assert_same, bits, compiled, kill, name, timeless, train

from nws.errors import Interrupted, OutOfMemory
from nws.models.parameters import to_arrays
from nws.training import run as training
from nws.training.program import Program
from nws.training.run import Work


@pytest.mark.parametrize(
    "case",
    [
        {"algorithm": "rws", "learning_rate": 3e38},
        {"algorithm": "rws", "optimizer": "adam", "learning_rate": 3e38},
        {"algorithm": "nrws", "solver": "cg", "learning_rate": 3e38},
        {"algorithm": "nrws", "solver": "cholesky", "learning_rate": 3e38},
        {"algorithm": "nws", "solver": "cholesky", "damping": 1e-35},  # the images are dependent
    ],
    ids=name,
)
def test_divergence_is_a_result(case: dict[str, Any]) -> None:
    program, config = compiled(case)
    end = train(program, config)
    assert end.status == "diverged"
    assert end.reason.startswith(f"epoch {len(end.progress.rows)}: ")
    assert np.isnan(end.progress.rows[-1].valid_loss)
    assert all(np.isfinite(array).all() for array in to_arrays(end.params).values())


def test_an_error_that_is_no_decomposition_is_no_divergence(program: Program) -> None:
    def broken(*args: Any) -> Any:
        return tf.raw_ops.GatherV2(params=[1.0], indices=[5], axis=0)

    with pytest.raises(tf.errors.InvalidArgumentError, match="indices"):
        train(program._replace(advance=broken), CHEAP)


@pytest.mark.parametrize("stretches", [5, 6, 7, 8])
def test_a_run_that_diverges_diverges_alike_when_resumed(
    program: Program, work: Work, stretches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken before, at and after the step that spoils the parameters: the model of the epoch
    before is left."""
    bad = tiny.poisoned(program, epoch=1, step=2)
    one_epoch = train(program, tiny.settings(epochs=1))
    with monkeypatch.context() as patch:
        patch.setattr(training, "STRETCH", 5.0)
        unbroken = train(bad, CHEAP)
    if stretches < 8:
        kill(bad, CHEAP, work, stretches)
    resumed = train(bad, CHEAP, work)
    assert_same(resumed, unbroken)
    assert unbroken.status == "diverged"
    assert bits(unbroken.params) == bits(one_epoch.params)
    assert [np.isnan(row.valid_loss) for row in unbroken.progress.rows] == [False, True]


def test_a_checkpoint_of_spoilt_parameters_still_leaves_finite_ones(
    program: Program, work: Work
) -> None:
    """The loss of the last step is finite, its update is not: only the next step notices."""

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        state = program.advance(state, epoch, first, stop)
        if (epoch, stop) != (1, 3):
            return state
        return state._replace(params=state.params._replace(prior=state.params.prior + np.inf))

    bad = program._replace(advance=advance)
    kill(bad, CHEAP, work, 8)
    end = train(bad, CHEAP, work)
    assert (end.status, end.progress.resumed) == ("diverged", 1)
    assert all(np.isfinite(array).all() for array in to_arrays(end.params).values())


def test_patience(program: Program) -> None:
    losses = [3.0, 2.0, 2.5, 2.1, 1.0]
    falling = program._replace(validate=lambda params, epoch: losses[epoch])
    end = train(falling, tiny.settings(epochs=5, patience=2))
    assert (end.status, end.reason) == ("converged", "no better for 2 epochs")
    assert [row.valid_loss for row in end.progress.rows] == losses[:4]
    assert train(falling, tiny.settings(epochs=5, patience=3)).status == "finished"
    level = program._replace(validate=lambda params, epoch: 2.0)  # as good is no better
    assert len(train(level, tiny.settings(epochs=5, patience=2)).progress.rows) == 3


def slow(program: Program, seconds: float) -> Program:
    """The same program with steps of so many seconds."""

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        time.sleep(seconds * (stop - first))
        return program.advance(state, epoch, first, stop)

    return program._replace(advance=advance)


def test_a_budget_ends_the_run_with_the_epoch_in_which_it_is_spent(program: Program) -> None:
    """Five steps an epoch, 20 ms each: 250 ms are spent in the third."""
    end = train(slow(program, 0.02), tiny.settings(epochs=50, budget=0.25))
    assert (end.status, end.reason) == ("finished", "its 0.25 s of training are spent")
    *before, last = (row.seconds for row in end.progress.rows)
    assert max(before) < 0.25 <= last
    whole = train(program, tiny.settings(epochs=50, budget=1e6))
    assert (len(whole.progress.rows), whole.reason) == (50, "")
    count = len(end.progress.rows)
    assert timeless(end.progress.rows) == timeless(whole.progress.rows[:count])


def test_a_budget_counts_what_was_spent_before_a_kill(
    program: Program, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.eager_checkpoints(monkeypatch)
    config = tiny.settings(epochs=50, budget=0.5)
    kill(slow(program, 0.02), config, work, 12)  # 240 ms, and two steps into the third epoch
    end = train(slow(program, 0.02), config, work)
    assert end.progress.resumed == 1
    assert 3 <= len(end.progress.rows) <= 5
    seconds = [row.seconds for row in end.progress.rows]
    assert max(seconds[:-1]) < 0.5 <= seconds[-1]
    again = train(program, config, work)  # killed before its job had ended: nothing is left to do
    assert again.progress.rows == end.progress.rows
    assert_same(again._replace(progress=end.progress), end)


def test_a_signal_leaves_a_checkpoint(program: Program, tmp_path: Path) -> None:
    """Long before a checkpoint is due."""

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        if (epoch, first) == (1, 0):
            signal.raise_signal(signal.SIGTERM)
        return program.advance(state, epoch, first, stop)

    work = Work(tmp_path, {"seed": 0})
    with pytest.raises(Interrupted, match="the same command goes on"):
        train(program._replace(advance=advance), CHEAP, work)
    resumed = train(program, CHEAP, work)
    assert resumed.progress.resumed == 1
    assert_same(resumed, train(program, CHEAP))


@pytest.mark.parametrize(("seconds", "most"), [(0.0, 1), (0.001, 1), (0.07, 3)])
def test_signals_are_looked_at_however_slow_the_steps(
    program: Program, monkeypatch: pytest.MonkeyPatch, seconds: float, most: int
) -> None:
    """Each step takes 20 ms: stretches last ``seconds``, or a step."""
    monkeypatch.setattr(training, "STRETCH", seconds)
    lengths = []

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        lengths.append(stop - first)
        time.sleep(0.02 * (stop - first))
        return program.advance(state, epoch, first, stop)

    train(program._replace(advance=advance), CHEAP)
    assert sum(lengths) == 15
    assert 1 <= max(lengths) <= most


def test_without_checkpoints_control_c_is_control_c(program: Program) -> None:
    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        signal.raise_signal(signal.SIGINT)
        return state

    with pytest.raises(KeyboardInterrupt):
        train(program._replace(advance=advance), CHEAP)


@pytest.mark.parametrize("where", ["advance", "validate"])
def test_out_of_memory_says_what_to_lower(program: Program, work: Work, where: str) -> None:
    def fails(*args: Any) -> Any:
        if args[1:] == (0, 0, 0):  # the call that compiles
            return args[0]
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nmore")

    with pytest.raises(OutOfMemory, match=r"out of memory at step \d+: OOM when .*; lower batch"):
        train(program._replace(**{where: fails}), CHEAP, work)
