"""What is measured on: the paper's two architectures, images, and parameters after a warm-up."""

from typing import Any, NamedTuple

import numpy as np

from nws.config import DatasetSettings, RunSettings, run_settings
from nws.data.datasets import build
from nws.data.fetch import Mnist, mnist
from nws.errors import NwsError
from nws.models.parameters import Parameters, initial
from nws.training.loop import compile_run

IMAGES = 6400  # 200 steps of 32
WARM_UP = 200  # steps of RWS, so that no weights are at their initial values


class Architecture(NamedTuple):
    """Layers and settings of one of the paper's experiments; ``steps`` timed in a round."""

    name: str
    dataset: dict[str, str]
    layers: list[int]
    settings: dict[str, Any]
    rates: dict[str, float]
    steps: int


class Subject(NamedTuple):
    """An architecture, images to train on (n, l[0]) in {0, 1}, and parameters."""

    architecture: Architecture
    images: np.ndarray
    params: Parameters


MINIMNIST = Architecture(
    "minimnist",
    {"source": "minimnist", "binarization": "round"},
    [196, 100, 50, 20, 10, 10],
    {"damping": 0.05, "clip": 1e-3},
    {"ws": 0.02, "rws": 0.05, "nws": 0.002, "nrws": 0.002},
    100,
)
MNIST = Architecture(
    "mnist",
    {"source": "mnist", "binarization": "static"},
    [784, 300, 200, 100, 75, 50, 35, 30, 25, 20, 15, 10, 10],
    {"damping": 0.1, "clip": 1e-6},
    dict.fromkeys(("ws", "rws", "nws", "nrws"), 0.02),
    20,
)
ARCHITECTURES = {a.name: a for a in (MINIMNIST, MNIST)}


def settings(
    architecture: Architecture, algorithm: str, refresh: int = 1, solver: str = "auto"
) -> RunSettings:
    """A run's settings: batch 32, S 10, SGD."""
    content = {
        "layers": architecture.layers[1:],
        "algorithm": algorithm,
        "learning_rate": architecture.rates[algorithm],
        "refresh": refresh,
        "solver": solver,
        **architecture.settings,
    }
    return run_settings(content)


def subject(architecture: Architecture, images: np.ndarray) -> Subject:
    """Parameters after ``WARM_UP`` steps of RWS."""
    program = compile_run(settings(architecture, "rws"), images, images[:100], seed=0)
    state = program.init(initial(architecture.layers, seed=0))
    steps = min(WARM_UP, program.steps_per_epoch)
    return Subject(architecture, images, program.advance(state, 0, 0, steps).params)


def images(architecture: Architecture) -> tuple[np.ndarray, str]:
    """Binary images, and where they are from: MNIST if it is on this machine, else strokes."""
    source = DatasetSettings(**architecture.dataset, train=IMAGES, valid=1, test=1)
    try:
        dataset, _ = build(architecture.name, source, fetch=local)
        return dataset.train, "MNIST"
    except NwsError:
        return strokes(IMAGES, architecture.layers[0]), "synthetic strokes (no MNIST here)"


def local(folder: str | None) -> Mnist:
    """MNIST from a folder or the cache, never from the network."""
    return mnist(folder, sources=())


def strokes(count: int, pixels: int) -> np.ndarray:
    """Pictures of one thick line each, in a square of ``pixels``, (count, pixels) uint8."""
    side = int(pixels**0.5)
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(1, -1, 2)
    a, b = rng.uniform(0.2 * side, 0.8 * side, (2, count, 1, 2))
    along = np.clip(((grid - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    distance = np.linalg.norm(grid - a - along[..., None] * (b - a), axis=-1)
    return (distance < 0.08 * side).astype(np.uint8)
