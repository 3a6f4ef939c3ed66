"""The tiny run as a job: trained in this process or in one of its own, whole or cut."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny

from nws import config as configuration
from nws.config import Config
from nws.training import jobs
from nws.training.program import Program

CHILD = Path(__file__).resolve().parent / "child.py"
CONFIG = tiny.resolve(epochs=3)
LONG = tiny.resolve(epochs=120, algorithm="nrws", refresh=3, optimizer="adam", learning_rate=0.002)
RUN = Path("tiny") / "one" / "seed0"


def train(root: Path, config: Config = CONFIG) -> tuple[bytes, str]:
    """Train in this process, from what an earlier one left; the model and the history."""
    run = tiny.prepare(config, root)
    jobs.train(config, run, 0, root)
    jobs.forget(root, run, 0)
    return tiny.results(root)


def told(root: Path) -> dict[str, Any]:
    """What the run says of itself: its ``training.json``."""
    return json.loads((root / "runs" / RUN / "training.json").read_text())


def leftovers(root: Path) -> list[Path]:
    """Files that should not be there once a run has ended."""
    return [p for p in root.rglob("*") if p.suffix == ".tmp" or ("work" in p.parts and p.is_file())]


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


class Child:
    """``nws train tiny/one``, or what is named, in a process of its own."""

    def __init__(self, root: Path, config: Config, *options: str, train: str = "tiny/one") -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "tiny.json").write_text(configuration.dump(config))
        command = [sys.executable, str(CHILD), *options, "train", train]
        command += ["--config", str(root / "tiny.json"), "--results", str(root)]
        self.root = root
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Return once it is ready, or has ended."""
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
