"""Faults are provoked, in real processes and on real disks, and nothing is lost."""

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tiny

from nws import cli
from nws import config as configuration
from nws.config import Config
from nws.errors import NwsError, OutOfMemory
from nws.evaluation import jobs as scoring
from nws.evaluation.jobs import evaluate
from nws.files import manifest
from nws.training import jobs
from nws.training.loop import Program

CHILD = Path(__file__).resolve().parents[1] / "child.py"
CONFIG = tiny.resolve(epochs=3)
LONG = tiny.resolve(epochs=120, algorithm="nrws", refresh=3, optimizer="adam", learning_rate=0.002)
RUN = Path("tiny") / "one" / "seed0"


def train(root: Path, config: Config = CONFIG) -> tuple[bytes, str]:
    """Train in this process, from what an earlier one left; the model and the history."""
    run = tiny.prepare(config, root)
    jobs.train(config, run, 0, root)
    jobs.forget(root, run, 0)
    return tiny.results(root)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    return train(tmp_path_factory.mktemp("unbroken"))


@pytest.fixture(scope="module")
def unbroken_long(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    return train(tmp_path_factory.mktemp("unbroken_long"), LONG)


def told(root: Path) -> dict[str, Any]:
    return json.loads((root / "runs" / RUN / "training.json").read_text())


def leftovers(root: Path) -> list[Path]:
    """Files that should not be there once a run has ended."""
    return [p for p in root.rglob("*") if p.suffix == ".tmp" or ("work" in p.parts and p.is_file())]


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


class Child:
    """``nws train tiny/one`` in a process of its own."""

    def __init__(self, root: Path, config: Config, *options: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "tiny.json").write_text(configuration.dump(config))
        command = [sys.executable, str(CHILD), *options, "train", "tiny/one"]
        command += ["--config", str(root / "tiny.json"), "--results", str(root)]
        self.root = root
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def wait_for(self, ready: Callable[[], bool]) -> None:
        while self.process.poll() is None and not ready():
            time.sleep(0.001)

    def step(self) -> int:
        """That of the newest checkpoint."""
        names = (path.stem for path in (self.root / "work" / RUN).glob("step*.npz"))
        return max((int(name.removeprefix("step")) for name in names), default=0)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; the exit status and what was said."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """The exit status and what was said."""
        said = self.process.communicate(timeout=60)[1]
        return self.process.returncode, said


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


@pytest.mark.parametrize("file", ["history.csv", "model.npz", "training.json", "manifest.json"])
def test_kill_9_while_the_results_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str], file: str
) -> None:
    """Before each of the files: the next run goes on from the last checkpoint and writes all."""
    with monkeypatch.context() as patch:
        tiny.eager_checkpoints(patch)
        replace = Path.replace

        def dies(self: Path, target: Path) -> Path:
            if target == tmp_path / "runs" / RUN / file:
                raise tiny.Killed
            return replace(self, target)

        patch.setattr(Path, "replace", dies)
        with pytest.raises(tiny.Killed):
            train(tmp_path)
    assert train(tmp_path) == unbroken
    assert told(tmp_path)["resumed"] == 1
    assert manifest.check(tmp_path / "runs" / RUN) == []


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


# Disks


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or not mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)):
        pytest.skip("needs Linux and the right to mount a small tmpfs")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def fill(disk: Path) -> None:
    """More than fits: writing stops where the space does."""
    with pytest.raises(OSError, match="No space left"):
        (disk / "filler").write_bytes(bytes(512 * 1024))


def empty(disk: Path) -> None:
    (disk / "filler").unlink()


def lock(disk: Path) -> None:
    assert mount("-o", "remount,ro", str(disk))


def unlock(disk: Path) -> None:
    assert mount("-o", "remount,rw", str(disk))


def hindered(compiled: Program, stretches: int, hinder: Callable[[], None]) -> Program:
    """The same program, which has ``hinder`` happen after so many stretches of steps."""
    advance = tiny.killed_after(compiled, stretches).advance

    def go(*args: Any) -> Any:
        try:
            return advance(*args)
        except tiny.Killed:
            hinder()
            return compiled.advance(*args)

    return compiled._replace(advance=go)


FAULTS = {
    "full": (fill, empty, "No space left on device"),
    "read-only": (lock, unlock, "Read-only file system"),
}


@pytest.mark.parametrize("stretches", [0, 8])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_takes_nothing_more(
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unbroken: tuple[bytes, str],
    fault: str,
    stretches: int,
) -> None:
    """From the first step on, or after some checkpoints: a message, status 2, and then recovery."""
    spoil, repair, says = FAULTS[fault]
    root = disk / "results"
    tiny.prepare(CONFIG, root)
    (root / "tiny.json").write_text(configuration.dump(CONFIG))
    command = ["train", "tiny/one", "--config", f"{root}/tiny.json", "--results", str(root)]
    with monkeypatch.context() as patch:
        tiny.eager_checkpoints(patch)
        patch.setattr(cli, "_configure", lambda *args: None)  # possible once in a process
        compile_run = jobs.compile_run
        patch.setattr(
            jobs,
            "compile_run",
            lambda *args: hindered(compile_run(*args), stretches, lambda: spoil(disk)),
        )
        assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert f"nws: {root / 'work' / 'tiny' / 'one' / 'seed0'}/" in said
    assert f"cannot be written: {says}; make room, or the folder writable, and run" in said
    repair(disk)
    assert not list(root.rglob("*.tmp"))
    assert train(root) == unbroken
    assert told(root)["resumed"] == (stretches > 0)


def test_read_only_results_from_the_start(
    disk: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str]
) -> None:
    run = tiny.prepare(CONFIG, disk)
    lock(disk)
    with pytest.raises(NwsError, match=r"seed0/\S+: cannot be written: Read-only file system"):
        jobs.train(CONFIG, run, 0, disk)
    unlock(disk)
    assert train(disk) == unbroken


# Memory and devices


def exhausted(*args: Any) -> Any:
    """What TensorFlow raises where a GPU has no memory left."""
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nmore")


def command(root: Path, name: str, config: Config = CONFIG) -> int:
    """``nws train`` or ``nws evaluate`` of tiny/one, in this process; the exit status."""
    (root / "tiny.json").write_text(configuration.dump(config))
    options = ["--config", str(root / "tiny.json"), "--results", str(root)]
    return cli.main([name, "tiny/one", *options])


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A GPU, by name alone; TensorFlow can be configured only once in a process."""
    with monkeypatch.context() as patch:
        patch.setattr(cli, "_configure", lambda *args: None)
        patch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
        yield patch


@pytest.mark.parametrize(("stretches", "when"), [(0, "before the first step"), (8, "at step 8")])
def test_out_of_memory_has_its_own_status(
    tmp_path: Path,
    gpu: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unbroken: tuple[bytes, str],
    stretches: int,
    when: str,
) -> None:
    """Advice, no results, the checkpoint; and, where there is memory, recovery."""
    compile_run = jobs.compile_run

    def compiled(*args: Any) -> Program:
        return hindered(compile_run(*args), stretches, exhausted) if stretches else exhausted()

    tiny.prepare(CONFIG, tmp_path)
    tiny.eager_checkpoints(gpu)
    gpu.setattr(jobs, "compile_run", compiled)
    assert command(tmp_path, "train") == OutOfMemory.status == 71
    said = capsys.readouterr().err
    assert f"nws: out of memory {when}: OOM when allocating tensor; lower batch, samples" in said
    assert "set solver: cg; or give the job a GPU of its own" in said
    assert "TF_FORCE_GPU_ALLOW_GROWTH" in said
    assert not (tmp_path / "runs").exists()
    assert bool(list((tmp_path / "work").rglob("step*.npz"))) == (stretches > 0)
    gpu.undo()
    assert train(tmp_path) == unbroken
    assert told(tmp_path)["resumed"] == (stretches > 0)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    train(tmp_path)
    return tmp_path


def test_out_of_memory_when_a_run_is_scored(
    trained: Path, gpu: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In either of the two things that are computed: nothing of them is written."""
    for part in ("_draw", "log_likelihood"):
        gpu.setattr(scoring, part, exhausted)
        assert command(trained, "evaluate") == 71
        said = capsys.readouterr().err
        assert "nws: out of memory when scoring tiny/one, seed 0: OOM when allocating" in said
        assert "device: cpu" in said
        made = {path.name for path in (trained / "runs" / RUN).iterdir()}
        assert made == {"history.csv", "model.npz", "training.json", "manifest.json"}


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_a_gpu_that_is_required_and_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Told before data is prepared or read."""
    assert command(tmp_path, name, CONFIG.model_copy(update={"device": "gpu"})) == 2
    assert "nws: device: gpu was asked for, but TensorFlow finds none" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.json"]


def test_auto_without_a_gpu_is_the_cpu_and_the_result_says_so(tmp_path: Path) -> None:
    assert CONFIG.device == "auto"
    status, said = Child(tmp_path, CONFIG).wait()
    assert status == 0, said
    assert told(tmp_path)["machine"].items() >= {"device": "cpu", "gpu": None}.items()


# Tampering, names


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scored")
    train(root)
    evaluate(CONFIG, tiny.prepare(CONFIG, root), 0, root)
    return root / "runs" / RUN


@pytest.mark.parametrize(
    "name", ["metrics.json", "training.json", "history.csv", "model.npz", "samples.npz"]
)
def test_tampered_results_are_flagged(scored: Path, name: str) -> None:
    path = scored / name
    whole = path.read_bytes()
    assert manifest.check(scored) == []
    path.write_bytes(whole.replace(b"1", b"2"))
    assert manifest.check(scored) == [
        f"{name} does not match its manifest: changed after it was made"
    ]
    path.write_bytes(whole)


@pytest.mark.parametrize("content", [None, "", "{", "[1]"])
def test_an_evaluation_without_its_training(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "runs" / RUN / "training.json"
    if content is not None:
        path.parent.mkdir(parents=True)
        path.write_text(content)
    with pytest.raises(NwsError, match=r"training\.json: cannot be read: .*; train the run again"):
        evaluate(CONFIG, tiny.prepare(CONFIG, tmp_path), 0, tmp_path)


def test_a_damaged_manifest_is_no_obstacle(tmp_path: Path, unbroken: tuple[bytes, str]) -> None:
    path = tmp_path / "runs" / RUN / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"history.csv": ')
    assert train(tmp_path) == unbroken
    assert manifest.check(path.parent) == []


NAMES = ["<script>", "../up", "/root", "a/b", ".hid", "", "a b", "$(id)", "a\nb", "a\n", "x" * 65]


@pytest.mark.parametrize("place", ["scale", "datasets", "experiments", "runs", "dataset"])
@pytest.mark.parametrize("name", NAMES)
def test_names_hold_no_markup_and_lead_nowhere(place: str, name: str) -> None:
    content: dict[str, Any] = {
        "extends": None,
        "scale": "tiny",
        "datasets": {"3by3": {"source": "3by3"}},
        "experiments": {"tiny": {"settings": {"dataset": "3by3"}, "runs": {"one": {}}}},
    }
    assert configuration.resolve(content)
    if place == "scale":
        content["scale"] = name
    elif place == "runs":
        content["experiments"]["tiny"]["runs"][name] = {}
    elif place == "dataset":
        content["experiments"]["tiny"]["settings"]["dataset"] = name
    else:
        content[place][name] = next(iter(content[place].values()))
    with pytest.raises(NwsError, match=place):
        configuration.resolve(content)


def test_the_table_of_faults_names_tests_that_are_there() -> None:
    folder = Path(__file__).resolve().parents[1]
    text = (folder.parent / "docs" / "faults.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    assert len(named) > 50
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("test_*.py")}
    for file, test in named:
        assert f"def {test}(" in files[file], f"{file}::{test}"
