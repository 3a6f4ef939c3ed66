"""What a run's settings choose: the algorithm, its solvers and optimizer, what it carries."""

from functools import partial
from itertools import pairwise
from typing import Any

import tensorflow as tf

from nws.algorithms.base import Algorithm, Options
from nws.algorithms.bihm import bihm
from nws.algorithms.decayed import decayed
from nws.algorithms.memoised import empty, memoised
from nws.algorithms.natural import Metric, Solvers, measure
from nws.algorithms.reweighted import reweighted
from nws.algorithms.wake_sleep import wake_sleep
from nws.config import RunSettings
from nws.fisher import choose
from nws.fisher.guard import guarded
from nws.machine.compilation import compilation
from nws.models.helmholtz import Coding
from nws.models.parameters import Parameters
from nws.models.random import Key
from nws.training.optimizers import Optimizer, adam, momentum, sgd


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


def optimizer(settings: RunSettings) -> Optimizer:
    """What turns gradients into steps."""
    if settings.optimizer == "sgd":
        return sgd()
    if settings.optimizer in ("momentum", "nesterov"):
        return momentum(settings.momentum, nesterov=settings.optimizer == "nesterov")
    return adam(settings.adam_beta1, settings.adam_beta2, settings.adam_epsilon)


def empty_memory(settings: RunSettings, images: int) -> Any:
    """That of so many training images, where memoised wake-sleep has seen none."""
    if settings.plain != "mws":
        return ()
    return empty(images, settings.memory, sum(settings.layers))


def empty_metric(settings: RunSettings, params: Parameters, batch: int) -> Any:
    """Zeros in the shape of the factored Fisher, for runs that carry it from step to step."""
    if not settings.natural:
        return ()
    layers = params.layers

    @tf.function(autograph=False)
    def shapes(params: Parameters) -> Metric:
        x = tf.ones([batch, layers[0]])
        plain = algorithm(settings, empty_memory(settings, batch), tf.range(batch))
        step = plain(params, x, Key(0, 0), options(settings))
        return measure(step.evidence, solvers(settings, layers), tf.constant(settings.damping))

    if settings.refresh <= 1:
        return ()
    traced = shapes.get_concrete_function(params)
    return tf.nest.map_structure(
        lambda spec: tf.zeros(spec.shape, spec.dtype), traced.structured_outputs
    )
