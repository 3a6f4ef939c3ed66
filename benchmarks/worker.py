"""What the peers share: they read a task once, then answer lines on standard input.

    time STEPS            -> {"ms": per step, "loss": mean over the steps}
    gradients STEPS FILE  -> {"loss": ...}; the mean gradients, at the starting parameters, to FILE

The task is an .npz: ``images`` (n, l[0]) in {0, 1}, ``p<i>``, ``prior``, ``q<i>`` as in
``nws.models.parameters`` (biases in the last row), and the scalars ``batch``, ``samples``,
``clip``, ``rate``.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

RANDOM = np.random.default_rng(0)
Layers = list[tuple[np.ndarray, np.ndarray]]


class Task(NamedTuple):
    """Images, starting parameters (weights and bias of every layer), and settings."""

    images: np.ndarray
    p: Layers
    prior: np.ndarray
    q: Layers
    batch: int
    samples: int
    clip: float
    rate: float

    def batches(self, steps: int) -> np.ndarray:
        """Rows of ``images`` for each step, (steps, B)."""
        order = RANDOM.permutation(len(self.images))
        return np.resize(order, (steps, self.batch))


def read(path: str) -> Task:
    """The task in a file."""
    with np.load(path, allow_pickle=False) as file:
        depth = sum(name.startswith("q") for name in file.files)
        p, q = ([(m[:-1], m[-1]) for m in (file[f"{s}{i}"] for i in range(depth))] for s in "pq")
        numbers = [file[name].item() for name in ("batch", "samples", "clip", "rate")]
        return Task(file["images"], p, file["prior"], q, *numbers)


def arrays(p: Any, prior: Any, q: Any) -> dict[str, np.ndarray]:
    """Layers of (W, b), in the layout of a task file."""
    named = {"prior": np.asarray(prior)}
    for side, layers in (("p", p), ("q", q)):
        for i, (W, b) in enumerate(layers):
            named[f"{side}{i}"] = np.vstack([W, np.asarray(b)[None]])
    return named


def serve(
    name: str,
    version: str,
    train: Callable[[int], float],
    gradients: Callable[[int], tuple[float, dict[str, np.ndarray]]],
) -> None:
    """Answer until standard input ends. ``train(steps)`` returns the mean loss."""
    _say(name=name, version=version)
    for line in sys.stdin:
        command, steps, *file = line.split()
        if command == "time":
            start = time.perf_counter()
            loss = train(int(steps))
            _say(ms=1000 * (time.perf_counter() - start) / int(steps), loss=loss)
        else:
            loss, found = gradients(int(steps))
            np.savez(file[0], **found)
            _say(loss=loss)


def _say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)
