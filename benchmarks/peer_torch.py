"""Reweighted Wake-Sleep in plain PyTorch: eager, on the CPU, gradients written out.

The same step as ``nws``: ±1 units given by their means tanh(a/2), S samples for each image, SGD.
Tensors are (S, B, units); what depends on the images alone is (B, units) and broadcast.
"""

import math
import sys

import torch
from worker import arrays, read, serve

task = read(sys.argv[1])
S, B = task.samples, task.batch
images = torch.from_numpy(task.images)
ONE, BOUND = torch.tensor(1.0), 1 - 2 * task.clip
torch.set_num_threads(int(sys.argv[2]))


def clipped(mu):
    return mu.clamp(-BOUND, BOUND)


def mean(h, layer):
    W, b = layer
    return clipped(torch.tanh(0.5 * (h @ W + b)))


def draw(mu, *shape):
    return torch.where(torch.empty(*shape, mu.shape[-1]).uniform_(-1, 1) < mu, ONE, -ONE)


def log_prob(h, mu):
    return torch.log(0.5 + 0.5 * h * mu).sum(-1)


def gradient(h, error):
    """Of one layer, from its parents h and its units' weighted errors."""
    if h.ndim < error.ndim:  # the S samples of an image share its pixels
        error = error.sum(0)
    h, error = h.reshape(-1, h.shape[-1]), error.reshape(-1, error.shape[-1])
    return h.T @ error, error.sum(0)


def rws(p, prior, q, x):
    """Uphill gradients and the bound on log p(x), averaged over the batch."""
    h, q_mu, log_q = [x], [], 0.0
    for layer in q:
        q_mu.append(mean(h[-1], layer))
        h.append(draw(q_mu[-1], S, B))
        log_q += log_prob(h[-1], q_mu[-1])
    p_mu = [mean(parents, layer) for parents, layer in zip(h[1:], p, strict=True)]
    prior_mu = clipped(torch.tanh(0.5 * prior))
    log_p = log_prob(h[-1], prior_mu) + sum(map(log_prob, h, p_mu))
    bound = torch.logsumexp(log_p - log_q, 0) - math.log(S)
    w = torch.softmax(log_p - log_q, 0)[..., None]

    d = [draw(prior_mu, S * B)]
    for layer in p[::-1]:
        d.insert(0, draw(mean(d[0], layer), S * B))

    p_wake = [gradient(h[i + 1], w / B * (h[i] - mu)) for i, mu in enumerate(p_mu)]
    top = (w / B * (h[-1] - prior_mu)).sum((0, 1))
    centred = 0.5 / B * (w - 1 / S)
    q_wake = [gradient(h[i], centred * (h[i + 1] - mu)) for i, mu in enumerate(q_mu)]
    half = 0.5 / (S * B)
    q_sleep = [gradient(d[i], half * (d[i + 1] - mean(d[i], layer))) for i, layer in enumerate(q)]
    q_both = [tuple(map(torch.add, a, b)) for a, b in zip(q_wake, q_sleep, strict=True)]
    return (p_wake, top, q_both), bound.mean()


def tensors(p, prior, q):
    """All of them in one list."""
    return [prior, *(t for layer in (*p, *q) for t in layer)]


def run(steps, rate):
    """SGD over the steps: the mean loss and, where the rate is 0, the mean gradients."""
    p, q = ([tuple(map(torch.tensor, layer)) for layer in side] for side in (task.p, task.q))
    prior, loss = torch.tensor(task.prior), 0.0
    total = [torch.zeros_like(t) for t in tensors(p, prior, q)]
    for rows in torch.from_numpy(task.batches(steps)):
        g, bound = rws(p, prior, q, 2.0 * images[rows].float() - 1.0)
        loss -= bound / steps
        changed, by = (tensors(p, prior, q), rate) if rate else (total, 1 / steps)
        for t, d in zip(changed, tensors(*g), strict=True):
            t.add_(d, alpha=by)
    return float(loss), total


def gradients(steps):
    loss, (prior, *rest) = run(steps, 0.0)
    layers = list(zip(rest[::2], rest[1::2], strict=True))
    return loss, arrays(layers[: len(task.p)], prior, layers[len(task.p) :])


with torch.inference_mode():
    serve("PyTorch", torch.__version__, lambda steps: run(steps, task.rate)[0], gradients)
