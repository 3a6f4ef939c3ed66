"""Kills and torn files, in real processes: nothing is lost, and the bits are the same."""

import json
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import tiny
from tiny_job import CONFIG, LONG, RUN, Child, leftovers, told, train

from nws.evaluation.jobs import evaluate
from nws.files import manifest
from nws.reporting.results import MISSING, STALE, Results
from nws.training import jobs


def test_a_finished_run_whose_job_is_stopped_later_is_not_trained_again(
    tmp_path: Path, unbroken: tuple[bytes, str]
) -> None:
    """Runs share jobs, and Snakemake deletes all results of a job that is stopped."""
    run = tiny.prepare(CONFIG, tmp_path)
    jobs.train(CONFIG, run, 0, tmp_path)
    before = told(tmp_path)
    shutil.rmtree(tmp_path / "runs")
    assert train(tmp_path) == unbroken
    after = told(tmp_path)
    assert (after["resumed"], after["seconds"]) == (1, before["seconds"])  # not a step was done
    assert not leftovers(tmp_path)


# Processes


def kill_at(root: Path, step: int) -> None:
    """Start, or go on, and kill -9 once a checkpoint at or after ``step`` is there."""
    child = Child(root, LONG)
    child.wait_for(lambda: child.step() >= step)
    status, said = child.end(signal.SIGKILL)
    assert status == -signal.SIGKILL, said
    assert child.step() >= step


def test_kill_9_in_mid_epoch(tmp_path: Path, unbroken_long: tuple[bytes, str]) -> None:
    kill_at(tmp_path, random.Random().randint(20, 300))
    assert not (tmp_path / "runs").exists()
    assert train(tmp_path, LONG) == unbroken_long
    assert told(tmp_path)["resumed"] == 1
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_a_loop_of_random_kills(tmp_path: Path, unbroken_long: tuple[bytes, str]) -> None:
    for start in (20, 120, 220, 320):
        kill_at(tmp_path, random.Random().randint(start, start + 80))
    assert train(tmp_path, LONG) == unbroken_long
    assert told(tmp_path)["resumed"] == 4
    assert leftovers(tmp_path) == []


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_in_time(tmp_path: Path) -> None:
    """With the clocks users have: stretches of 5 s, a checkpoint every 20 s."""
    config = tiny.resolve(epochs=10, count=18_000, algorithm="ws")
    expected = train(tmp_path / "unbroken", config)
    child = Child(tmp_path / "broken", config, "--patient")
    child.wait_for((tmp_path / "broken" / "work" / RUN / "history.csv").is_file)
    assert child.step() == 0
    began = time.monotonic()
    status, said = child.end(signal.SIGTERM)
    assert time.monotonic() - began < 30
    assert status == 75, said
    assert "nws: stopped by signal 15; the same command goes on" in said
    assert "Traceback" not in said
    assert child.step() > 0
    assert not (tmp_path / "broken" / "runs").exists()
    assert train(tmp_path / "broken", config) == expected
    assert told(tmp_path / "broken")["resumed"] == 1


# What a process that was killed may leave


def broken(root: Path, monkeypatch: pytest.MonkeyPatch, stretches: int, eager: bool = True) -> None:
    """Train, and die after so many stretches of steps."""
    with monkeypatch.context() as patch:
        if eager:
            tiny.eager_checkpoints(patch)
        compile_run = jobs.compile_run
        patch.setattr(
            jobs, "compile_run", lambda *args: tiny.killed_after(compile_run(*args), stretches)
        )
        with pytest.raises(tiny.Killed):
            train(root)


def test_kill_9_while_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str]
) -> None:
    """A part of the next one under its temporary name; and, from a disk that reorders writes, the
    newest one cut short."""
    broken(tmp_path, monkeypatch, 8)
    work = tmp_path / "work" / RUN
    newest, older = sorted(work.glob("step*.npz"), reverse=True)
    whole = newest.read_bytes()
    (work / f".step0000000009.npz.{'a' * 32}.tmp").write_bytes(whole[:1000])
    newest.write_bytes(whole[: len(whole) // 2])
    assert older.stat().st_size > newest.stat().st_size
    assert train(tmp_path) == unbroken
    assert told(tmp_path)["resumed"] == 1
    assert leftovers(tmp_path) == []


def dies_before(file: Path, patch: pytest.MonkeyPatch) -> None:
    """Kill what writes a file, in the place of doing it."""
    replace = Path.replace

    def dies(self: Path, target: Path) -> Path:
        if target == file:
            raise tiny.Killed
        return replace(self, target)

    patch.setattr(Path, "replace", dies)


@pytest.mark.parametrize("file", ["history.csv", "model.npz", "training.json", "manifest.json"])
def test_kill_9_while_the_results_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str], file: str
) -> None:
    """Before each of the files: the next run goes on from the last checkpoint and writes all."""
    with monkeypatch.context() as patch:
        tiny.eager_checkpoints(patch)
        dies_before(tmp_path / "runs" / RUN / file, patch)
        with pytest.raises(tiny.Killed):
            train(tmp_path)
    assert train(tmp_path) == unbroken
    assert told(tmp_path)["resumed"] == 1
    assert manifest.check(tmp_path / "runs" / RUN) == []


@pytest.mark.parametrize("file", ["model.npz", "training.json", "manifest.json"])
def test_kill_9_while_the_results_of_other_settings_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """What says that the numbers are of the earlier settings goes before they do."""
    train(tmp_path)
    dies_before(tmp_path / "runs" / RUN / file, monkeypatch)
    with pytest.raises(tiny.Killed):
        train(tmp_path, tiny.resolve(learning_rate=0.01))
    (entry,) = Results(tmp_path, CONFIG).entries("tiny")
    assert entry.status in (MISSING, STALE)


@pytest.mark.parametrize("torn", ["epoch,step,seco", "epoch,step\n1,5\n1,5\n2,", "\x00\xff"])
def test_torn_and_duplicated_history_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str], torn: str
) -> None:
    """Rows are those of the checkpoint; the file of a run under way is never read."""
    broken(tmp_path, monkeypatch, 7)
    (tmp_path / "work" / RUN / "history.csv").write_text(torn)
    assert train(tmp_path) == unbroken


def test_a_checkpoint_of_other_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Changed in the configuration between two starts: refused by name, and a run from the start
    is what comes out."""
    broken(tmp_path, monkeypatch, 8)
    other = tiny.resolve(epochs=3, learning_rate=0.01)
    found = train(tmp_path, other)
    said = capsys.readouterr().err
    assert "it belongs to another run: learning_rate: 0.05 → 0.01; starting anew" in said
    assert told(tmp_path)["resumed"] == 0
    assert found == train(tmp_path / "fresh", other)


def test_a_checkpoint_of_another_compilation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same settings on a machine that has a GPU, or no more: rounding would differ."""
    broken(tmp_path, monkeypatch, 8)
    monkeypatch.setattr(jobs, "compilation", lambda asked: {"auto": "xla"}[asked])
    train(tmp_path)
    assert "it belongs to another run: compile: graph → xla; starting anew" in (
        capsys.readouterr().err
    )
    assert (told(tmp_path)["resumed"], told(tmp_path)["compile"]) == (0, "xla")


def test_a_checkpoint_of_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(tmp_path, monkeypatch, 8)
    monkeypatch.setattr(jobs, "source_hash", lambda of: f"other {of}")
    train(tmp_path)
    assert "it belongs to another run: code: " in capsys.readouterr().err
    assert (told(tmp_path)["resumed"], told(tmp_path)["code"]) == (0, "other training")


def test_how_a_run_is_scored_is_no_matter_to_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str]
) -> None:
    broken(tmp_path, monkeypatch, 8)
    other = tiny.resolve(epochs=3, likelihood_samples=7, likelihood_images=5)
    assert train(tmp_path, other) == unbroken
    assert told(tmp_path)["resumed"] == 1


def test_a_checkpoint_of_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(tmp_path, monkeypatch, 8)
    other = tiny.resolve(epochs=3, count=108)
    found = train(tmp_path, other)
    assert "it belongs to another run: data: " in capsys.readouterr().err
    assert found == train(tmp_path / "fresh", other)


# Divergence


def test_a_run_that_diverges_is_a_result(tmp_path: Path) -> None:
    config = tiny.resolve(algorithm="rws", learning_rate=3e38, exact=True)
    _, history = train(tmp_path, config)
    assert history.splitlines()[-1].split(",")[3] == "nan"
    about = told(tmp_path)
    assert about["status"] == "diverged"
    assert "finite" in about["reason"]
    assert "NaN" not in json.dumps(about)
    evaluate(config, tiny.prepare(config, tmp_path), 0, tmp_path)
    metrics = json.loads((tmp_path / "runs" / RUN / "metrics.json").read_text())
    assert metrics["status"] == "diverged"
    assert metrics["exact"]["kl"] > 0
