"""The bound: a graph of nothing but the matrix products of a training step, or of a likelihood.

The same shapes in the same kind of loop. Operands do not depend on one another, so both cores can
always work: it is a lower bound, not a program that could be written.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import tensorflow as tf


class Product(NamedTuple):
    """(n, k) @ (k, m); ``gradient``: the left operand is stored (k, n) and transposed."""

    n: int
    k: int
    m: int
    gradient: bool = False


def of_step(layers: Sequence[int], batch: int, samples: int) -> list[Product]:
    """Those of one step of RWS; the S samples of an image share its pixels."""
    rows, found = batch * samples, [Product(1, batch * samples, layers[-1])]
    for i, (lower, upper) in enumerate(pairwise(layers)):
        shared = batch if i == 0 else rows
        found += [Product(shared, lower + 1, upper), Product(lower + 1, shared, upper, True)]
        found += 2 * [Product(rows, upper + 1, lower)]  # p of recognised samples, and dreams
        found += [Product(upper + 1, rows, lower, True)]
        found += [Product(rows, lower + 1, upper), Product(lower + 1, rows, upper, True)]
    return found


def of_likelihood(layers: Sequence[int], images: int, samples: int) -> list[Product]:
    """Those of ``samples`` samples of q and their probability under p, for some images."""
    rows, found = images * samples, []
    for i, (lower, upper) in enumerate(pairwise(layers)):
        found += [Product(images if i == 0 else rows, lower + 1, upper)]
        found += [Product(rows, upper + 1, lower)]
    return found


def program(products: Sequence[Product], loops: int = 1) -> Callable[[int], None]:
    """``run(times)``: all products ``times`` times, in each of ``loops`` loops side by side."""

    @tf.function(autograph=False)
    def run(times: tf.Tensor, sets: list[list[tuple[tf.Tensor, tf.Tensor]]]) -> list[tf.Tensor]:
        return [_loop(times, products, operands) for operands in sets]

    sets = [[_operands(product) for product in products] for _ in range(loops)]

    def call(times: int) -> None:
        for total in run(tf.constant(times), sets):
            total.numpy()

    return call


def _operands(product: Product) -> tuple[tf.Tensor, tf.Tensor]:
    """Two left operands to choose from, and the right one."""
    n, k, m, gradient = product
    shape = [2, k, n] if gradient else [2, n, k]
    return tf.random.stateless_normal(shape, [n, k]), tf.random.stateless_normal([k, m], [k, m])


def _loop(
    times: tf.Tensor, products: Sequence[Product], operands: list[tuple[tf.Tensor, tf.Tensor]]
) -> tf.Tensor:
    """The sign of the last sum chooses the next operands: nothing is done early, or only once."""

    def body(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        choice = tf.cast(total > 0.0, tf.int32)
        corners = [
            tf.matmul(left[choice], right, transpose_a=product.gradient)[0, 0]
            for product, (left, right) in zip(products, operands, strict=True)
        ]
        return i + 1, tf.add_n(corners)

    return tf.while_loop(lambda i, _: i < times, body, (0, tf.constant(0.0)))[1]
