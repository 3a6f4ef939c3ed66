"""The whole state of a training run, as a value."""

from typing import Any, NamedTuple

import tensorflow as tf

from nws.models.parameters import Parameters


class Totals(NamedTuple):
    """Sums over the steps of the current epoch."""

    bound: tf.Tensor  # Σ of the steps' mean bounds
    residual: tf.Tensor  # the largest relative residual of a solve
    iterations: tf.Tensor  # Σ of the steps' mean solver iterations
    finite: tf.Tensor  # was every solution finite?


class TrainState(NamedTuple):
    """Parameters, optimizer state, the factored Fisher (empty: not carried), sums of the epoch, the
    average of the parameters (empty: none is kept), and what is remembered of the training images
    (memoised wake-sleep).

    With the step number this is all that the rest of the run depends on: random numbers are
    functions of (seed, purpose, step).
    """

    params: Parameters
    optimizer: Any
    metric: Any
    totals: Totals
    average: Any = ()
    memory: Any = ()

    @property
    def published(self) -> Parameters:
        """What is validated, scored and saved: the average, where there is one."""
        return self.average or self.params

    def without_metric(self) -> "TrainState":
        """With None for each tensor of the Fisher, as a refresh makes it anew."""
        return self._replace(metric=tf.nest.map_structure(lambda _: None, self.metric))


def no_totals() -> Totals:
    """The sums at the start of an epoch."""
    zero = tf.zeros([], tf.float32)
    return Totals(zero, zero, zero, tf.constant(True))
