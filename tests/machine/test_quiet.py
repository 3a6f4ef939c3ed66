"""A command or a library call prints what is ours."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

from nws import HelmholtzMachine, config

LIBRARY = """
import nws, numpy as np
x = np.eye(20, 9)
for size in range(3, 9):
    model = nws.HelmholtzMachine([9, size])
    nws.fit(model, x, epochs=1, batch=size)
    model.log_likelihood(x, size), model.sample(size)
"""


def said(*command: str, **variables: str) -> str:
    """What a process writes to its standard error, whatever the tests' own environment."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "CUDA_"))}
    done = subprocess.run(
        [sys.executable, *command], env=env | variables, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_library_says_what_is_ours() -> None:
    lines = said("-c", LIBRARY).splitlines()
    assert [line for line in lines if not line.startswith("nrws: ")] == []


@pytest.mark.parametrize(
    "program",
    [
        "from nws.fisher import natural_gradient",
        "import nws.library",
        f"import pickle; pickle.loads({pickle.dumps(HelmholtzMachine([9, 2]))!r})",
    ],
    ids=["the gradient alone", "the module", "a machine sent to a worker"],
)
def test_whatever_of_it_comes_first(program: str) -> None:
    assert said("-c", program) == ""


def test_a_command_says_what_is_ours(tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(config.dump(tiny.resolve(epochs=1)))
    where = ["--config", str(tmp_path / "tiny.json"), "--results", str(tmp_path)]
    lines = said("-m", "nws.cli", "train", "tiny/one", "--evaluate", *where).splitlines()
    assert lines
    assert [line for line in lines if not line.startswith("tiny/one/seed0: ")] == []


def test_who_asks_tensorflow_for_more_gets_it() -> None:
    """Of what it says there, something is said on every CPU."""
    importing = ("-c", "import nws; nws.fit")
    assert said(*importing) == ""
    assert said(*importing, TF_CPP_MIN_LOG_LEVEL="0") != ""


@pytest.mark.parametrize("line", ["ours", "Traceback (most recent call last):"])
def test_other_lines_are_passed_on(line: str, tmp_path: Path) -> None:
    """A module in TensorFlow's place says something while it is loaded."""
    (tmp_path / "tensorflow.py").write_text(
        f"import os\nos.write(2, b'I0000 00:00:1.5 1 a.cc:1] hello\\n{line}\\n')\n"
    )
    program = "from nws.machine import quiet; quiet.load()"
    assert said("-c", program, PYTHONPATH=str(tmp_path)).splitlines() == [line]
