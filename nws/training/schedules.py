"""Values that change over the training, by several laws, from 1 to ``end``."""

from collections.abc import Callable

import tensorflow as tf


def schedule(
    kind: str, start: float | tf.Tensor, end: float, steps: int
) -> Callable[[tf.Tensor], tf.Tensor]:
    """step → value: ``start`` at step 0; at ``steps`` and after, ``start * end``.

    With t = step/steps, linear: start·(1 - (1-end)·t); exponential: start·end^t; inverse:
    start/(1 + (1/end - 1)·t), which halves after steps/(1/end - 1) steps and falls as 1/t later:
    for a training whose length is not known beforehand (Robbins and Monro 1951).
    """

    def value(step: tf.Tensor) -> tf.Tensor:
        t = tf.minimum(tf.cast(step, tf.float32) / steps, 1.0)
        if kind == "linear":
            return start * (1.0 - (1.0 - end) * t)
        if kind == "exponential":
            return start * tf.pow(tf.constant(end), t)
        if kind == "inverse":
            return start / (1.0 + (1.0 / end - 1.0) * t)
        return tf.convert_to_tensor(start, tf.float32)

    return value
