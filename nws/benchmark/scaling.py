"""How the cost of a natural gradient grows: with layer width, samples, units, and depth.

One layer: m units with l parents, n samples. Blocks cost O(m(nl² + l³)) (cholesky) or
O(m(n²l + n³)) (woodbury); conjugate gradients O(nlm) an iteration. So where a layer has as many
parents as there are samples, the first two grow with l³ and the last with l².
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nws.benchmark.goals import Row, row
from nws.benchmark.rounds import Value, interleave, value
from nws.benchmark.steps import Timing, Variant
from nws.benchmark.subjects import MINIMNIST, Architecture, images, subject
from nws.fisher import choose

DAMPING, TOLERANCE, LIMIT = 0.05, 1e-2, 100
SOLVERS = ("cholesky", "woodbury", "cg")


class Layer(NamedTuple):
    """A point of a curve: ``vary`` is the letter that changes along it."""

    vary: str
    l: int
    n: int
    m: int


SQUARE = [Layer("l = n", l, l, 32) for l in (64, 128, 256, 512, 1024)]
WIDTHS = [Layer("l", l, 320, 64) for l in (50, 100, 200, 400, 800)]
SAMPLES = [Layer("n", 400, 32 * s, 64) for s in (1, 2, 5, 10, 20)]
UNITS = [Layer("m", 200, 320, m) for m in (25, 50, 100, 200, 400)]
DEPTHS = (1, 2, 4, 8, 12)  # hidden layers of WIDTH units
WIDTH = 50


def measure(rounds: int, quick: bool) -> tuple[list[Row], list[dict[str, Any]]]:
    """The curves, and the exponents of the growth with l = n."""
    points = SQUARE if quick else SQUARE + WIDTHS + SAMPLES + UNITS
    measures = {(solver, *p): solve_time(solver, p) for p in points for solver in SOLVERS}
    times = interleave({" ".join(map(str, key)): m for key, m in measures.items()}, rounds)
    curves = [
        {"solver": key[0], **Layer(*key[1:])._asdict(), "ms": _ms(times[" ".join(map(str, key))])}
        for key in measures
    ]
    rows = [_exponent(solver, curves) for solver in SOLVERS]
    return rows, curves if quick else [*curves, *depth(rounds)]


def depth(rounds: int) -> list[dict[str, Any]]:
    """Whole steps of NRWS at K = 1 and of RWS, against the number of hidden layers."""
    pixels = images(MINIMNIST)[0]
    measures: dict[tuple[str, int], Callable[[], float]] = {}
    for count in DEPTHS:
        machine = subject(_machine(count), pixels)
        measures["rws", count] = Timing(machine, Variant("rws"))
        measures["nrws", count] = Timing(machine, Variant("nrws", 1))
    times = interleave({f"{a}, depth {d}": m for (a, d), m in measures.items()}, rounds)
    return [
        {"solver": f"{a} step", "vary": "depth", "l": WIDTH, "n": 320, "m": WIDTH}
        | {"depth": d, "ms": _ms(times[f"{a}, depth {d}"])}
        for a, d in measures
    ]


def _machine(count: int) -> Architecture:
    layers = [MINIMNIST.layers[0], *[WIDTH] * count]
    return MINIMNIST._replace(name=f"depth {count}", layers=layers, steps=50)


def solve_time(solver: str, layer: Layer) -> Callable[[], float]:
    """Times factor and solve of one layer, in milliseconds."""
    method = choose(solver, layer.n, layer.l + 1, layer.m, 1, TOLERANCE, LIMIT)
    alpha = tf.constant(DAMPING)

    @tf.function(autograph=False)
    def solved(H: tf.Tensor, V: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        return method.solve(method.factor(H, V, alpha), g).value

    system = problem(layer)

    def timed() -> float:
        start, calls = time.perf_counter(), 0
        while calls == 0 or time.perf_counter() < start + 0.05:
            solved(*system).numpy()
            calls += 1
        return 1000 * (time.perf_counter() - start) / calls

    return timed


def problem(layer: Layer) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """H, V, g of a layer whose ±1 parents depend on ten hidden causes, as those of a network do."""
    rng = np.random.default_rng(0)
    causes, noise = rng.normal(size=(layer.n, 10)), rng.normal(size=(layer.n, layer.l))
    H = np.sign(causes @ rng.normal(size=(10, layer.l)) / 3 + noise)
    H = np.hstack([H, np.ones((layer.n, 1))])
    W = rng.normal(size=(layer.l + 1, layer.m)) * np.sqrt(2 / (layer.l + layer.m))
    p = 1 / (1 + np.exp(-H @ W))
    g = H.T @ ((rng.random(p.shape) < p) - p) / layer.n
    return tuple(tf.constant(a, tf.float32) for a in (H, p * (1 - p) / layer.n, g))


def _ms(values: list[float]) -> float:
    return float(f"{value(values).median:.4g}")


def _exponent(solver: str, curves: list[dict[str, Any]]) -> Row:
    """The slope of log time against log l, over the wider half."""
    points = list(_curve(solver, curves))
    l, ms = np.log(points[len(points) // 2 :]).T
    slope = Value(float(np.polyfit(l, ms, 1)[0]))
    what = f"natural gradient by {solver}: exponent of l = n"
    return row(f"exponent_{solver}", what, "", "", slope)


def _curve(solver: str, curves: list[dict[str, Any]]) -> Iterator[tuple[int, float]]:
    for point in curves:
        if point["solver"] == solver and point["vary"] == "l = n":
            yield point["l"], point["ms"]
