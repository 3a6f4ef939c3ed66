"""Training of a variational autoencoder: a program as the machines have one, so that its runs are
checkpointed, resumed to the same bits, recorded and scored by the same jobs."""

from typing import Any

import numpy as np
import tensorflow as tf

from nws.config import RunSettings
from nws.errors import NwsError
from nws.models import importance, vae
from nws.models.random import Key, permutation
from nws.models.vae import Vae
from nws.training.optimizers import adam
from nws.training.program import Program
from nws.training.schedules import schedule
from nws.training.state import TrainState, no_totals


def compile_vae(
    settings: RunSettings, train: np.ndarray, valid: np.ndarray, seed: int
) -> tuple[Program, Vae]:
    """The program of a run, and what it starts from. NwsError for settings that have no meaning.

    Uphill on the mean of log p(x, z) - log q(z|x) over S samples (the ELBO), images in {0, 1}.

    Validation: -log (1/S) Σ ω, as for the machines.
    """
    _check(train)
    optimizer = adam(settings.adam_beta1, settings.adam_beta2, settings.adam_epsilon)
    batch = min(settings.batch, len(train))
    per_epoch = max(1, len(train) // settings.batch)
    images, held_out = tf.constant(train), tf.constant(valid.astype(np.float32))
    samples, latent = settings.samples, settings.layers[-1]
    scored = settings.validation_samples or samples
    decay = settings.learning_rate_schedule
    rate = schedule(decay.kind, settings.learning_rate, decay.end, settings.epochs * per_epoch)

    def one(state: TrainState, x: tf.Tensor, step: tf.Tensor) -> TrainState:
        noise = vae.normal([samples, batch, latent], seed, "train", step)
        flat = tf.nest.flatten(state.params)
        with tf.GradientTape() as tape:
            tape.watch(flat)
            params = _unflat(flat)
            bound = tf.reduce_mean(vae.log_weights(params, x, noise))
        updated, moments = optimizer.update(
            tape.gradient(bound, flat), state.optimizer, flat, rate(step)
        )
        totals = state.totals._replace(bound=state.totals.bound + bound)
        return TrainState(_unflat(updated), moments, (), totals, ())

    @tf.function(autograph=False)
    def advance(
        state: TrainState, epoch: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> TrainState:
        order = permutation(len(train), Key(seed, epoch))

        def body(i: tf.Tensor, state: TrainState) -> tuple[tf.Tensor, TrainState]:
            rows = tf.gather(images, order[i * batch : (i + 1) * batch])
            x = tf.cast(tf.ensure_shape(rows, [batch, train.shape[1]]), tf.float32)
            return i + 1, one(state, x, epoch * per_epoch + i)

        return tf.while_loop(lambda i, _: i < stop, body, (start, state))[1]

    @tf.function(autograph=False)
    def validate(params: Vae, epoch: tf.Tensor) -> tf.Tensor:
        noise = vae.normal([scored, len(valid), latent], seed, "valid", epoch)
        return -tf.reduce_mean(importance.log_likelihood(vae.log_weights(params, held_out, noise)))

    def init(params: Any) -> TrainState:
        moments = optimizer.init(tf.nest.flatten(params))
        return TrainState(params, moments, (), no_totals(), ())

    program = Program(
        per_epoch,
        init,
        lambda state, *steps: advance(state, *map(tf.constant, steps)),
        lambda params, epoch: float(validate(params, tf.constant(epoch))),
    )
    start = vae.initial([train.shape[1], *settings.layers], seed, train.mean(axis=0))
    return program, start


def _check(train: np.ndarray) -> None:
    if np.issubdtype(train.dtype, np.floating):
        raise NwsError("dataset: a vae is trained on binary images; binarize with round or static")


def _unflat(tensors: list[tf.Tensor]) -> Any:
    half = len(tensors) // 2
    return Vae(tuple(tensors[:half]), tuple(tensors[half:]))
