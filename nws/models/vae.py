"""A variational autoencoder in Keras: what Table 2 quotes beside the Helmholtz machines.

z ~ N(0, I); p(x|z) Bernoulli; q(z|x) Gaussian with a diagonal covariance; both networks dense with
tanh. Sizes are those of a machine: hidden layers, then the latent one, top last. Source: Kingma and
Welling, "Auto-Encoding Variational Bayes", 2014.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nws.files.npz import read_npz

PURPOSES = ("train", "valid", "score", "draw")  # of random numbers; another changes them all
LOG_2PI = float(np.log(2.0 * np.pi))


class Vae(NamedTuple):
    """The weights and biases of both networks, layer by layer."""

    encoder: tuple[tf.Tensor, ...]
    decoder: tuple[tf.Tensor, ...]

    @property
    def layers(self) -> tuple[int, ...]:
        """Sizes: pixels, hidden, latent."""
        return (int(self.decoder[-1].shape[0]), *(int(W.shape[0]) for W in self.decoder[-2::-2]))


@cache
def _networks(layers: tuple[int, ...], seed: int) -> tuple[Any, Any]:
    """Encoder x → (mean, log variance) of z, and decoder z → logits of x."""
    import keras

    pixels, *hidden, latent = layers

    def network(fan_in: int, widths: Sequence[int], first: int) -> Any:
        *inner, last = widths
        units = [
            keras.layers.Dense(n, "tanh", kernel_initializer=_glorot(first + i))
            for i, n in enumerate(inner)
        ]
        out = keras.layers.Dense(last, kernel_initializer=_glorot(first + len(inner)))
        return keras.Sequential([keras.Input([fan_in]), *units, out])

    def _glorot(number: int) -> Any:
        return keras.initializers.GlorotUniform(seed=1000 * seed + number)

    with tf.init_scope():  # called while a graph is traced, too
        encoder = network(pixels, [*hidden, 2 * latent], 0)
        return encoder, network(latent, [*hidden[::-1], pixels], len(layers))


def initial(layers: Sequence[int], seed: int, mean_pixel: np.ndarray) -> Vae:
    """Glorot-uniform weights; output biases at the logit of each pixel's mean (pixels,)."""
    nets = _networks(tuple(layers), seed)
    encoder, decoder = (tuple(tf.constant(v.numpy()) for v in n.trainable_variables) for n in nets)
    share = np.clip(mean_pixel, 1e-3, 1.0 - 1e-3)
    bias = tf.constant(np.log(share) - np.log1p(-share), tf.float32)
    return Vae(encoder, (*decoder[:-1], bias))


def _apply(which: int, params: Vae, inputs: tf.Tensor) -> tf.Tensor:
    network = _networks(params.layers, 0)[which]  # its own weights are not used
    return network.stateless_call(list(params[which]), [], inputs)[0]


def decode(params: Vae, z: tf.Tensor) -> tf.Tensor:
    """Logits of p(x|z), (n, latent) → (n, pixels)."""
    return _apply(1, params, z)


def encode(params: Vae, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and log variance of q(z|x), each (B, latent), for x (B, pixels) in {0, 1}."""
    mean, log_variance = tf.split(_apply(0, params, x), 2, axis=-1)
    return mean, log_variance


def log_weights(params: Vae, x: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """log p(x, z) - log q(z|x), (S, B), for z = μ + σ·noise, noise (S, B, latent) normal."""
    mean, log_variance = encode(params, x)
    z = mean + tf.exp(0.5 * log_variance) * noise
    log_q = -0.5 * tf.reduce_sum(LOG_2PI + log_variance + tf.square(noise), axis=-1)
    log_p = -0.5 * tf.reduce_sum(LOG_2PI + tf.square(z), axis=-1)
    samples, batch, latent = noise.shape
    logits = tf.reshape(decode(params, tf.reshape(z, [-1, latent])), [samples, batch, -1])
    labels = tf.broadcast_to(x, tf.shape(logits))
    cross = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return log_p - log_q - tf.reduce_sum(cross, axis=-1)


def normal(shape: Sequence[int], seed: int, purpose: str, step: tf.Tensor | int) -> tf.Tensor:
    """Draws from N(0, 1): a function of (seed, purpose, step), as everywhere."""
    stream = len(PURPOSES) * seed + PURPOSES.index(purpose)
    key = tf.constant(stream % 2**63, tf.int64)
    pair = tf.stack([key, tf.cast(step, tf.int64)])
    return tf.random.stateless_normal(shape, pair)


def to_arrays(params: Vae) -> dict[str, np.ndarray]:
    """The arrays of a VAE's ``model.npz``: encoder0, …, decoder0, …; weights, bias in turn."""
    return {f"{n}{i}": t.numpy() for n in Vae._fields for i, t in enumerate(getattr(params, n))}


def read(path: Path, depth: int) -> Vae:
    """The VAE with ``depth`` layers above the pixels in a ``model.npz``."""
    names = [f"{side}{i}" for side in Vae._fields for i in range(2 * depth)]
    arrays = [tf.constant(a, tf.float32) for a in read_npz(path, str(path), names).values()]
    return Vae(tuple(arrays[: 2 * depth]), tuple(arrays[2 * depth :]))
