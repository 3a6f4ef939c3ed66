"""Where the time of a fresh metric goes: the matrix products of its solves.

Of NRWS at K = 1, with the iterations that its solves really take; beside them stand vectors, square
roots and sums that no product holds.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from nws.algorithms.natural import Solvers, measure
from nws.benchmark.products import Product, of_step
from nws.benchmark.subjects import Subject, settings
from nws.fisher import cg
from nws.fisher.cholesky import Cholesky
from nws.models.random import Key
from nws.training.parts import algorithm, options, solvers

STEPS = 5  # whose iterations are counted; the median is taken


def countable(subject: Subject) -> bool:
    """Do all units of a layer iterate together? Else chunks stop on their own, uncounted."""
    return max(subject.architecture.layers) <= cg.CHUNK


def of_fresh_step(subject: Subject) -> list[Product]:
    """The products of a step of NRWS at K = 1: those of RWS, and those of its solves."""
    run = settings(subject.architecture, "nrws", 1)
    layers = subject.architecture.layers
    chosen, taken = solvers(run, layers), iterations(subject)
    found = of_step(layers, run.batch, run.samples)
    dreams = run.batch * run.samples
    for i, (lower, upper) in enumerate(pairwise(layers)):
        awake = run.batch if i == 0 else dreams
        depth = len(layers) - 1
        found += _of_solve(chosen.p[i], f"p{i}", (dreams, upper + 1, lower), taken[i])
        found += _of_solve(chosen.q[i], f"q{i}", (awake, lower + 1, upper), taken[depth + i])
    return found


def iterations(subject: Subject) -> list[int]:
    """Of each layer's solve, p from the bottom up and then q."""
    run = settings(subject.architecture, "nrws", 1)
    chosen = solvers(run, subject.architecture.layers)
    images = tf.constant(2.0 * subject.images.astype(np.float32) - 1.0)
    counts = []
    for step in range(STEPS):
        x = images[step * run.batch : (step + 1) * run.batch]
        plain = algorithm(run)(subject.params, x, Key(0, step), options(run))
        metric = measure(plain.evidence, chosen, tf.constant(run.damping))
        counts.append([*_counts(chosen, metric, plain.gradients)])
    return [int(count) for count in np.median(counts, axis=0)]


def _counts(chosen: Solvers, metric: Any, gradients: Any) -> Iterator[int]:
    for side in ("p", "q"):
        layers = (getattr(part, side) for part in (chosen, metric, gradients))
        for solver, factors, g in zip(*layers, strict=True):
            yield int(solver.solve(factors, g).iterations)


def _of_solve(
    solver: Any, name: str, shape: tuple[int, int, int], iterations: int
) -> Iterator[Product]:
    """Of one layer: n samples, l parents with the 1, m units; as its solver does them."""
    n, l, m = shape
    H, vectors = f"H {name}", f"vectors {name}"
    if isinstance(solver, Cholesky):
        yield Product(m, n, l * l, f"V {name}", f"pairs {name}", True)
        return
    system = cg.cheapest(n, l, m)
    if system == "dual":
        yield Product(n, l, n, H, f"H transposed {name}")
        yield Product(n, l, m, H, vectors)
        for _ in range(iterations + 1):
            yield Product(n, n, m, f"gram {name}", f"dual {name}")
        yield Product(l, n, m, H, f"dual {name}", True)
        return
    if system == "preconditioned":
        yield Product(l, n, l, H, f"weighted H {name}", True)
    for _ in range(iterations):
        yield Product(n, l, m, H, vectors)
        yield Product(l, n, m, H, f"dual {name}", True)
        if system == "preconditioned":
            yield Product(l, l, m, f"M {name}", vectors)
