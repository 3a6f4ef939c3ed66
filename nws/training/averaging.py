"""Averages of the parameters over steps: what is published, while the last ones go on training.

Near an optimum a constant learning rate leaves the parameters wandering around it; their average
does not wander (Polyak and Juditsky 1992).
"""

from collections.abc import Callable

import tensorflow as tf

Weight = Callable[[tf.Tensor], tf.Tensor]

# At first the average reaches over the last tenth or so of the steps: weights ∝ s^(γ-1), γ = 10
# (polynomial decay, Shamir and Zhang 2013). The first steps are soon forgotten.
GAMMA = 10.0


def weight(kind: str, decay: float, start: float, steps: int) -> Weight:
    """step → w of ā ← ā + w (θ - ā), for parameters θ after that step.

    ``start``: before this fraction of ``steps`` the average is θ itself. With t the steps since
    then, tail: 1/(t+1), the plain mean; exponential: γ/(t+γ), until that is 1 - ``decay``.
    """
    first = round(start * steps)

    def value(step: tf.Tensor) -> tf.Tensor:
        t = tf.cast(tf.maximum(step - first, 0), tf.float32)
        if kind == "tail":
            return 1.0 / (t + 1.0)
        return tf.maximum(GAMMA / (t + GAMMA), 1.0 - decay)

    return value


def update(average: list[tf.Tensor], params: list[tf.Tensor], w: tf.Tensor) -> list[tf.Tensor]:
    """ā + w (θ - ā), tensor by tensor."""
    return [a + w * (theta - a) for a, theta in zip(average, params, strict=True)]
