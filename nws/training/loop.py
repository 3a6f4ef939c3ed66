"""The compiled training loop: one graph runs any stretch of an epoch.

Its steps are keyed by their number, so a run ends with the same bits wherever it was cut.
"""

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import tensorflow as tf

from nws.config import RunSettings
from nws.evaluation.activity import Activity, activity
from nws.evaluation.likelihood import estimate
from nws.machine.compilation import compilation, compiled
from nws.models.parameters import Parameters
from nws.models.random import Key, permutation, streams, symmetric_uniform
from nws.training import parts
from nws.training.growth import growing
from nws.training.program import Program
from nws.training.state import TrainState, no_totals
from nws.training.step import Numbers, flat, step_function

Bind = Callable[[RunSettings, int], Program]
Programs = dict[str, Bind]  # by the settings that they do not take as arguments

_COMPILING = Lock()  # runs side by side share their programs


def compile_run(
    settings: RunSettings,
    train: np.ndarray,
    valid: np.ndarray,
    seed: int,
    programs: Programs | None = None,
) -> Program:
    """Compile a run on ``train`` (n, l[0]) ({0, 1}, or grey values drawn anew at every step) and
    ``valid`` ({0, 1}).

    ``programs``: those of other runs on the same data. Runs that differ in η, α and seed alone are
    one program, traced once.
    """
    known = {} if programs is None else programs
    key = settings.model_dump_json(
        exclude=None if _folded(settings) else {"learning_rate", "damping"}
    )
    with _COMPILING:
        if key not in known:
            known.clear()  # the last one is kept: images are constants of a program
            compile_ = _compile_growing if settings.samples_later else _compile
            known[key] = compile_(settings, train, valid)
        bind = known[key]
    return bind(settings, seed)


def _rates(settings: RunSettings) -> tuple[tf.Tensor, tf.Tensor]:
    """η and α."""
    return tf.constant(settings.learning_rate), tf.constant(settings.damping)


def _folded(settings: RunSettings) -> bool:
    """Are η and α constants of the graph? Where every step factors anew, TensorFlow folds them into
    one constant, whose rounding the paper's runs have."""
    return settings.natural and settings.refresh <= 1


def _compile_growing(settings: RunSettings, train: np.ndarray, valid: np.ndarray) -> Bind:
    """Two programs that share a state, one for each number of samples."""
    later = settings.samples_later
    assert later is not None
    scored = settings.validation_samples or settings.samples
    first = settings.model_copy(update={"samples_later": None, "validation_samples": scored})
    then = first.model_copy(update={"samples": later.samples})
    few, many = _compile(first, train, valid), _compile(then, train, valid)
    return lambda run, seed: growing(few(run, seed), many(run, seed), later.after)


def _compile(settings: RunSettings, train: np.ndarray, valid: np.ndarray) -> Bind:
    """The program of all runs with these settings, whatever their η, α and seed."""
    layers = [train.shape[1], *settings.layers]
    per_epoch = max(1, len(train) // settings.batch)
    batch = min(settings.batch, len(train))
    stochastic = np.issubdtype(train.dtype, np.floating)
    # A GPU gathers rows of bool; for uint8 it has no kernel.
    images = tf.constant(train if stochastic else train.astype(bool))
    held_out = tf.constant(2.0 * valid.astype(np.float32) - 1.0)
    coding, block = parts.options(settings).coding, settings.evaluation_batch
    advance_one = step_function(settings, layers, settings.epochs * per_epoch)

    def batch_of(rows: tf.Tensor, key: Key) -> tf.Tensor:
        return _binary(tf.gather(images, rows), stochastic, key)

    def advance(
        numbers: Numbers, state: TrainState, epoch: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> TrainState:
        order = permutation(len(train), Key(numbers.seed, epoch))

        def body(i: tf.Tensor, state: TrainState) -> tuple[tf.Tensor, TrainState]:
            key = Key(numbers.seed, epoch * per_epoch + i)
            own = Numbers(*_rates(settings), numbers.seed) if _folded(settings) else numbers
            rows = tf.slice(order, [i * batch], [batch])  # a static shape
            return i + 1, advance_one(state, batch_of(rows, key), key, own, rows)

        return tf.while_loop(lambda i, _: i < stop, body, (start, state))[1]

    def validate(numbers: Numbers, params: Parameters, epoch: tf.Tensor) -> tf.Tensor:
        scored = settings.validation_samples or settings.samples
        key = Key(numbers.seed, epoch)
        result = estimate(params, held_out, scored, key, coding, "validation", block)
        return -tf.reduce_mean(result.log_likelihood)

    def diagnose(numbers: Numbers, params: Parameters, epoch: tf.Tensor) -> Activity:
        key = Key(numbers.seed, epoch)
        return activity(params, held_out, settings.samples, key, coding, block)

    def diagnosed(numbers: Numbers, params: Parameters, epoch: int) -> tuple[Any, ...]:
        if not settings.activity:
            return ()
        found = describe(numbers, params, number(epoch))
        active = tuple(float(share) for share in found.active)
        return float(found.effective_samples), float(found.gap), active

    def init(params: Parameters) -> TrainState:
        moments = parts.optimizer(settings).init(flat(params))
        metric = parts.empty_metric(settings, params, batch)
        average = () if settings.averaging.kind == "none" else params
        memory = parts.empty_memory(settings, len(train))
        return TrainState(params, moments, metric, no_totals(), average, memory)

    def number(value: int) -> tf.Tensor:
        return tf.constant(value, tf.int32)

    how = compilation(settings.compile)
    run_steps = compiled(advance, how, reduce_retracing=True)
    score = compiled(validate, how, reduce_retracing=True)
    describe = compiled(diagnose, how, reduce_retracing=True)

    def bind(run: RunSettings, seed: int) -> Program:
        numbers = Numbers(*_rates(run), streams(seed))
        return Program(
            per_epoch,
            init,
            lambda state, epoch, start, stop: run_steps(
                numbers, state, number(epoch), number(start), number(stop)
            ),
            lambda params, epoch: float(score(numbers, params, number(epoch))),
            partial(diagnosed, numbers),
        )

    return bind


def _binary(images: tf.Tensor, stochastic: bool, key: Key) -> tf.Tensor:
    """Rows of the training set as ±1: as they are, or each pixel drawn with its grey value."""
    values = 2.0 * tf.cast(images, tf.float32) - 1.0
    if not stochastic:
        return values
    size = images.shape[0] * images.shape[1]
    uniform = tf.reshape(symmetric_uniform(size, key, "pixels", 0.0), images.shape)
    return tf.where(uniform < values, 1.0, -1.0)
