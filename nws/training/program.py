"""What the training loop needs of a compiled run."""

from collections.abc import Callable
from typing import Any, NamedTuple

from nws.models.parameters import Parameters
from nws.training.state import TrainState


class Program(NamedTuple):
    """The compiled functions of one run.

    ``init(params)`` → state; ``advance(state, epoch, start, stop)`` runs steps start … stop-1 of an
    epoch; ``validate(params, epoch)`` → mean negative bound on the validation split;
    ``diagnose(params, epoch)`` → its effective sample size, gap and active units, where asked for.
    """

    steps_per_epoch: int
    init: Callable[[Parameters], TrainState]
    advance: Callable[[TrainState, int, int, int], TrainState]
    validate: Callable[[Parameters, int], float]
    diagnose: Callable[[Parameters, int], tuple[Any, ...]] = lambda params, epoch: ()
