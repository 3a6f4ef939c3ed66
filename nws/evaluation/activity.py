"""How much of a machine is in use: active units, and how well q knows p's posterior.

A unit of q is active if E_q[h|x] varies over images (Burda et al. 2016): one that does not says
nothing about x, and those above it learn nothing from it.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.evaluation.likelihood import ROWS
from nws.models import importance
from nws.models.helmholtz import Coding, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key

ACTIVE = 0.02  # variance over images of E_q[h|x], h in ±1, above which a unit is active


class Activity(NamedTuple):
    """``active`` (L,): share of active units of each hidden layer, from the image up.

    Means over images: ``effective_samples``, between 1 and S; ``gap`` in nats, log p̂(x) with S
    samples less the bound with one, which is KL(q(h|x) ‖ p(h|x)) as S grows.
    """

    active: tf.Tensor
    effective_samples: tf.Tensor
    gap: tf.Tensor


def activity(
    params: Parameters, x: tf.Tensor, samples: int, key: Key, coding: Coding, block: int = 100
) -> Activity:
    """Of images x (n, l[0]) in ±1, with at least two samples each. Call it in a ``tf.function``."""
    count, samples = x.shape[0], max(2, samples)
    images = max(1, min(count, block, ROWS // samples))
    blocks = -(-count // images)
    padded = tf.pad(x, [[0, blocks * images - count], [0, 0]], constant_values=1.0)
    start = tf.cast(key.step, tf.int32) * blocks

    def one(args: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        xs = tf.ensure_shape(args[0], [images, x.shape[1]])
        drawn = recognise(params, xs, samples, Key(key.seed, start + args[1]), coding, "validation")
        log_w = explain(params, drawn, coding).log_p - drawn.log_q
        gap = importance.log_likelihood(log_w) - tf.reduce_mean(log_w, axis=0)
        ess = importance.effective_sample_size(log_w)
        return (ess, gap, *_means(drawn.mu, samples, images))

    sizes = params.layers[1:]
    shapes = [[images]] * 2 + [[images, size] for size in sizes for _ in range(2)]
    found = tf.map_fn(
        one,
        (tf.reshape(padded, [blocks, images, x.shape[1]]), tf.range(blocks)),
        fn_output_signature=tuple(tf.TensorSpec(shape, x.dtype) for shape in shapes),
        parallel_iterations=2,
    )
    ess, gap, *pairs = (tf.reshape(t, [-1, *t.shape[2:]])[:count] for t in found)
    shares = [_share(*pairs[i : i + 2]) for i in range(0, len(pairs), 2)]
    return Activity(tf.stack(shares), tf.reduce_mean(ess), tf.reduce_mean(gap))


def _means(mu: tuple[tf.Tensor, ...], samples: int, images: int) -> list[tf.Tensor]:
    """For each layer the estimate of E_q[h|x], and its variance over samples, (images, units)."""
    found = [mu[0], tf.zeros_like(mu[0])]  # exact: it has no parents but x
    for layer in mu[1:]:
        each = tf.reshape(layer, [samples, images, layer.shape[-1]])
        found += [tf.reduce_mean(each, axis=0), tf.math.reduce_variance(each, axis=0)]
        found[-1] /= samples - 1.0
    return found


def _share(means: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Of units whose mean varies over images, without what sampling alone makes it vary."""
    varies = tf.math.reduce_variance(means, axis=0) - tf.reduce_mean(noise, axis=0)
    return tf.reduce_mean(tf.cast(varies > ACTIVE, means.dtype))
