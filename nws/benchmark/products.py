"""The bound: a graph of nothing but the matrix products of a training step, or of a likelihood;
with the passes over units (:mod:`nws.benchmark.passes`) where they are asked for.

The same shapes in the same kind of loop, on operands that are used as often as those of the step
and do not depend on one another: both cores can always work. It is a lower bound, not a program
that could be written.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import tensorflow as tf

from nws.benchmark import passes
from nws.benchmark.passes import Pass


class Product(NamedTuple):
    """(n, k) @ (k, m) of two named operands; ``gradient``: the left one is (k, n), transposed."""

    n: int
    k: int
    m: int
    left: str
    right: str
    gradient: bool = False

    def shapes(self) -> dict[str, list[int]]:
        """Of the operands as they are stored."""
        left = [self.k, self.n] if self.gradient else [self.n, self.k]
        return {self.left: left, self.right: [self.k, self.m]}


def of_step(layers: Sequence[int], batch: int, samples: int) -> list[Product]:
    """Those of one step of RWS; the S samples of an image share its pixels.

    h, d: units awake and dreamt, with a 1 for the bias; p, q: weights; e: errors.
    """
    rows = batch * samples
    found = [Product(1, rows, layers[-1], "weights", "e prior", True)]
    for i, (lower, upper) in enumerate(pairwise(layers)):
        shared = batch if i == 0 else rows
        awake, above = f"h{i}", f"h{i + 1}"
        found += [
            Product(shared, lower + 1, upper, awake, f"q{i}"),
            Product(rows, upper + 1, lower, above, f"p{i}"),
            Product(rows, upper + 1, lower, f"d{i + 1}", f"p{i}"),
            Product(rows, lower + 1, upper, f"d{i}", f"q{i}"),
            Product(upper + 1, rows, lower, above, f"e p-wake {i}", True),
            Product(lower + 1, shared, upper, awake, f"e q-wake {i}", True),
            Product(lower + 1, rows, upper, f"d{i}", f"e q-sleep {i}", True),
        ]
    return found


def of_likelihood(layers: Sequence[int], images: int, samples: int) -> list[Product]:
    """Those of ``samples`` samples of q and their probability under p, for some images."""
    rows, found = images * samples, []
    for i, (lower, upper) in enumerate(pairwise(layers)):
        found += [
            Product(images if i == 0 else rows, lower + 1, upper, f"h{i}", f"q{i}"),
            Product(rows, upper + 1, lower, f"h{i + 1}", f"p{i}"),
        ]
    return found


Operands = Mapping[str, tf.Tensor]


def program(
    products: Sequence[Product], loops: int = 1, passed: Sequence[Pass] = ()
) -> Callable[[int], None]:
    """``run(times)``: all products ``times`` times, in each of ``loops`` loops side by side; and
    the passes ``passed``."""

    @tf.function(autograph=False)
    def run(times: tf.Tensor, sets: list[tuple[Operands, dict[str, Any]]]) -> list[tf.Tensor]:
        return [_loop(times, products, operands, passed, units) for operands, units in sets]

    sets = [(_operands(products), passes.operands(passed)) for _ in range(loops)]

    def call(times: int) -> None:
        for total in run(tf.constant(times), sets):
            total.numpy()

    return call


def _operands(products: Sequence[Product]) -> Operands:
    shapes = {name: shape for product in products for name, shape in product.shapes().items()}
    return {name: tf.random.stateless_normal(shape, shape) for name, shape in shapes.items()}


def _loop(
    times: tf.Tensor,
    products: Sequence[Product],
    operands: Operands,
    passed: Sequence[Pass],
    units: dict[str, Any],
) -> tf.Tensor:
    """Each round waits for the last: nothing is done early, or only once."""

    def body(i: tf.Tensor, last: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.control_dependencies([last]):
            corners = [
                tf.matmul(operands[p.left], operands[p.right], transpose_a=p.gradient)[0, 0]
                for p in products
            ] + [passes.corner(one, units, i) for one in passed]
        return i + 1, tf.add_n(corners)

    return tf.while_loop(lambda i, _: i < times, body, (0, tf.constant(0.0)))[1]
