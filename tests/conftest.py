"""Shared by all tests: quiet TensorFlow, no GPU, and nothing from the user's environment."""

import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("MPLBACKEND", "Agg")

# Python started in the background ignores SIGINT, and so would its tests of Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A results tree with a run that diverged and one that is missing, and its report."""
    from fake_results import make, write

    root = write(
        tmp_path_factory.mktemp("fake"),
        diverged=["grid_minimnist/lr0.1_a0.01"],
        missing=["mnist/rws"],
    )
    return root, make(root).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """The tiny run, trained at one go: its model and its history."""
    from tiny_job import train

    return train(tmp_path_factory.mktemp("unbroken"))


@pytest.fixture(scope="session")
def unbroken_long(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """The same of a run that takes some seconds."""
    from tiny_job import LONG, train

    return train(tmp_path_factory.mktemp("unbroken_long"), LONG)
