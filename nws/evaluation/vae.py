"""The importance-sampled log-likelihood of a variational autoencoder, and its pictures."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nws.evaluation.likelihood import Estimate
from nws.models import vae
from nws.models.vae import Vae

ROWS = 2000  # samples × images in flight


@tf.function(autograph=False)
def _chunk(params: Vae, x: tf.Tensor, samples: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    noise = vae.normal([samples, x.shape[0], params.layers[-1]], seed, "score", step)
    return vae.log_weights(params, x, noise)


def log_likelihood(
    params: Vae,
    x: np.ndarray,
    samples: int,
    seed: int,
    told: Callable[[int], None] = lambda images: None,
) -> Estimate:
    """log (1/S) Σ_k p(x, z_k)/q(z_k|x), z_k ~ q(z|x), for x (n, pixels) in {0, 1}, in bounded
    memory: (n,) nats, and effective sample sizes. ``told``: as many images are scored."""
    chunk = min(samples, ROWS)
    block = max(1, ROWS // chunk)
    first, second, step, done = [], [], 0, 0
    for rows in np.array_split(x.astype(np.float32), -(-len(x) // block)):
        sums = [np.full(len(rows), -np.inf), np.full(len(rows), -np.inf)]
        for start in range(0, samples, chunk):
            count = min(chunk, samples - start)
            found = _chunk(params, tf.constant(rows), count, seed, tf.constant(step))
            log_w, step = found.numpy().astype(np.float64), step + 1
            for i, power in enumerate((1.0, 2.0)):
                sums[i] = np.logaddexp(sums[i], np.logaddexp.reduce(power * log_w, axis=0))
        first.append(sums[0])
        second.append(sums[1])
        done += len(rows)
        told(done)
    total, squares = np.concatenate(first), np.concatenate(second)
    return Estimate(total - np.log(samples), np.exp(2.0 * total - squares))


def pictures(params: Vae, x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As many drawn images as rows of x in {0, 1}, their p(x|z), and p(x|z) for z ~ q(z|x)."""
    noise = vae.normal([3, len(x), params.layers[-1]], seed, "draw", 0)
    probabilities = tf.sigmoid(vae.decode(params, noise[0])).numpy()
    mean, log_variance = vae.encode(params, tf.constant(x.astype(np.float32)))
    again = vae.decode(params, mean + tf.exp(0.5 * log_variance) * noise[1])
    u = np.random.Generator(np.random.Philox(key=seed)).random(probabilities.shape)
    return (u < probabilities).astype(np.uint8), probabilities, tf.sigmoid(again).numpy()
