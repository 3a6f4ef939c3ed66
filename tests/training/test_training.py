"""Runs end with the same bits however they were cut; divergence, convergence, checkpoints."""

import csv
import io
import json
import random
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from hypothesis import given
from hypothesis import strategies as st
from tiny import IMAGES, assert_same, bits, eager_checkpoints, kill, killed_after, timeless, train

from nws.data import patterns
from nws.errors import Interrupted, OutOfMemory
from nws.evaluation import exact
from nws.models.parameters import Parameters, to_arrays
from nws.training import checkpoint
from nws.training import run as training
from nws.training.checkpoint import Progress
from nws.training.history import COLUMNS, Row, to_csv
from nws.training.loop import Program
from nws.training.optimizers import Optimizer, adam, momentum, sgd
from nws.training.run import Outcome, Work, fit
from nws.training.schedules import schedule

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
    {"algorithm": "nrws", "solver": "cg", "refresh": 3, "learning_rate_schedule": EXPONENTIAL},
    {"algorithm": "rws", "optimizer": "momentum", "averaging": {"kind": "tail"}, "activity": True},
    {"algorithm": "nrws", "averaging": {"kind": "exponential", "start": 0.3}, "unit_damping": 1},
    {"algorithm": "nrws", "refresh": 3, "optimizer": "nesterov"},
    {"algorithm": "nws", "unit_damping": 1, "refresh": 3, "freeze": "p"},
    {"algorithm": "bihm", "optimizer": "momentum"},
    {"algorithm": "nbihm", "refresh": 3, "optimizer": "momentum", "stochastic": True},
]
CHEAP = tiny.settings()


def name(case: dict[str, Any]) -> str:
    return "-".join(str(v["kind"] if isinstance(v, dict) else v) for v in case.values())


def compiled(case: dict[str, Any], seed: int = 0) -> tuple[Program, Any]:
    case = {"learning_rate": 0.02, **case}
    stochastic = case.pop("stochastic", False)
    config = tiny.settings(**case)
    return tiny.program(config, seed, stochastic), config


CACHE: dict[str, tuple[Program, Any, Outcome]] = {}


def unbroken(case: dict[str, Any]) -> tuple[Program, Any, Outcome]:
    """The program of a row of the table, its settings, and its run without a break."""
    if name(case) not in CACHE:
        program, config = compiled(case)
        CACHE[name(case)] = program, config, train(program, config)
    return CACHE[name(case)]


@pytest.fixture(scope="module")
def program() -> Program:
    """A cheap one, for what does not depend on the algorithm."""
    return tiny.program(CHEAP)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    eager_checkpoints(monkeypatch)
    return Work(tmp_path / "work", {"learning_rate": 0.05, "seed": 0})


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


# Ends


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


# Checkpoints


def newest(work: Work, which: int = 0) -> Path:
    assert work.folder is not None
    return sorted(work.folder.glob("step*.npz"), reverse=True)[which]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """One bit of an array: elsewhere in the file it may harm nothing."""
    with zipfile.ZipFile(path) as file:
        end = file.infolist()[1].header_offset
    content = bytearray(path.read_bytes())
    content[end - 1] ^= 1
    path.write_bytes(content)


def garble(path: Path) -> None:
    path.write_bytes(b"\x80\x04not a checkpoint" * 50)


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGE = [truncate, flip, garble, empty]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_passed_over(program: Program, work: Work, damage: Any) -> None:
    kill(program, CHEAP, work, 8)
    damage(newest(work))
    told: list[str] = []
    end = train(program, CHEAP, work, told.append)
    assert "step0000000008.npz: not used" in told[0]
    assert "trying the checkpoint before it" in told[0]
    assert told[1] == "going on at epoch 2, step 2"
    assert_same(end, train(program, CHEAP))


def test_with_all_checkpoints_damaged_a_run_starts_anew_and_keeps_its_new_ones(
    program: Program, work: Work
) -> None:
    kill(program, CHEAP, work, 12)
    for which in range(2):
        truncate(newest(work, which))
    kill(program, CHEAP, work, 3)
    told: list[str] = []
    end = train(program, CHEAP, work, told.append)
    assert told == ["going on at epoch 1, step 3"]
    assert_same(end, train(program, CHEAP))


def test_two_checkpoints_are_kept(program: Program, work: Work) -> None:
    kill(program, CHEAP, work, 7)
    assert work.folder is not None
    assert sorted(p.name for p in work.folder.iterdir()) == [
        "step0000000006.npz",
        "step0000000007.npz",
    ]


def test_a_checkpoint_of_another_configuration_is_refused(program: Program, work: Work) -> None:
    kill(program, CHEAP, work._replace(fingerprint={"learning_rate": 0.1, "seed": 0}), 12)
    told: list[str] = []
    kill(program, CHEAP, work, 3)
    assert work.folder is not None
    assert len(list(work.folder.glob("*.refused"))) == 2
    end = train(program, CHEAP, work, told.append)
    assert told == ["going on at epoch 1, step 3"]
    assert_same(end, train(program, CHEAP))


def test_a_refusal_names_what_differs(program: Program, work: Work) -> None:
    kill(program, CHEAP, work, 1)
    told: list[str] = []
    other = {"learning_rate": 0.1, "seed": 0, "code": "abc"}
    end = train(program, CHEAP, work._replace(fingerprint=other), told.append)
    assert told == [
        "step0000000001.npz: not used, it belongs to another run: "
        "learning_rate: 0.05 → 0.1, code: nothing → abc; starting anew"
    ]
    assert end.progress.resumed == 0


STATE = (tf.constant([1.5, -2.0]), tf.constant(3), tf.zeros([0, 0]), tf.constant(True))
SAVED = Progress(
    2,
    3,
    4.5,
    1,
    (Row(1, 5, 2.0, 3.0, 4.0), Row(2, 10, 4.0, 2.0, 3.0, 0.1, 2.5, 0.7, 3.1, 2.0, 0.4, (0.5, 1.0))),
)


def restored(folder: Path, like: Any = STATE) -> tuple[Any, list[str]]:
    told: list[str] = []
    return checkpoint.restore(folder, like, {"seed": 0}, told.append), told


def test_a_checkpoint_reads_back_equal(tmp_path: Path) -> None:
    assert restored(tmp_path / "absent") == (None, [])
    checkpoint.save(tmp_path, 13, STATE, SAVED, {"seed": 0})
    (state, progress), told = restored(tmp_path)
    assert (progress, told) == (SAVED, [])
    for found, kept in zip(state, STATE, strict=True):
        assert found.dtype == kept.dtype
        np.testing.assert_array_equal(found, kept)


def test_any_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 13, STATE, SAVED, {"seed": 0})
    path = tmp_path / "step0000000013.npz"
    whole, noticed = path.read_bytes(), 0
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        found, told = restored(tmp_path)
        noticed += found is None
        assert (found is None) == bool(told)
        if found is not None:
            assert found[1] == SAVED
            for one, kept in zip(found[0], STATE, strict=True):
                np.testing.assert_array_equal(one, kept)
    assert noticed > len(whole) // 6


@pytest.mark.parametrize(
    "other",
    [
        (tf.zeros([3]), *STATE[1:]),
        (tf.zeros([2], tf.float64), *STATE[1:]),
        (*STATE, tf.zeros([])),
    ],
    ids=["shape", "type", "count"],
)
def test_a_state_of_another_shape_is_not_used(tmp_path: Path, other: Any) -> None:
    checkpoint.save(tmp_path, 13, STATE, SAVED, {"seed": 0})
    found, told = restored(tmp_path, other)
    assert found is None
    assert len(told) == 1


class Trap:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("member", ["about", "t0"])
def test_no_pickle_is_loaded(tmp_path: Path, member: str) -> None:
    about = {"fingerprint": {"seed": 0}, "progress": SAVED._asdict()}
    arrays = {f"t{i}": np.asarray(t) for i, t in enumerate(STATE)}
    arrays["about"] = np.array(json.dumps(about))
    arrays[member] = np.array([Trap(tmp_path / "sprung")], object)
    np.savez(tmp_path / "step0000000001.npz", **arrays)
    found, told = restored(tmp_path)
    assert found is None
    assert "Python objects" in told[0]
    assert not (tmp_path / "sprung").exists()


def test_killed_after_counts_stretches(program: Program, work: Work) -> None:
    """The tests above rest on it."""
    kill(program, CHEAP, work, 4)
    assert newest(work).name == "step0000000004.npz"
    assert train(killed_after(program, 99), CHEAP).status == "finished"


# Optimizers and schedules


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
