"""Devices with too little memory, and GPUs that are not there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tiny
from tiny_job import CONFIG, RUN, Child, hindered, told, train

from nws import cli
from nws import config as configuration
from nws.cli import work
from nws.config import Config
from nws.errors import OutOfMemory
from nws.evaluation import jobs as scoring
from nws.library import HelmholtzMachine
from nws.machine.device import configure, cpu_name
from nws.training import jobs
from nws.training.program import Program

# The same program with and without a GPU: its checkpoints fit.
GRAPH = tiny.resolve(epochs=3, compile="graph")


def exhausted(*args: Any, **options: Any) -> Any:
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
        patch.setattr(work, "_configure", lambda *args: None)
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

    tiny.prepare(GRAPH, tmp_path)
    tiny.eager_checkpoints(gpu)
    gpu.setattr(jobs, "compile_run", compiled)
    assert command(tmp_path, "train", GRAPH) == OutOfMemory.status == 71
    said = capsys.readouterr().err
    assert f"nws: out of memory {when}: OOM when allocating tensor; lower batch, samples" in said
    assert "set solver: cg; or give the job a GPU of its own" in said
    assert "TF_FORCE_GPU_ALLOW_GROWTH" in said
    assert not (tmp_path / "runs").exists()
    assert bool(list((tmp_path / "work").rglob("step*.npz"))) == (stretches > 0)
    gpu.undo()
    assert train(tmp_path, GRAPH) == unbroken
    assert told(tmp_path)["resumed"] == (stretches > 0)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    train(tmp_path)
    return tmp_path


def test_out_of_memory_when_a_run_is_scored(
    trained: Path, gpu: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In either of the two things that are computed: nothing of them is written."""
    drawing = dict.fromkeys(("graph", "xla"), exhausted)
    for part, without in (("_DRAW", drawing), ("log_likelihood", exhausted)):
        gpu.setattr(scoring, part, without)
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


def test_cpus_that_a_hypervisor_gives_one_name_are_told_apart() -> None:
    """Two that are both called "AMD EPYC" round sums differently: one has AVX-512."""
    told = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: {}\n"
    told += "model name\t: AMD EPYC\nflags\t\t: fpu sse2 avx {}\n\nprocessor\t: 1\nmodel\t: 9\n"
    assert cpu_name(told.format(1, "avx2")) == "AMD EPYC (family 25, model 1, AVX2)"
    assert cpu_name(told.format(17, "avx2 avx512f")) == "AMD EPYC (family 25, model 17, AVX-512)"
    assert cpu_name(told.format(1, "")) == "AMD EPYC (family 25, model 1, no AVX2)"
    assert cpu_name("processor\t: 0\nBogoMIPS\t: 50.00\n") == ""  # as on ARM


@pytest.mark.parametrize("begin", [lambda: configure("cpu", 1), lambda: HelmholtzMachine([3, 2])])
def test_products_are_float32_on_a_gpu_too(
    monkeypatch: pytest.MonkeyPatch, begin: Callable[[], Any]
) -> None:
    tf32 = tf.config.experimental
    monkeypatch.setattr(tf.config.threading, "set_inter_op_parallelism_threads", lambda n: None)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda n: None)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)
    tf32.enable_tensor_float_32_execution(True)
    begin()
    assert not tf32.tensor_float_32_execution_enabled()
