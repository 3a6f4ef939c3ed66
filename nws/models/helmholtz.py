"""The two stacks of a Helmholtz machine: recognition q(h|x) upwards, generation p(x, h) downwards.

Samples are rows. Where S samples share an image, rows are ordered sample by sample: row s·B + b.
"""

from typing import NamedTuple

import tensorflow as tf

from nws.models import sbn
from nws.models.parameters import Parameters
from nws.models.random import Key, symmetric_uniform


class Coding(NamedTuple):
    """How units are represented: values fed to the next layer, and the clip of probabilities."""

    values: str = "pm1"
    clip: float = 1e-3


class Recognised(NamedTuple):
    """h ~ q(h|x), S samples for each of B images. Layer 0 of q sees each image once.

    ``parents[i]`` is h̃[i], (B, l[0]+1) for the images, else (S·B, l[i]+1); ``h[i]`` likewise;
    ``mu[i]`` is E_q[h[i+1] | h[i]]; ``log_q`` (S, B).
    """

    h: tuple[tf.Tensor, ...]
    parents: tuple[tf.Tensor, ...]
    mu: tuple[tf.Tensor, ...]
    log_q: tf.Tensor


class Explained(NamedTuple):
    """What p makes of recognised samples: ``mu[i]`` = E_p[h[i] | h[i+1]]; ``log_p`` (S, B)."""

    mu: tuple[tf.Tensor, ...]
    prior_mu: tf.Tensor
    log_p: tf.Tensor


class Dreamt(NamedTuple):
    """(x, h) ~ p(x, h), n rows. ``parents[i]`` is h̃[i], ``mu[i]`` = E_p[h[i] | h[i+1]]."""

    h: tuple[tf.Tensor, ...]
    parents: tuple[tf.Tensor, ...]
    mu: tuple[tf.Tensor, ...]
    prior_mu: tf.Tensor


def _uniforms(sizes: list[int], rows: int, key: Key, purpose: str, clip: float) -> list[tf.Tensor]:
    """One call of the generator for all layers."""
    flat = symmetric_uniform(rows * sum(sizes), key, purpose, clip)
    parts = tf.split(flat, [rows * size for size in sizes])
    return [tf.reshape(part, [rows, size]) for part, size in zip(parts, sizes, strict=True)]


def recognise(
    params: Parameters, x: tf.Tensor, samples: int, key: Key, coding: Coding, purpose: str = "wake"
) -> Recognised:
    """Sample h ~ q(h|x) (Eq. 9) for x (B, l[0]) in ±1, and log q(h|x)."""
    batch, sizes = x.shape[0], params.layers[1:]
    uniforms = _uniforms(sizes, samples * batch, key, purpose, coding.clip)
    h, parents, mu = [x], [sbn.augment(x, coding.values)], []
    log_q = tf.zeros((samples, batch), x.dtype)
    for i, (W, u) in enumerate(zip(params.q, uniforms, strict=True)):
        mu.append(sbn.mean(parents[i], W, coding.clip))
        if i == 0:  # the S samples of an image share its mean
            units = sbn.draw(mu[0], tf.reshape(u, [samples, batch, sizes[0]]))
            log_q += _log_prob_shared(units, mu[0])
            h.append(tf.reshape(units, [samples * batch, sizes[0]]))
        else:
            h.append(sbn.draw(mu[i], u))
            log_q += tf.reshape(sbn.log_prob(h[i + 1], mu[i]), [samples, batch])
        parents.append(sbn.augment(h[i + 1], coding.values))
    return Recognised(tuple(h), tuple(parents), tuple(mu), log_q)


def _log_prob_shared(h: tf.Tensor, mu: tf.Tensor) -> tf.Tensor:
    """log q(h|x) of (S, B, m) samples that share (B, m) means: linear in h, two logs a mean."""
    up, down = tf.math.log(0.5 + 0.5 * mu), tf.math.log(0.5 - 0.5 * mu)
    return tf.reduce_sum(h * (0.5 * (up - down)), axis=-1) + tf.reduce_sum(
        0.5 * (up + down), axis=-1
    )


def explain(params: Parameters, sampled: Recognised, coding: Coding) -> Explained:
    """E_p[h[i] | h[i+1]] of every layer, and log p(x, h) (Eq. 8)."""
    samples, batch = sampled.log_q.shape
    prior_mu = sbn.prior_mean(params.prior, coding.clip)
    log_p = tf.reshape(sbn.log_prob(sampled.h[-1], prior_mu), [samples, batch])
    mu = [sbn.mean(sampled.parents[i + 1], W, coding.clip) for i, W in enumerate(params.p)]
    mu[0] = tf.reshape(mu[0], [samples, batch, -1])  # so that x (B, l[0]) is shared, not repeated
    for h, m in zip(sampled.h, mu, strict=False):
        log_p += tf.reshape(sbn.log_prob(h, m), [samples, batch])
    return Explained(tuple(mu), prior_mu, log_p)


def dream(
    params: Parameters, rows: int, key: Key, coding: Coding, purpose: str = "sleep"
) -> Dreamt:
    """Sample (x, h) ~ p(x, h) from the prior down."""
    sizes = params.layers
    uniforms = _uniforms(sizes, rows, key, purpose, coding.clip)
    prior_mu = sbn.prior_mean(params.prior, coding.clip)
    h = [sbn.draw(prior_mu, uniforms[-1])]
    parents, mu = [sbn.augment(h[0], coding.values)], []
    for W, u in zip(params.p[::-1], uniforms[-2::-1], strict=True):
        mu.append(sbn.mean(parents[-1], W, coding.clip))
        h.append(sbn.draw(mu[-1], u))
        parents.append(sbn.augment(h[-1], coding.values))
    return Dreamt(tuple(h[::-1]), tuple(parents[::-1]), tuple(mu[::-1]), prior_mu)
