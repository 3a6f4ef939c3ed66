"""Runs end with the same bits however they were cut; what a run is made of, and its history."""

import csv
import io
import random
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tiny
from hypothesis import given
from hypothesis import strategies as st
from tiny import CHEAP, IMAGES, assert_same, bits, compiled, eager_checkpoints, kill, name, train

from nws.data import patterns
from nws.evaluation import exact
from nws.models.parameters import Parameters, to_arrays
from nws.training.history import COLUMNS, Row, to_csv
from nws.training.program import Program
from nws.training.run import Outcome, Work, fit

LINEAR, EXPONENTIAL = {"kind": "linear", "end": 0.1}, {"kind": "exponential", "end": 0.2}
# Every algorithm; every solver with a fresh and a stale metric; the rest spread over them.
CASES: list[dict[str, Any]] = [
    {"algorithm": "ws"},
    {"algorithm": "ws", "optimizer": "adam", "coding": "01", "stochastic": True},
    {"algorithm": "rws", "stochastic": True, "learning_rate_schedule": LINEAR},
    {"algorithm": "rws", "optimizer": "adam", "gradient_convention": "canonical"},
    {"algorithm": "nws", "solver": "cholesky", "refresh": 1, "stochastic": True},
    {"algorithm": "nws", "solver": "woodbury", "refresh": 3, "optimizer": "adam"},
    {"algorithm": "nws", "solver": "cg", "refresh": 3, "coding": "01"},
    {"algorithm": "nws", "solver": "auto", "refresh": 1, "damping_schedule": EXPONENTIAL},
    {"algorithm": "nrws", "solver": "cholesky", "refresh": 3, "damping_schedule": LINEAR},
    {"algorithm": "nrws", "solver": "woodbury", "refresh": 1, "coding": "01"},
    {"algorithm": "nrws", "solver": "cg", "refresh": 1, "optimizer": "adam", "stochastic": True},
    {"algorithm": "nrws", "solver": "auto", "refresh": 3, "stochastic": True},
    {"algorithm": "nrws", "solver": "shared", "refresh": 3, "unit_damping": 0.5},
    {"algorithm": "nws", "solver": "shared", "refresh": 1},
    {"algorithm": "nrws", "solver": "cg", "refresh": 3, "learning_rate_schedule": EXPONENTIAL},
    {"algorithm": "rws", "optimizer": "momentum", "averaging": {"kind": "tail"}, "activity": True},
    {"algorithm": "nrws", "averaging": {"kind": "exponential", "start": 0.3}, "unit_damping": 1},
    {"algorithm": "nrws", "refresh": 3, "optimizer": "nesterov"},
    {"algorithm": "nws", "unit_damping": 1, "refresh": 3, "freeze": "p"},
    {"algorithm": "nrws", "solver": "shared", "refresh": 3, "weight_decay": 0.01},
    {"algorithm": "mws", "memory": 4},
    {"algorithm": "nmws", "memory": 3, "refresh": 3, "stochastic": True},
    {"algorithm": "bihm", "optimizer": "momentum"},
    {"algorithm": "rws", "samples_later": {"after": 1, "samples": 5}, "optimizer": "adam"},
    {"algorithm": "nrws", "solver": "shared", "refresh": 3, "samples_later": {"after": 2}},
    {"algorithm": "nbihm", "refresh": 3, "optimizer": "momentum", "stochastic": True},
]


CACHE: dict[str, tuple[Program, Any, Outcome]] = {}


def unbroken(case: dict[str, Any]) -> tuple[Program, Any, Outcome]:
    """The program of a row of the table, its settings, and its run without a break."""
    if name(case) not in CACHE:
        program, config = compiled(case)
        CACHE[name(case)] = program, config, train(program, config)
    return CACHE[name(case)]


def test_samples_of_the_validation_change_its_loss_alone() -> None:
    """More of them raise the bound; as many as S give the bits of a run that does not say."""
    case = {"algorithm": "rws"}
    _, config, whole = unbroken(case)
    same = train(*compiled({**case, "validation_samples": config.samples}))
    assert_same(same, whole)
    more = train(*compiled({**case, "validation_samples": 200}))
    assert bits(more.params) == bits(whole.params)
    fewer, losses = ([row.valid_loss for row in o.progress.rows] for o in (whole, more))
    assert all(b < a for a, b in zip(fewer, losses, strict=True))


# The same bits


@pytest.mark.parametrize("case", CASES, ids=name)
def test_interrupted_twice_and_resumed_gives_the_same_bits(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unbroken run goes by epochs, the others step by step: their length is no matter."""
    program, config, whole = unbroken(case)
    eager_checkpoints(monkeypatch)
    work, chance = Work(tmp_path, {"seed": 0}), random.Random(name(case))
    kill(program, config, work, chance.randint(1, 7))
    kill(program, config, work, chance.randint(1, 7))
    resumed = train(program, config, work)
    assert resumed.progress.resumed == 2
    assert whole.status == "finished"
    assert_same(resumed, whole)


@pytest.mark.parametrize("case", [CASES[3], CASES[10], CASES[12]], ids=name)
def test_a_seed_fixes_a_run(case: dict[str, Any]) -> None:
    """Compiled anew, even; from the same first parameters, another seed ends elsewhere."""
    again, other = (train(*compiled(case, seed)) for seed in (0, 1))
    assert_same(unbroken(case)[2], again)
    assert bits(again.params) != bits(other.params)


def test_every_key_of_the_table_matters() -> None:
    """No two rows of the table are one run: what they vary reaches the training."""
    ends = [tuple(bits(unbroken(case)[2].params)) for case in CASES]
    assert len(set(ends)) == len(CASES)


@pytest.mark.parametrize("solver", ["cholesky", "cg"])
def test_k_0_is_k_1(solver: str) -> None:
    ends = [train(*compiled({"algorithm": "nrws", "solver": solver, "refresh": k})) for k in (0, 1)]
    assert_same(*ends)


def test_every_k_agrees_while_nothing_moves() -> None:
    case = {"algorithm": "nrws", "solver": "cholesky", "learning_rate": 0.0}
    ends = [train(*compiled({**case, "refresh": k})) for k in (1, 3, 50)]
    for end in ends[1:]:
        assert_same(end, ends[0])
    assert bits(ends[0].params) == bits(tiny.start(CHEAP))


# What a run reports


def test_losses_are_the_bounds_of_the_model() -> None:
    """With many samples they are -log p(x), which enumeration gives; nothing moves."""
    config = tiny.settings(samples=1000, learning_rate=0.0, batch=18, epochs=1)
    params = tf.nest.map_structure(lambda w: 0.3 * w, tiny.start(config))  # q near the posterior
    row = fit(tiny.program(config), params, config, "tiny").progress.rows[0]
    log_p = exact.log_likelihood(to_arrays(params), 2.0 * IMAGES - 1, config.clip)
    assert row.train_loss == pytest.approx(-log_p.mean(), abs=0.005)
    assert row.valid_loss == pytest.approx(-log_p[:36].mean(), abs=0.005)


@pytest.mark.parametrize("algorithm", ["ws", "rws", "nws", "nrws"])
def test_training_lowers_the_loss(algorithm: str) -> None:
    config = tiny.settings(algorithm=algorithm, epochs=40, samples=5)
    rows = train(tiny.program(config), config).progress.rows
    assert rows[-1].valid_loss < rows[0].valid_loss - 1.0
    assert rows[-1].train_loss == pytest.approx(rows[-1].valid_loss, abs=0.3)


def test_rows_of_the_history() -> None:
    plain, natural = (unbroken(CASES[i])[2].progress.rows for i in (0, 6))
    for rows in (natural, plain):
        assert [(row.epoch, row.step) for row in rows] == [(1, 5), (2, 10), (3, 15)]
        assert 0 < rows[0].seconds < rows[1].seconds < rows[2].seconds
    assert all(0 < row.residual <= 0.01 and row.iterations > 1 for row in natural)
    assert {(row.residual, row.iterations, row.exact_kl) for row in plain} == {(None, None, None)}


def test_exact_kl_of_every_epoch(program: Program) -> None:
    grid, probabilities = patterns.patterns()
    seen = []

    def kl(params: Parameters) -> float:
        seen.append(exact.kl(to_arrays(params), 2.0 * grid - 1, probabilities))
        return seen[-1]

    end = train(program, CHEAP, exact_kl=kl)
    assert [row.exact_kl for row in end.progress.rows] == seen
    assert seen[-1] == exact.kl(to_arrays(end.params), 2.0 * grid - 1, probabilities)


floats = st.floats(allow_nan=False)
row_values = st.builds(
    Row,
    st.integers(1, 10**6),
    st.integers(1, 10**9),
    floats,
    floats,
    floats,
    *[st.none() | floats] * 6,
    st.just((0.5, 0.25)),
)


@given(st.lists(row_values))
def test_a_history_reads_back_equal(rows: list[Row]) -> None:
    head, *lines = csv.reader(io.StringIO(to_csv(rows)))
    assert head == [*COLUMNS, *(["active_1", "active_2"] if rows else [])]
    found = [[None if not text else float(text) for text in line] for line in lines]
    assert [Row(*line[:-2], tuple(line[-2:])) for line in found] == rows  # type: ignore[arg-type]


def test_a_history_without_active_units_has_no_columns_for_them() -> None:
    assert to_csv([Row(1, 5, 2.0, 3.0, 4.0)]).splitlines()[0] == ",".join(COLUMNS)
