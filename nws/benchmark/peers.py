"""The same training step in other frameworks: workers that wait for their turn."""

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from nws.benchmark.subjects import Subject, settings
from nws.errors import NwsError
from nws.files.whole import write_npz

# PyTorch with two threads and with one: small products can be faster on one.
PEERS = {
    "jax": ("peer_jax.py", ""),
    "torch": ("peer_torch.py", "2"),
    "torch_1": ("peer_torch.py", "1"),
}


def write_task(path: Path, subject: Subject) -> None:
    """What ``benchmarks/worker.py`` reads."""
    run, params = settings(subject.architecture, "rws"), subject.params
    arrays: dict[str, Any] = {"images": subject.images, "prior": params.prior.numpy()}
    arrays |= {f"p{i}": W.numpy() for i, W in enumerate(params.p)}
    arrays |= {f"q{i}": W.numpy() for i, W in enumerate(params.q)}
    arrays |= {"batch": run.batch, "samples": run.samples, "clip": run.clip}
    write_npz(path, arrays | {"rate": run.learning_rate})


class Peer:
    """A worker process. Use it in a ``with`` statement; NwsError if it cannot start."""

    def __init__(self, python: str, script: Path, subject: Subject, threads: str = "") -> None:
        self.folder = tempfile.TemporaryDirectory()
        task = Path(self.folder.name) / "task.npz"
        write_task(task, subject)
        self.process = subprocess.Popen(
            [python, str(script), str(task), threads],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            about = self._answer()
        except NwsError:
            self.close()
            raise
        self.name, self.version, self.threads = about["name"], about["version"], threads

    @property
    def label(self) -> str:
        """What it is called, with its number of threads if that was given."""
        return f"{self.name}, threads: {self.threads}" if self.threads else self.name

    def time(self, steps: int) -> dict[str, float]:
        """``ms`` per step and mean ``loss`` of some steps from the subject's parameters."""
        return self._ask(f"time {steps}")

    def gradients(self, steps: int) -> tuple[float, dict[str, np.ndarray]]:
        """The mean loss, and the mean gradients by name, at the subject's parameters."""
        path = Path(self.folder.name) / "gradients.npz"
        loss = self._ask(f"gradients {steps} {path}")["loss"]
        with np.load(path) as file:
            return loss, {name: file[name] for name in file.files}

    def close(self) -> None:
        """End the worker."""
        self.process.communicate()
        self.folder.cleanup()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        if not line:
            last = self.process.stderr.read().strip().splitlines()[-1:]
            raise NwsError(" ".join(last) or "ended without an answer")
        return dict(json.loads(line))
