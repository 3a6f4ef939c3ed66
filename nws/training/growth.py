"""A run whose number of samples S grows: two programs that share one state."""

import tensorflow as tf

from nws.errors import NwsError
from nws.models.parameters import Parameters
from nws.training.program import Program
from nws.training.state import TrainState


def growing(few: Program, many: Program, after: int) -> Program:
    """``few`` for the first ``after`` epochs, ``many`` from then on; validated by ``few`` alone, so
    that its losses can be compared.

    NwsError where the state of one does not fit the other: a metric that is kept from step to step
    as samples has as many rows as there are samples.
    """

    def init(params: Parameters) -> TrainState:
        state = few.init(params)
        if _shapes(state) != _shapes(many.init(params)):
            raise NwsError(
                "samples_later: this solver keeps a row for each sample over its K steps; set "
                "refresh to 1, or solver to cholesky, or to shared with more samples × batch from "
                "the start than any hidden layer has units"
            )
        return state

    def advance(state: TrainState, epoch: int, start: int, stop: int) -> TrainState:
        if epoch == start == stop == 0:  # the call that compiles
            many.advance(state, 0, 0, 0)
        return (few if epoch < after else many).advance(state, epoch, start, stop)

    return few._replace(init=init, advance=advance)


def _shapes(state: TrainState) -> list[tf.TensorShape]:
    return [tensor.shape for tensor in tf.nest.flatten(state)]
