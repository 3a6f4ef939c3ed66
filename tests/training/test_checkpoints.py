"""Checkpoints: damaged, of something else, read back equal, and nothing that runs code."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import CHEAP, assert_same, kill, killed_after, train

from nws.files.npz import names
from nws.training import checkpoint
from nws.training import run as training
from nws.training.checkpoint import Progress
from nws.training.history import Row
from nws.training.program import Program
from nws.training.run import Work


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


def test_what_is_none_comes_back_as_the_start_has_it(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 13, (STATE[0] + 1.0, None, *STATE[2:]), SAVED, {"seed": 0})
    found, told = restored(tmp_path)
    assert found is not None
    assert told == []
    np.testing.assert_array_equal(found[0][0], STATE[0] + 1.0)
    assert found[0][1] is STATE[1]
    path = newest(Work(tmp_path))
    assert sorted(names(path, path.name)) == ["about", "t0", "t2", "t3"]


NATURAL = {"algorithm": "nrws", "refresh": 4, "solver": "cholesky"}


@pytest.mark.parametrize(("stretches", "fisher"), [(7, True), (8, False), (9, True), (10, True)])
def test_before_a_refresh_no_fisher_is_kept(work: Work, stretches: int, fisher: bool) -> None:
    program, config = tiny.compiled(NATURAL)
    kill(program, config, work, stretches)
    metric = len(tf.nest.flatten(program.init(tiny.start(config)).metric))
    path = newest(work)
    names_kept = len(names(path, path.name))
    kill(program, config, work, 4)  # as many steps later
    path = newest(work)
    assert len(names(path, path.name)) == names_kept
    assert metric > 2
    plain = len(tf.nest.flatten(tiny.compiled({})[0].init(tiny.start(CHEAP))))
    parameters = len(tf.nest.flatten(tiny.start(config)))
    assert names_kept == plain + parameters + 1 + (metric if fisher else 0)
    assert_same(train(program, config, work), train(program, config))


def test_a_checkpoint_waits_for_a_refresh(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 20 s, and up to 40 where that spares the Fisher: here a step takes nine."""
    program, config = tiny.compiled(NATURAL)
    clock = [0.0]
    monkeypatch.setattr(training, "SAVE_EVERY", 20.0)
    monkeypatch.setattr(training.time, "monotonic", lambda: clock[0])
    saved: list[int] = []
    monkeypatch.setattr(training.checkpoint, "save", lambda *args: saved.append(args[1]))

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        clock[0] += 9.0 * (stop - first)
        return program.advance(state, epoch, first, stop)

    train(program._replace(advance=advance), config, work)
    # Refreshes before steps 4, 8, 12; from 12 on none comes, and 15 is the end.
    assert saved == [4, 8, 12, 15]


def test_stretches_end_before_a_refresh_or_an_epochs_end() -> None:
    program, config = tiny.compiled(NATURAL)
    stops: list[tuple[int, int]] = []

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        if stop:
            stops.append((epoch, stop))
        return program.advance(state, epoch, first, stop)

    train(program._replace(advance=advance), config)
    after_the_first = [(0, 4), (0, 5), (1, 3), (1, 5), (2, 2), (2, 5)]  # of steps 4, 8 and 12
    assert stops == [(0, 1), *after_the_first]


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
