"""Tiny runs on 3by3: a second to compile, milliseconds to train; and ways to break them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nws import config as configuration
from nws.config import Config, DatasetSettings, Run, RunSettings, run_settings
from nws.data import datasets, patterns
from nws.models.parameters import Parameters, initial, recode, to_arrays
from nws.training import run as training
from nws.training.history import Row, to_csv
from nws.training.loop import compile_run
from nws.training.program import Program
from nws.training.run import NOWHERE, Outcome, Work, fit

IMAGES = patterns.rows(90).reshape(-1, 9)
GREY = (0.8 * IMAGES + 0.1).astype(np.float32)
SETTINGS = {
    "algorithm": "rws",
    "dataset": "3by3",
    "layers": [6, 2],
    "epochs": 3,
    "batch": 16,
    "samples": 3,
    "learning_rate": 0.05,
    "refresh": 1,
    "likelihood_samples": 50,
}


class Killed(Exception):
    """What :func:`killed_after` raises, in the place of kill -9."""


def settings(**changes: Any) -> RunSettings:
    """Those of the tiny run with some changed."""
    return run_settings({**SETTINGS, **changes})


CHEAP = settings()


def program(config: RunSettings, seed: int = 0, stochastic: bool = False) -> Program:
    """Five steps an epoch."""
    return compile_run(config, GREY if stochastic else IMAGES, IMAGES[:36], seed)


def name(case: dict[str, Any]) -> str:
    """That of a case, changes of the tiny run's settings."""
    return "-".join(str(v.get("kind", k) if isinstance(v, dict) else v) for k, v in case.items())


def compiled(case: dict[str, Any], seed: int = 0) -> tuple[Program, Any]:
    """The program of a case, and its settings."""
    case = {"learning_rate": 0.02, **case}
    stochastic = case.pop("stochastic", False)
    config = settings(**case)
    return program(config, seed, stochastic), config


def start(config: RunSettings, seed: int = 0) -> Parameters:
    """Its parameters before training, in the run's coding."""
    params = initial([9, *config.layers], seed)
    return recode(params, "01") if config.coding == "01" else params


def train(
    compiled: Program,
    config: RunSettings,
    work: Work = NOWHERE,
    warn: Callable[[str], None] = lambda text: None,
    **rest: Any,
) -> Outcome:
    """Train it, from a checkpoint in ``work`` if there is one."""
    return fit(compiled, start(config), config, "tiny", work, warn=warn, **rest)


def killed_after(compiled: Program, stretches: int) -> Program:
    """The same program, which dies when it is to advance for the ``stretches`` + 1st time."""
    done = 0

    def advance(state: Any, epoch: int, first: int, stop: int) -> Any:
        nonlocal done
        if stop > first:  # not the call that compiles
            if done == stretches:
                raise Killed
            done += 1
        return compiled.advance(state, epoch, first, stop)

    return compiled._replace(advance=advance)


def eager_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step."""
    monkeypatch.setattr(training, "STRETCH", 0.0)
    monkeypatch.setattr(training, "SAVE_EVERY", -1.0)


def kill(compiled: Program, config: RunSettings, work: Work, stretches: int) -> None:
    """Train it until it is killed after so many stretches."""
    with pytest.raises(Killed):
        train(killed_after(compiled, stretches), config, work)


def assert_same(a: Outcome, b: Outcome) -> None:
    """Status, bits of the parameters, and the history but for the seconds."""
    assert (a.status, a.reason) == (b.status, b.reason)
    assert timeless(a.progress.rows) == timeless(b.progress.rows)
    for one, two in zip(bits(a.params), bits(b.params), strict=True):
        assert one == two


def bits(params: Parameters) -> list[bytes]:
    """The bytes of every array: equal only if nothing differs."""
    return [array.tobytes() for array in to_arrays(params).values()]


def timeless(rows: tuple[Row, ...]) -> str:
    """A history as CSV without what depends on the clock."""
    return to_csv([row._replace(seconds=0.0) for row in rows])


def resolve(epochs: int = 3, count: int = 90, **changes: Any) -> Config:
    """A configuration of one run, ``tiny/one``, on 3by3."""
    shared = {**SETTINGS, "epochs": epochs, **changes}
    return configuration.resolve(
        {
            "extends": None,
            "scale": "tiny",
            "datasets": {"3by3": {"source": "3by3", "train": count, "valid": 36, "test": 36}},
            "experiments": {"tiny": {"settings": shared, "runs": {"one": {}}}},
        }
    )


def prepare(config: Config, root: Path) -> Run:
    """Write the data set of :func:`resolve`, and return its run."""
    dataset: DatasetSettings = config.datasets["3by3"]
    datasets.save(*datasets.build("3by3", dataset), root / "data" / "3by3.npz")
    return configuration.find_run(config, "tiny", "one")


def results(root: Path) -> tuple[bytes, str]:
    """The bytes of the model, and the history without its seconds."""
    folder = root / "runs" / "tiny" / "one" / "seed0"
    lines = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()]
    history = "\n".join(",".join(line[:2] + line[3:]) for line in lines)
    return (folder / "model.npz").read_bytes(), history


def poisoned(compiled: Program, epoch: int, step: int) -> Program:
    """The same program, whose parameters become nan before a step, wherever stretches are cut."""

    def advance(state: Any, e: int, first: int, stop: int) -> Any:
        if e != epoch or not first <= step < stop:
            return compiled.advance(state, e, first, stop)
        state = compiled.advance(state, e, first, step)
        bad = state.params._replace(prior=state.params.prior * np.nan)
        return compiled.advance(state._replace(params=bad), e, step, stop)

    return compiled._replace(advance=advance)
