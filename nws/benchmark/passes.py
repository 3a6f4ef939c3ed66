"""The other part of a step or a likelihood: what is done to every unit, one by one.

Random numbers, means, draws, log-probabilities, errors: a few operations on each number of a
matrix, which no product holds. They are those of the models, on operands that do not depend on one
another, so that with the products in one loop they are a step without its order: the bound that a
better order could come near.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import tensorflow as tf

from nws.models import sbn
from nws.models.random import Key, symmetric_uniform

CLIP = 1e-3


class Pass(NamedTuple):
    """One of :data:`KINDS` on a matrix of (rows, units)."""

    kind: str
    rows: int
    units: int


def of_step(layers: Sequence[int], batch: int, samples: int) -> list[Pass]:
    """Those of one step of RWS: awake, explained by p, dreamt, and q asleep."""
    rows = batch * samples
    found = [Pass("uniform", rows, sum(layers[1:])), Pass("uniform", rows, sum(layers))]
    for i, (lower, upper) in enumerate(pairwise(layers)):
        shared = batch if i == 0 else rows
        kinds = [
            *_recognised(shared, rows, upper),
            *_explained(rows, lower),
            *[(kind, rows, lower) for kind in ("mean", "draw", "augment")],  # dreamt
            ("mean", rows, upper),  # q asleep
            ("weigh", rows, upper + 1),
            ("weigh", shared, lower + 1),
            *[("error", rows, units) for units in (lower, upper, upper)],
        ]
        found += [Pass(*one) for one in kinds]
    return found


def of_likelihood(layers: Sequence[int], images: int, samples: int) -> list[Pass]:
    """Those of so many samples of q, and of their probability under p."""
    rows = images * samples
    found = [Pass("uniform", rows, sum(layers[1:]))]
    for i, (lower, upper) in enumerate(pairwise(layers)):
        shared = images if i == 0 else rows
        found += [Pass(*p) for p in (*_recognised(shared, rows, upper), *_explained(rows, lower))]
    return found


def _recognised(shared: int, rows: int, units: int) -> list[tuple[str, int, int]]:
    return [
        ("mean", shared, units),
        ("draw", rows, units),
        ("log_prob", shared, units),
        ("augment", rows, units),
    ]


def _explained(rows: int, units: int) -> list[tuple[str, int, int]]:
    return [("mean", rows, units), ("log_prob", rows, units)]


Operands = tuple[tf.Tensor, tf.Tensor]

# Of two matrices a and b, and the number of the round.
KINDS: dict[str, Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "uniform": lambda a, b, i: symmetric_uniform(a.shape[0] * a.shape[1], Key(0, i), "wake", CLIP),
    "mean": lambda a, b, i: sbn.bounded(a, CLIP),
    "draw": lambda a, b, i: sbn.draw(a, b),
    "log_prob": lambda a, b, i: sbn.log_prob(a, b),
    "error": lambda a, b, i: a - b,
    "weigh": lambda a, b, i: a * b[:, :1],
    "augment": lambda a, b, i: sbn.augment(a),
}


def operands(passes: Sequence[Pass]) -> dict[str, Operands]:
    """Two matrices of every shape: numbers in (-1, 1), as means have them."""
    shapes = {(one.rows, one.units) for one in passes}
    return {
        f"{rows} {units}": tuple(
            tf.tanh(tf.random.stateless_normal([rows, units], [k, rows])) for k in (0, 1)
        )
        for rows, units in sorted(shapes)
    }


def corner(one: Pass, matrices: dict[str, Operands], i: tf.Tensor) -> tf.Tensor:
    """One number of a pass in round ``i``: all of it is computed."""
    a, b = matrices[f"{one.rows} {one.units}"]
    return tf.reshape(KINDS[one.kind](a, b, i), [-1])[0]
