"""Reweighted Wake-Sleep in plain JAX: jitted, ``lax.scan`` over the steps.

The same step as ``nws``: ±1 units given by their means tanh(a/2), S samples for each image, SGD.
Arrays are (S, B, units); what depends on the images alone is (B, units) and broadcast.
"""

import sys
from functools import partial

import jax
import jax.numpy as jnp
from worker import arrays, read, serve

task = read(sys.argv[1])
S, B = task.samples, task.batch
images = jnp.asarray(task.images)
start = jax.tree.map(jnp.asarray, (task.p, task.prior, task.q))


def clipped(mu):
    bound = 1 - 2 * task.clip
    return jnp.clip(mu, -bound, bound)


def mean(h, layer):
    W, b = layer
    return clipped(jnp.tanh(0.5 * (h @ W + b)))


def draw(key, mu, shape):
    return jnp.where(jax.random.uniform(key, shape, minval=-1.0) < mu, 1.0, -1.0)


def log_prob(h, mu):
    return jnp.log(0.5 + 0.5 * h * mu).sum(-1)


def gradient(h, error):
    """Of one layer, from its parents h and its units' weighted errors."""
    if h.ndim < error.ndim:  # the S samples of an image share its pixels
        error = error.sum(0)
    h, error = h.reshape(-1, h.shape[-1]), error.reshape(-1, error.shape[-1])
    return h.T @ error, error.sum(0)


def rws(params, x, key):
    """Uphill gradients and the bound on log p(x), averaged over the batch."""
    p, prior, q = params
    keys = iter(jax.random.split(key, 2 * len(q) + 1))

    h, q_mu, log_q = [x], [], 0.0
    for layer in q:
        q_mu.append(mean(h[-1], layer))
        h.append(draw(next(keys), q_mu[-1], (S, B, q_mu[-1].shape[-1])))
        log_q += log_prob(h[-1], q_mu[-1])
    p_mu = [mean(parents, layer) for parents, layer in zip(h[1:], p, strict=True)]
    prior_mu = clipped(jnp.tanh(0.5 * prior))
    log_p = log_prob(h[-1], prior_mu) + sum(map(log_prob, h, p_mu))
    bound = jax.nn.logsumexp(log_p - log_q, axis=0) - jnp.log(S)
    w = jax.nn.softmax(log_p - log_q, axis=0)[..., None]

    d = [draw(next(keys), prior_mu, (S * B, len(prior)))]
    for layer in p[::-1]:
        mu = mean(d[0], layer)
        d.insert(0, draw(next(keys), mu, mu.shape))

    p_wake = [gradient(h[i + 1], w / B * (h[i] - mu)) for i, mu in enumerate(p_mu)]
    top = (w / B * (h[-1] - prior_mu)).sum((0, 1))
    centred = 0.5 / B * (w - 1 / S)
    q_wake = [gradient(h[i], centred * (h[i + 1] - mu)) for i, mu in enumerate(q_mu)]
    half = 0.5 / (S * B)
    q_sleep = [gradient(d[i], half * (d[i + 1] - mean(d[i], layer))) for i, layer in enumerate(q)]
    return (p_wake, top, jax.tree.map(jnp.add, q_wake, q_sleep)), bound.mean()


def batch(rows):
    return 2.0 * images[rows].astype(jnp.float32) - 1.0


@partial(jax.jit, static_argnames="rate")
def run(params, rows, key, rate):
    """SGD over the steps; returns the summed gradients, too."""

    def step(carry, inputs):
        params, total = carry
        row, key = inputs
        g, bound = rws(params, batch(row), key)
        params = jax.tree.map(lambda w, d: w + rate * d, params, g)
        total = jax.tree.map(jnp.add, total, g) if rate == 0 else None
        return (params, total), bound

    total = jax.tree.map(jnp.zeros_like, params) if rate == 0 else None
    (params, total), bounds = jax.lax.scan(
        step, (params, total), (rows, jax.random.split(key, len(rows)))
    )
    return params, total, -bounds.mean()


calls = iter(range(10**9))


def train(steps):
    key = jax.random.key(next(calls))
    params, _, loss = run(start, task.batches(steps), key, task.rate)
    jax.block_until_ready(params)
    return float(loss)


def gradients(steps):
    key = jax.random.key(next(calls))
    _, total, loss = run(start, task.batches(steps), key, 0.0)
    return float(loss), arrays(*jax.tree.map(lambda g: g / steps, total))


serve("JAX", jax.__version__, train, gradients)
