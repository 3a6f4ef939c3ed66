"""SGD, with or without momentum, and Adam as functions of tensors: a run's whole state is a value.

Keras' optimizers keep theirs in variables, and their ``stateless_apply`` is not offered on
TensorFlow; a test holds these few lines to Keras' results instead.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

Tensors = list[tf.Tensor]


class Optimizer(NamedTuple):
    """``init(params) → state``; ``update(gradients, state, params, η) → (params, state)``.

    ``params`` and ``gradients`` are flat lists of tensors; gradients point uphill.
    """

    init: Callable[[Tensors], Any]
    update: Callable[[Tensors, Any, Tensors, tf.Tensor], tuple[Tensors, Any]]


class Moments(NamedTuple):
    """Adam's running means of g and g², and the number of updates."""

    first: Tensors
    second: Tensors
    count: tf.Tensor


def sgd() -> Optimizer:
    """θ ← θ + η g."""

    def update(g: Tensors, state: Any, params: Tensors, rate: tf.Tensor) -> tuple[Tensors, Any]:
        return [w + rate * d for w, d in zip(params, g, strict=True)], state

    return Optimizer(lambda params: (), update)


def momentum(beta: float, nesterov: bool = False) -> Optimizer:
    """v ← βv + g; θ ← θ + ηv, or θ ← θ + η(g + βv) with Nesterov's (Sutskever et al. 2013).

    With a natural gradient g, v is a sum of natural gradients, each under its own step's metric.
    """

    def init(params: Tensors) -> Tensors:
        return [tf.zeros_like(w) for w in params]

    def update(
        g: Tensors, state: Tensors, params: Tensors, rate: tf.Tensor
    ) -> tuple[Tensors, Tensors]:
        velocity = [beta * v + d for v, d in zip(state, g, strict=True)]
        ahead = [d + beta * v for v, d in zip(velocity, g, strict=True)] if nesterov else velocity
        return [w + rate * v for w, v in zip(params, ahead, strict=True)], velocity

    return Optimizer(init, update)


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """θ ← θ + η√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v + ε) (Kingma & Ba 2015, the form before Algorithm 1's
    bias-corrected moments, as in TensorFlow and Keras)."""

    def init(params: Tensors) -> Moments:
        zeros = [tf.zeros_like(w) for w in params]
        return Moments(zeros, list(zeros), tf.zeros([], tf.int32))

    def update(
        g: Tensors, state: Moments, params: Tensors, rate: tf.Tensor
    ) -> tuple[Tensors, Moments]:
        t = tf.cast(state.count + 1, tf.float32)
        rate *= tf.sqrt(1.0 - tf.pow(beta2, t)) / (1.0 - tf.pow(beta1, t))
        first = [m + (1.0 - beta1) * (d - m) for m, d in zip(state.first, g, strict=True)]
        second = [
            v + (1.0 - beta2) * (tf.square(d) - v) for v, d in zip(state.second, g, strict=True)
        ]
        params = [
            w + rate * m / (tf.sqrt(v) + epsilon)
            for w, m, v in zip(params, first, second, strict=True)
        ]
        return params, Moments(first, second, state.count + 1)

    return Optimizer(init, update)
