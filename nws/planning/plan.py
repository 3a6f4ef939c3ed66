"""The plan of a configuration: how many runs, on what device, roughly how long.

A rough estimate from counting floating-point operations, calibrated with a short product of
matrices. It knows nothing about other programs on the machine, early stopping or the GPU's speed.
"""

import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nws import config as cfg
from nws.config import Config, DatasetSettings, Run, RunSettings
from nws.data.datasets import MNIST_TRAIN
from nws.data.patterns import PERIOD
from nws.data.userfile import sizes
from nws.machine import lease
from nws.machine.cores import cores

# Costs in floating-point operations that take as long (fitted to trials on a two-core CPU).
SAMPLED_UNIT = 1000  # draw a unit, its log-probability and its gradient
SCORED_UNIT = 400  # the same without a gradient
STEP = 5e7  # start the operations of one step
CG_ITERATIONS = 20  # of both stacks, for one natural gradient
RUN_SECONDS = 4.0  # trace and compile a graph
PROCESS_SECONDS = 6.0  # start TensorFlow

MNIST_OTHER = 10_000  # validation images, and test images


@dataclass(frozen=True)
class RunCost:
    """Floating-point operations of a run: its epochs, and its likelihood estimates. The epochs
    take no longer than about ``budget`` seconds."""

    training: float
    scoring: float
    budget: float = math.inf

    def seconds(self, speed: float) -> float:
        """Roughly, at ``speed`` operations per second."""
        return min(self.training / speed, self.budget) + self.scoring / speed


@dataclass(frozen=True)
class Plan:
    """What a configuration asks for, per experiment.

    ``runs`` counts all, ``left`` those without results; ``work`` (of each run) and ``overhead``
    (seconds) are what is left to do.
    """

    scale: str
    device: str
    runs: dict[str, int]
    left: dict[str, int]
    work: dict[str, list[RunCost]]
    overhead: dict[str, float]

    def seconds(self, speed: float) -> dict[str, float]:
        """Rough seconds left per experiment at ``speed`` operations per second."""
        return {
            name: sum(cost.seconds(speed) for cost in self.work[name]) + self.overhead[name]
            for name in self.runs
        }


def plan(config: Config, todo: Collection[tuple[str, str, int]] | None = None) -> Plan:
    """Count the runs, and the cost of those to do: ``todo`` (experiment, run, seed), or all."""

    def is_left(run: Run, seed: int) -> bool:
        return todo is None or (run.experiment, run.name, seed) in todo

    cells = {
        name: [(run, seed) for run in cfg.expand(name, exp) for seed in cfg.seeds(config, name)]
        for name, exp in config.experiments.items()
    }
    left = {name: [run for run, seed in cells[name] if is_left(run, seed)] for name in cells}
    return Plan(
        scale=config.scale,
        device=device(config.device),
        runs={name: len(cells[name]) for name in cells},
        left={name: len(left[name]) for name in cells},
        work={name: [cost(config, run) for run in left[name]] for name in cells},
        overhead={
            name: _overhead(len(left[name]), exp.share) for name, exp in config.experiments.items()
        },
    )


def describe(plan: Plan, speed: float) -> str:
    """The plan as the lines a user reads before anything starts."""
    seconds = plan.seconds(speed)
    total, left = sum(plan.runs.values()), sum(plan.left.values())
    lines = [f"Scale {plan.scale}: {left} of {total} training runs to do, on the {plan.device}."]
    if left:
        time = duration(sum(seconds.values()))
        lines.append(f"Roughly {time} on all the cores that it may use:")
    width = max(map(len, plan.runs))
    for name, count in plan.left.items():
        if count:
            lines.append(f"  {name:{width}} {count:4} runs, roughly {duration(seconds[name])}")
    return "\n".join(lines)


def seconds(config: Config, run: Run, speed: float) -> float:
    """Rough seconds of a run at ``speed`` operations per second, with its part of a process."""
    overhead = _overhead(1, config.experiments[run.experiment].share)
    return cost(config, run).seconds(speed) + overhead


def cost(config: Config, run: Run) -> RunCost:
    """What a run costs."""
    settings, dataset = run.settings, config.datasets[run.settings.dataset]
    weights, units = _size(settings, dataset)
    train, valid, test = (_images(dataset, split) for split in ("train", "valid", "test"))
    score = 4 * weights + SCORED_UNIT * units  # one sample of one image
    steps = max(1, train // settings.batch) * _steps(settings, weights, units)
    validation = valid * (settings.validation_samples or settings.samples) * score
    scored = sum(min(settings.likelihood_images or n, n) for n in (valid, test))
    likelihood = settings.likelihood_samples * scored * score
    training = steps + settings.epochs * validation
    return RunCost(training, likelihood, settings.budget or math.inf)


def calibrate(seconds: float = 0.2) -> float:
    """Floating-point operations per second of the cores, in products of matrices.

    The fastest of many products that are too small for several threads, times the cores that this
    process may use: what it can do when other programs leave it alone.
    """
    side = 64
    a, b = np.ones((side, side), np.float32), np.ones((side, side), np.float32)
    end, fastest = time.perf_counter() + seconds, math.inf
    while (start := time.perf_counter()) < end:
        np.dot(a, b, out=np.empty_like(a))
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * side**3 / fastest * cores()


def device(asked: str) -> str:
    """Where training will run, found out without TensorFlow."""
    if asked == "cpu":
        return "CPU (as configured)"
    if lease.devices():
        return "GPU (if TensorFlow can use it; the times below are this CPU's)"
    return "CPU (no GPU found)" if asked == "auto" else "GPU (as configured, but none found here)"


def duration(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 5.5 h, 3 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.0f} days"


def _steps(settings: RunSettings, weights: int, units: int) -> float:
    """A step of every epoch, all together."""
    later = settings.samples_later
    if later is None:
        return settings.epochs * _step(settings, settings.samples, weights, units)
    few = min(later.after, settings.epochs)
    many = settings.epochs - few
    return few * _step(settings, settings.samples, weights, units) + many * _step(
        settings, later.samples, weights, units
    )


def _step(settings: RunSettings, samples: int, weights: int, units: int) -> float:
    rows = settings.batch * samples
    products = 14 * rows * weights  # wake and sleep samples, p, q-wake and q-sleep gradients
    natural = 4 * CG_ITERATIONS * rows * weights if settings.natural else 0
    return products + natural + 2 * SAMPLED_UNIT * rows * units + STEP


def _size(settings: RunSettings, dataset: DatasetSettings) -> tuple[int, int]:
    file = dataset.file
    pixels = sizes(file)[1] if file else cfg.BUILT_IN[dataset.source]
    widths = [pixels, *settings.layers]
    return sum(a * b for a, b in pairwise(widths)), sum(widths)


def _images(dataset: DatasetSettings, split: str) -> int:
    file = dataset.file
    if file:
        return getattr(dataset, split) or sizes(file)[0][split]
    if dataset.source == "3by3":
        return getattr(dataset, split) or (100 * PERIOD if split == "train" else PERIOD)
    return getattr(dataset, split) or (MNIST_TRAIN if split == "train" else MNIST_OTHER)


def _overhead(runs: int, share: int) -> float:
    # Runs on their own are trained and scored by two processes, shared ones by one.
    processes = 2 * runs if share == 1 else runs / share
    return processes * PROCESS_SECONDS + runs * RUN_SECONDS
