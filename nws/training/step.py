"""One update of p and q from one batch: what a run does over and over."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from nws.algorithms.base import Step
from nws.algorithms.natural import Quality, natural
from nws.config import RunSettings, Schedule
from nws.models.parameters import Parameters
from nws.models.random import Key
from nws.training import averaging, parts
from nws.training.schedules import schedule
from nws.training.state import Totals, TrainState


class Numbers(NamedTuple):
    """What runs of one program differ in: η and α at the start, and the streams of the seed."""

    learning_rate: tf.Tensor
    damping: tf.Tensor
    seed: tuple[tf.Tensor, ...]


StepFunction = Callable[..., TrainState]  # (state, x, key, numbers, rows of x in the training set)


def step_function(settings: RunSettings, layers: list[int], total_steps: int) -> StepFunction:
    """One update of p and q from one batch x (B, l[0]) in ±1."""
    opts, optimizer = parts.options(settings), parts.optimizer(settings)

    def at(step: tf.Tensor, start: tf.Tensor, change: Schedule) -> tf.Tensor:
        return schedule(change.kind, start, change.end, total_steps)(step)

    averaged = _averaged(settings, total_steps)
    found = parts.solvers(settings, layers)

    def gradients(
        state: TrainState, x: tf.Tensor, key: Key, damping: tf.Tensor, rows: tf.Tensor | None
    ) -> tuple[Step, Any, Quality | None]:
        plain = parts.algorithm(settings, state.memory, rows)
        if not settings.natural:
            return plain(state.params, x, key, opts), state.metric, None
        every = settings.refresh
        refresh = tf.equal(key.step % every, 0) if every > 1 else None
        step, metric, quality = natural(plain, found)(
            state.params, x, key, opts, state.metric, refresh, damping
        )
        return step, metric if every > 1 else (), quality

    def advance(
        state: TrainState,
        x: tf.Tensor,
        key: Key,
        numbers: Numbers,
        rows: tf.Tensor | None = None,
    ) -> TrainState:
        rate = at(key.step, numbers.learning_rate, settings.learning_rate_schedule)
        damping = at(key.step, numbers.damping, settings.damping_schedule)
        step, metric, quality = gradients(state, x, key, damping, rows)
        params, moments = optimizer.update(
            flat(step.gradients), state.optimizer, flat(state.params), rate
        )
        totals = _add(state.totals, tf.reduce_mean(step.bound), quality)
        after = _frozen(settings.freeze, state.params, _unflat(params))
        average = averaged(state.average, flat(after), key.step)
        return TrainState(after, moments, metric, totals, average, step.memory)

    return advance


def _frozen(which: str, before: Parameters, after: Parameters) -> Parameters:
    """``after``, but one of the two networks as it was ``before``."""
    if which == "p":
        return after._replace(p=before.p, prior=before.prior)
    return after._replace(q=before.q) if which == "q" else after


def _averaged(settings: RunSettings, total_steps: int) -> Callable[..., Any]:
    """(average, flat parameters after a step, step) → the next average; () where none is kept."""
    kind, decay, start = settings.averaging.kind, settings.averaging.decay, settings.averaging.start
    if kind == "none":
        return lambda average, params, step: ()
    weight = averaging.weight(kind, decay, start, total_steps)

    def averaged(average: Parameters, params: list[tf.Tensor], step: tf.Tensor) -> Parameters:
        return _unflat(averaging.update(flat(average), params, weight(step)))

    return averaged


def _add(totals: Totals, bound: tf.Tensor, quality: Quality | None) -> Totals:
    totals = totals._replace(bound=totals.bound + bound)
    if quality is None:
        return totals
    return totals._replace(
        residual=tf.maximum(totals.residual, quality.residual),
        iterations=totals.iterations + quality.iterations,
        finite=totals.finite & quality.finite,
    )


def flat(params: Parameters) -> list[tf.Tensor]:
    """p, the prior, q, as optimizers take them."""
    return [*params.p, params.prior, *params.q]


def _unflat(tensors: list[tf.Tensor]) -> Parameters:
    depth = len(tensors) // 2
    return Parameters(tuple(tensors[:depth]), tensors[depth], tuple(tensors[depth + 1 :]))
