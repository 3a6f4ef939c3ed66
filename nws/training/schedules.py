"""Values that change over the training: constant, linear or exponential from 1 to ``end``."""

from collections.abc import Callable

import tensorflow as tf


def schedule(
    kind: str, start: float | tf.Tensor, end: float, steps: int
) -> Callable[[tf.Tensor], tf.Tensor]:
    """step → value: ``start`` at step 0; at ``steps`` and after, ``start * end``.

    linear: start·(1 - (1-end)·t); exponential: start·end^t; with t = step/steps.
    """

    def value(step: tf.Tensor) -> tf.Tensor:
        t = tf.minimum(tf.cast(step, tf.float32) / steps, 1.0)
        if kind == "linear":
            return start * (1.0 - (1.0 - end) * t)
        if kind == "exponential":
            return start * tf.pow(tf.constant(end), t)
        return tf.convert_to_tensor(start, tf.float32)

    return value
