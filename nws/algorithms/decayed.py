"""Weight decay of p as a wrapper: a Gaussian prior on its weights.

p climbs log p - (λ/2)‖W‖² per image, where λ = 1/(nσ²) is a prior of variance σ² over n images. q
needs none: it may dream as often as it likes.
"""

import tensorflow as tf

from nws.algorithms.base import Algorithm, Options, Step
from nws.models.parameters import Parameters
from nws.models.random import Key


def decayed(algorithm: Algorithm, decay: float) -> Algorithm:
    """``algorithm`` with λW taken from p's gradients, in their convention; biases are left alone.

    The natural gradient that wraps it is F̃⁻¹(g - λW).
    """

    def step(params: Parameters, x: tf.Tensor, key: Key, options: Options) -> Step:
        plain = algorithm(params, x, key, options)
        weight = 2.0 * options.scale * decay
        p = tuple(
            g - tf.concat([weight * W[:-1], tf.zeros_like(W[-1:])], axis=0)
            for g, W in zip(plain.gradients.p, params.p, strict=True)
        )
        return plain._replace(gradients=plain.gradients._replace(p=p))

    return step
