"""The compiled training loop: one graph runs any stretch of an epoch.

Its steps are keyed by their number, so a run ends with the same bits wherever it was cut.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nws.algorithms.base import Algorithm, Options, Step
from nws.algorithms.bihm import bihm
from nws.algorithms.decayed import decayed
from nws.algorithms.memoised import empty, memoised
from nws.algorithms.natural import Metric, Quality, Solvers, measure, natural
from nws.algorithms.reweighted import reweighted
from nws.algorithms.wake_sleep import wake_sleep
from nws.config import RunSettings, Schedule
from nws.evaluation.activity import Activity, activity
from nws.evaluation.likelihood import estimate
from nws.fisher import choose
from nws.fisher.guard import guarded
from nws.machine.compilation import compilation, compiled
from nws.models.helmholtz import Coding
from nws.models.parameters import Parameters
from nws.models.random import Key, permutation, streams, symmetric_uniform
from nws.training import averaging
from nws.training.growth import growing
from nws.training.optimizers import Optimizer, adam, momentum, sgd
from nws.training.program import Program
from nws.training.schedules import schedule
from nws.training.state import Totals, TrainState, no_totals


def options(settings: RunSettings) -> Options:
    """What the algorithms need of a run's settings."""
    return Options(
        samples=settings.samples,
        q_wake=settings.q_wake,
        baseline=settings.baseline,
        scale=1.0 if settings.gradient_convention == "argo" else 0.5,
        coding=Coding(settings.coding, settings.clip),
        fisher=settings.natural,
        q_sleep=settings.q_sleep,
    )


ALGORITHMS: dict[str, Algorithm] = {"ws": wake_sleep, "rws": reweighted, "bihm": bihm}


def algorithm(settings: RunSettings, memory: Any = (), rows: Any = None) -> Algorithm:
    """WS, RWS, BiHM or MWS, with what its weights cost: what the natural gradient wraps. MWS on the
    images number ``rows`` of its ``memory``."""
    remembering = partial(memoised, memory=memory, rows=rows)
    found = remembering if settings.plain == "mws" else ALGORITHMS[settings.plain]
    return decayed(found, settings.weight_decay) if settings.weight_decay else found


def solvers(settings: RunSettings, layers: list[int]) -> Solvers:
    """A solver for every layer; the bottom layer of q sees each image once, not S times."""
    dreams = settings.batch * settings.samples

    def one(n: int, parents: int, units: int) -> Any:
        solver = choose(
            settings.solver,
            n,
            parents + 1,
            units,
            max(1, settings.refresh),
            settings.cg_tolerance,
            settings.cg_iterations,
            static=compilation(settings.compile) == "xla",
        )
        return guarded(solver, settings.unit_damping)

    pairs = list(pairwise(layers))
    return Solvers(
        tuple(one(dreams, upper, lower) for lower, upper in pairs),
        tuple(
            one(settings.batch if i == 0 else dreams, lower, upper)
            for i, (lower, upper) in enumerate(pairs)
        ),
    )


def _optimizer(settings: RunSettings) -> Optimizer:
    if settings.optimizer == "sgd":
        return sgd()
    if settings.optimizer in ("momentum", "nesterov"):
        return momentum(settings.momentum, nesterov=settings.optimizer == "nesterov")
    return adam(settings.adam_beta1, settings.adam_beta2, settings.adam_epsilon)


def _flat(params: Parameters) -> list[tf.Tensor]:
    return [*params.p, params.prior, *params.q]


def _unflat(tensors: list[tf.Tensor]) -> Parameters:
    depth = len(tensors) // 2
    return Parameters(tuple(tensors[:depth]), tensors[depth], tuple(tensors[depth + 1 :]))


def _binary(images: tf.Tensor, stochastic: bool, key: Key) -> tf.Tensor:
    """Rows of the training set as ±1: as they are, or each pixel drawn with its grey value."""
    values = 2.0 * tf.cast(images, tf.float32) - 1.0
    if not stochastic:
        return values
    size = images.shape[0] * images.shape[1]
    uniform = tf.reshape(symmetric_uniform(size, key, "pixels", 0.0), images.shape)
    return tf.where(uniform < values, 1.0, -1.0)


class Numbers(NamedTuple):
    """What runs of one program differ in: η and α at the start, and the streams of the seed."""

    learning_rate: tf.Tensor
    damping: tf.Tensor
    seed: tuple[tf.Tensor, ...]


StepFunction = Callable[..., TrainState]  # (state, x, key, numbers, rows of x in the training set)


def step_function(settings: RunSettings, layers: list[int], total_steps: int) -> StepFunction:
    """One update of p and q from one batch x (B, l[0]) in ±1."""
    opts, optimizer = options(settings), _optimizer(settings)

    def at(step: tf.Tensor, start: tf.Tensor, change: Schedule) -> tf.Tensor:
        return schedule(change.kind, start, change.end, total_steps)(step)

    averaged = _averaged(settings, total_steps)
    found = solvers(settings, layers)

    def gradients(
        state: TrainState, x: tf.Tensor, key: Key, damping: tf.Tensor, rows: tf.Tensor | None
    ) -> tuple[Step, Any, Quality | None]:
        plain = algorithm(settings, state.memory, rows)
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
            _flat(step.gradients), state.optimizer, _flat(state.params), rate
        )
        totals = _add(state.totals, tf.reduce_mean(step.bound), quality)
        after = _frozen(settings.freeze, state.params, _unflat(params))
        average = averaged(state.average, _flat(after), key.step)
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
        return _unflat(averaging.update(_flat(average), params, weight(step)))

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
        coding = options(settings).coding
        result = estimate(
            params,
            held_out,
            settings.validation_samples or settings.samples,
            Key(numbers.seed, epoch),
            coding,
            "validation",
            settings.evaluation_batch,
        )
        return -tf.reduce_mean(result.log_likelihood)

    def diagnose(numbers: Numbers, params: Parameters, epoch: tf.Tensor) -> Activity:
        coding, block = options(settings).coding, settings.evaluation_batch
        key = Key(numbers.seed, epoch)
        return activity(params, held_out, settings.samples, key, coding, block)

    def diagnosed(numbers: Numbers, params: Parameters, epoch: int) -> tuple[Any, ...]:
        if not settings.activity:
            return ()
        found = describe(numbers, params, number(epoch))
        active = tuple(float(share) for share in found.active)
        return float(found.effective_samples), float(found.gap), active

    def init(params: Parameters) -> TrainState:
        moments = _optimizer(settings).init(_flat(params))
        metric = _empty_metric(settings, params, batch)
        average = () if settings.averaging.kind == "none" else params
        memory = _empty_memory(settings, len(train))
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


def _empty_memory(settings: RunSettings, images: int) -> Any:
    if settings.plain != "mws":
        return ()
    return empty(images, settings.memory, sum(settings.layers))


def _empty_metric(settings: RunSettings, params: Parameters, batch: int) -> Any:
    """Zeros in the shape of the factored Fisher, for runs that carry it from step to step."""
    if not settings.natural:
        return ()
    layers = params.layers

    @tf.function(autograph=False)
    def shapes(params: Parameters) -> Metric:
        x = tf.ones([batch, layers[0]])
        plain = algorithm(settings, _empty_memory(settings, batch), tf.range(batch))
        step = plain(params, x, Key(0, 0), options(settings))
        return measure(step.evidence, solvers(settings, layers), tf.constant(settings.damping))

    if settings.refresh <= 1:
        return ()
    traced = shapes.get_concrete_function(params)
    return tf.nest.map_structure(
        lambda spec: tf.zeros(spec.shape, spec.dtype), traced.structured_outputs
    )
