"""A cheap program and a folder for its checkpoints."""

from pathlib import Path

import pytest
import tiny
from tiny import CHEAP, eager_checkpoints

from nws.training.program import Program
from nws.training.run import Work


@pytest.fixture(scope="module")
def program() -> Program:
    """A cheap one, for what does not depend on the algorithm."""
    return tiny.program(CHEAP)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """A place for checkpoints, one after every stretch of steps."""
    eager_checkpoints(monkeypatch)
    return Work(tmp_path / "work", {"learning_rate": 0.05, "seed": 0})
