"""Memoised wake-sleep (MWS): every training image remembers the M best latent states found for it.

Source: Hewitt, Le and Tenenbaum, "Learning to learn generative programs with Memoised Wake-Sleep",
2020.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.algorithms.base import Options, Step, evidence, p_wake, q_sleep, q_wake
from nws.models import importance, sbn
from nws.models.helmholtz import Coding, Recognised, dream, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key

BITS = 31  # of an int32, whose sign is left alone: kernels for a GPU have no bytes


class Memory(NamedTuple):
    """For each of n images up to M distinct states of all hidden units, packed into words:
    ``states`` (n, M, words) int32, ``known`` (n, M): is the place taken?"""

    states: tf.Tensor
    known: tf.Tensor


def empty(images: int, places: int, units: int) -> Memory:
    """Nothing remembered yet, for machines with so many hidden units."""
    shape = (images, places)
    return Memory(tf.zeros([*shape, -(-units // BITS)], tf.int32), tf.zeros(shape, tf.bool))


def memoised(
    params: Parameters, x: tf.Tensor, key: Key, options: Options, memory: Memory, rows: tf.Tensor
) -> Step:
    """One step of MWS on x (B, l[0]) in ±1, the images number ``rows`` (B,) of the memory.

    S states are proposed from q(h|x); of these and the remembered ones, the M distinct ones with
    the highest p(x, h) are kept. p climbs log p(x, h), q log q(h|x), at the kept states, weighed by
    p(x, h): the expectation of the source's single draw. q learns asleep too (``q_wake``,
    ``q_sleep``). ``Step.memory`` is the memory after it.
    """
    samples, coding, batch = options.samples, options.coding, x.shape[0]
    proposed = recognise(params, x, samples, key, coding)
    old = Memory(*(tf.gather(part, rows) for part in memory))
    packed = tf.concat([old.states, _pack(_units(proposed, samples))], axis=1)
    known = tf.pad(old.known, [[0, 0], [0, samples]], constant_values=True)
    candidates = _recalled(params, x, _unpack(packed, sum(params.layers[1:])), coding)
    explained = explain(params, candidates, coding)
    valid = known & ~_repeated(packed, known)
    score = tf.where(valid, tf.transpose(explained.log_p), -float("inf"))
    best, place = tf.math.top_k(score, old.known.shape[1])
    kept = Memory(tf.gather(packed, place, batch_dims=1), best > -float("inf"))
    weights = tf.transpose(_softmax_over(score, best, place))
    p, prior = p_wake(candidates, explained, weights / batch, options.scale)
    awake = q_wake(candidates, weights * (options.q_wake / batch), options.scale)
    dreamt = dream(params, samples * batch, key, coding)
    asleep = q_sleep(
        params, dreamt, options.asleep * options.scale / (samples * batch), coding.clip
    )
    log_w = explained.log_p[-samples:] - proposed.log_q
    after = Memory(*(
        tf.tensor_scatter_nd_update(whole, rows[:, None], part)
        for whole, part in zip(memory, kept, strict=True)
    ))  # fmt: skip
    gradients = Parameters(p, prior, tuple(map(tf.add, awake, asleep)))
    bound = importance.log_likelihood(log_w)
    return Step(gradients, bound, evidence(proposed, dreamt), after)


def _softmax_over(score: tf.Tensor, best: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """p(x, h) normalised over the places kept, and 0 elsewhere, (B, K)."""
    weights = tf.nn.softmax(best, axis=-1)
    return tf.einsum("bm,bmk->bk", weights, tf.one_hot(place, score.shape[1]))


def _units(sampled: Recognised, samples: int) -> tf.Tensor:
    """The hidden units of S samples of B images, (B, S, units) in ±1."""
    flat = tf.concat(sampled.h[1:], axis=-1)
    return tf.transpose(tf.reshape(flat, [samples, -1, flat.shape[-1]]), [1, 0, 2])


def _pack(units: tf.Tensor) -> tf.Tensor:
    """(B, K, units) in ±1 → (B, K, words): 31 units a word, the first one the lowest bit."""
    batch, count, size = units.shape
    length = -(-size // BITS)
    on = tf.pad(tf.cast(units > 0, tf.int32), [[0, 0], [0, 0], [0, length * BITS - size]])
    grouped = tf.reshape(on, [batch, count, length, BITS])
    return tf.reduce_sum(grouped * 2 ** tf.range(BITS), axis=-1)


def _unpack(packed: tf.Tensor, size: int) -> tf.Tensor:
    """The inverse of :func:`_pack`, for so many units."""
    batch, count, length = packed.shape
    bits = packed[..., None] // 2 ** tf.range(BITS) % 2
    flat = tf.reshape(bits, [batch, count, length * BITS])[..., :size]
    return 2.0 * tf.cast(flat, tf.float32) - 1.0


def _repeated(packed: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Is the state of a place the same as that of a known place before it? (B, K)."""
    same = tf.reduce_all(packed[:, :, None] == packed[:, None], axis=-1)
    count = packed.shape[1]
    before = tf.range(count)[:, None] > tf.range(count)
    return tf.reduce_any(same & before & known[:, None], axis=-1)


def _recalled(params: Parameters, x: tf.Tensor, units: tf.Tensor, coding: Coding) -> Recognised:
    """Given states (B, K, units) as if they had been sampled, with the means that q has for them;
    ``log_q`` is 0."""
    batch, count, size = units.shape
    flat = tf.reshape(tf.transpose(units, [1, 0, 2]), [count * batch, size])
    h = [x, *tf.split(flat, params.layers[1:], axis=-1)]
    parents = [sbn.augment(layer, coding.values) for layer in h]
    mu = [sbn.mean(H, W, coding.clip) for H, W in zip(parents, params.q, strict=False)]
    return Recognised(tuple(h), tuple(parents), tuple(mu), tf.zeros([count, batch], x.dtype))
