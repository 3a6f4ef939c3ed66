"""The workflow is killed, whole, and the same command goes on to the same results."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import same

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ["--configfile", str(ROOT / "config" / "smoke.yaml")]
RESULTS = Path("results") / "smoke"
KILLS = 20
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
# More steps than 20 kills let through; runs on their own, and runs that share a process.
LONG = "experiments={mnist: {settings: {epochs: 150}}, minimnist: {settings: {epochs: 20}}}"
TARGETS = ["table1", "table2", "--cores", "2", *SMOKE, "--config", LONG]
# What Python imports as it starts: the workflow's trainings save a checkpoint after every step.
EAGER = """
import sys
if {"nws.cli", "train"} <= set(sys.orig_argv):
    from nws.training import run
    run.STRETCH, run.SAVE_EVERY = 0.0, -1.0
"""


def environment(folder: Path) -> Mapping[str, str]:
    """The user's, and Python modules of the test's own."""
    modules = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "XDG_CACHE_HOME": str(folder / ".cache"), "PYTHONPATH": modules}


def command(folder: Path, *args: str) -> list[str]:
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    return [*snakemake, "--directory", str(folder), *args]


def snakemake(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the workflow to its end."""
    return subprocess.run(
        command(folder, *args),
        capture_output=True,
        text=True,
        timeout=900,
        cwd=ROOT,
        env=environment(folder),
    )


@contextmanager
def started(folder: Path, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    """The workflow in a process group of its own, of which nothing is left afterwards."""
    process = subprocess.Popen(
        command(folder, *args),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(folder),
        start_new_session=True,
    )
    try:
        yield process
        process.wait(timeout=120)
        wait_for(lambda: not alive(process.pid))
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def alive(group: int) -> bool:
    """Whether a process group has members: trainings outlive Snakemake while they save."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(ready: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)


def checkpoints(folder: Path) -> set[Path]:
    return set((folder / RESULTS).glob("work/*/*/*/step*.npz"))


def kill(
    folder: Path,
    number: signal.Signals,
    *target: str,
    in_training: bool = True,
    after: float = 0.0,
) -> None:
    """Start the workflow and, so many seconds after it trains or starts, kill all of it."""
    before = checkpoints(folder)
    with started(folder, *target) as process:
        if in_training:
            wait_for(lambda: bool(checkpoints(folder) - before) or process.poll() is not None)
        time.sleep(after)
        assert process.poll() is None, "the workflow ended before it was killed"
        os.killpg(process.pid, number)


def unlock_if_locked(folder: Path) -> None:
    if any(folder.glob(".snakemake/locks/*")):
        done = snakemake(folder, "--unlock", *SMOKE)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_workflow_killed_20_times_ends_with_the_same_results(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    done = snakemake(whole, *TARGETS)
    assert done.returncode == 0, done.stdout + done.stderr
    (broken / "sitecustomize.py").write_text(EAGER)
    chance = random.Random(20)
    for _ in range(KILLS):
        in_training = chance.random() < 0.75
        kill(
            broken,
            chance.choice(SIGNALS),
            *TARGETS,
            in_training=in_training,
            after=chance.uniform(0, 2),
        )
        unlock_if_locked(broken)
    last = snakemake(broken, *TARGETS)
    assert last.returncode == 0, last.stdout + last.stderr
    expected = same.results(whole / RESULTS)
    assert len(expected) == 4 * 9
    assert same.differences(expected, same.results(broken / RESULTS)) == []
    assert same.times_resumed(whole / RESULTS) == 0
    assert same.times_resumed(broken / RESULTS) > 0
    assert not checkpoints(broken)


@pytest.mark.slow
def test_after_kill_9_the_message_says_how_to_go_on(tmp_path: Path) -> None:
    """The lock of a Snakemake that is gone: what clears it is told; then the workflow goes on."""
    (tmp_path / "sitecustomize.py").write_text(EAGER)
    target = ["fig6", "--cores", "2", *SMOKE]
    kill(tmp_path, signal.SIGKILL, *target)
    locked = snakemake(tmp_path, *target)
    assert locked.returncode != 0
    assert "--unlock" in locked.stderr
    assert "Traceback" not in locked.stderr
    assert snakemake(tmp_path, "--unlock", *SMOKE).returncode == 0
    again = snakemake(tmp_path, *target)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / RESULTS / "figures" / "fig6.svg").is_file()
