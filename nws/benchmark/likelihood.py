"""The importance-sampled log-likelihood beside its matrix products alone."""

import time
from collections.abc import Callable

import numpy as np

from nws.benchmark import passes, products
from nws.benchmark.goals import Row, row
from nws.benchmark.rounds import interleave, ratio, value
from nws.benchmark.subjects import Subject
from nws.evaluation.jobs import PUBLISHED
from nws.evaluation.likelihood import ROWS, log_likelihood

SAMPLES = 10_000
BLOCK = 10  # images that are scored together
LOOPS = 2  # blocks side by side


def measure(subjects: dict[str, Subject], images: int, rounds: int) -> list[Row]:
    """Milliseconds per image with 10,000 samples, from so many images; a multiple of 20."""
    measures = {}
    for name, subject in subjects.items():
        measures[name] = _ours(subject, images)
        for what in ("products", "unordered"):
            layers = subject.architecture.layers
            measures[f"{name} {what}"] = _alone(layers, images, what == "unordered")
    times = interleave(measures, rounds, settle=True)
    return [
        r
        for name in subjects
        for r in _rows(name, times[name], times[f"{name} products"], times[f"{name} unordered"])
    ]


def _ours(subject: Subject, images: int) -> Callable[[], float]:
    x = 2.0 * subject.images[:images].astype(np.float32) - 1.0

    def timed() -> float:
        start = time.perf_counter()
        log_likelihood(subject.params, x, SAMPLES, 0, PUBLISHED)
        return 1000 * (time.perf_counter() - start) / images

    return timed


def _alone(layers: list[int], images: int, with_passes: bool) -> Callable[[], float]:
    """In tiles of BLOCK images × ROWS / BLOCK samples, as many as the images need."""
    sizes = (layers, BLOCK, ROWS // BLOCK)
    passed = passes.of_likelihood(*sizes) if with_passes else []
    program = products.program(products.of_likelihood(*sizes), LOOPS, passed)
    times = images * SAMPLES // (ROWS * LOOPS)

    def timed() -> float:
        start = time.perf_counter()
        program(times)
        return 1000 * (time.perf_counter() - start) / images

    return timed


def _rows(
    architecture: str, ours: list[float], bound: list[float], unordered: list[float]
) -> list[Row]:
    label = "log-likelihood, 10,000 samples"
    return [
        row(
            "likelihood_vs_products",
            f"{label} / its matrix products alone",
            architecture,
            "times",
            ratio(ours, bound),
        ),
        row(
            "likelihood_unordered_vs_products",
            "all its operations in no order / its products, the bound",
            architecture,
            "times",
            ratio(unordered, bound),
        ),
        row("likelihood", f"{label}, one image", architecture, "ms", value(ours)),
        row("likelihood_products", f"{label}, products", architecture, "ms", value(bound)),
    ]
