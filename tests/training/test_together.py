"""Runs side by side in one job: each has the bits that it has alone, however the job ends."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tiny
from tiny_job import Child, leftovers

from nws import config as configuration
from nws.cli import work
from nws.cli.asked import seeded, with_threads
from nws.config import Config, Run
from nws.errors import NwsError, OutOfMemory
from nws.training import jobs
from nws.training.together import train_all

# Two share a program, one has another, and one diverges.
RUNS: dict[str, dict[str, Any]] = {
    "one": {},
    "slow": {"learning_rate": 0.002},
    "plain": {"algorithm": "rws"},
    "diverges": {"learning_rate": 3e38},
}
Results = dict[str, tuple[bytes, list[list[str]]]]


def resolve(epochs: int = 3) -> Config:
    document = tiny.resolve(epochs, algorithm="nrws", refresh=3).model_dump()
    document["experiments"]["tiny"]["runs"] = RUNS
    return configuration.resolve(document)


CONFIG, LONG = resolve(), resolve(120)


def cells(config: Config, root: Path) -> list[tuple[Run, int]]:
    tiny.prepare(config, root)
    return [(run, 0) for run in configuration.runs(config)]


def results(root: Path) -> Results:
    """Of each run the bytes of the model, and the history without its seconds."""
    found: Results = {}
    for name in RUNS:
        folder = root / "runs" / "tiny" / name / "seed0"
        lines = (folder / "history.csv").read_text().splitlines()
        rows = [line.split(",")[:2] + line.split(",")[3:] for line in lines]
        found[name] = (folder / "model.npz").read_bytes(), rows
    return found


def alone(config: Config, root: Path) -> Results:
    """Each run trained by itself, with a program of its own."""
    for run, seed in cells(config, root):
        jobs.train(config, run, seed, root)
    return results(root)


def told(root: Path, name: str) -> dict[str, Any]:
    """What a run says of itself."""
    path = root / "runs" / "tiny" / name / "seed0" / "training.json"
    return dict(json.loads(path.read_text()))


def test_bits_do_not_depend_on_what_runs_beside(tmp_path: Path) -> None:
    """Nor does one that diverges stop the others."""
    expected = alone(CONFIG, tmp_path / "alone")
    for at_once in (1, 2, 4):
        root = tmp_path / f"together{at_once}"
        train_all(CONFIG, cells(CONFIG, root), root, at_once)
        assert results(root) == expected
    assert [told(root, name)["status"] for name in RUNS] == ["finished"] * 3 + ["diverged"]


def test_a_signal_stops_all_and_the_same_command_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "together"
    cells(LONG, root)
    child = Child(root, LONG, train="tiny")
    started = [root / "work" / "tiny" / name / "seed0" for name in list(RUNS)[:2]]
    child.wait_for(lambda: all(any(folder.glob("step*.npz")) for folder in started))
    code, said = child.end(signal.SIGTERM)
    assert code == 75, said
    assert "the same command goes on" in said
    assert "Traceback" not in said
    code, said = Child(root, LONG, "--patient", train="tiny").wait()
    assert code == 0, said
    assert told(root, "one")["resumed"] == told(root, "slow")["resumed"] == 1
    assert results(root) == alone(LONG, tmp_path / "alone")
    assert leftovers(root) == []


def test_an_error_of_one_stops_the_others_at_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.eager_checkpoints(monkeypatch)
    endless = resolve(2_000)
    compile_run = jobs.compile_run
    first = tmp_path / "work" / "tiny" / "one" / "seed0"

    def compiled(settings: Any, *args: Any) -> Any:
        program = compile_run(settings, *args)
        if settings.learning_rate != 0.002:
            return program

        def fails(*args: Any) -> Any:
            if any(first.glob("step*.npz")):
                raise tf.errors.ResourceExhaustedError(None, None, "OOM")
            return program.advance(*args)

        return program._replace(advance=fails)

    monkeypatch.setattr(jobs, "compile_run", compiled)
    with pytest.raises(OutOfMemory):
        train_all(endless, cells(endless, tmp_path), tmp_path, 2)
    assert any(first.glob("step*.npz"))
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "work" / "tiny" / "diverges").exists()  # never begun


def test_on_a_gpu_runs_do_not_share_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[Run] = []

    def train(config: Config, run: Run, *rest: Any) -> None:
        assert not running
        running.append(run)
        time.sleep(0.02)
        running.clear()

    monkeypatch.setattr(jobs, "train", train)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    train_all(CONFIG, cells(CONFIG, tmp_path), tmp_path, 4)


@pytest.mark.parametrize(
    ("alone", "threads", "count", "expected"),
    [(False, 8, 3, 3), (False, 2, 16, 2), (True, 8, 3, 1)],
)
def test_how_many_are_trained_at_once(alone: bool, threads: int, count: int, expected: int) -> None:
    """Those that are to be timed have the machine to themselves."""
    document = CONFIG.model_dump()
    document["experiments"]["tiny"] |= {"alone": alone, "threads": 8}
    config = with_threads(configuration.resolve(document), threads)
    assert work._at_once(config, list(configuration.runs(config)), count) == expected


def test_a_run_named_twice_is_trained_once() -> None:
    run = configuration.find_run(CONFIG, "tiny", "one")
    assert [seed for _, seed in seeded(CONFIG, [run, run], [0, 1, 0])] == [0, 1]


def test_a_run_whose_neighbour_failed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first error is told, not that others were stopped."""

    def train(config: Config, run: Run, *rest: Any) -> None:
        if run.name == "one":
            raise NwsError("its own")

    monkeypatch.setattr(jobs, "train", train)
    with pytest.raises(NwsError, match="its own"):
        train_all(CONFIG, cells(CONFIG, tmp_path), tmp_path, 2)
