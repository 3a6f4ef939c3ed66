"""The variational autoencoder: its weights in closed form, its runs like those of the machines."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from scipy import stats

from nws.errors import NwsError
from nws.evaluation import jobs
from nws.evaluation.vae import log_likelihood
from nws.models import vae
from nws.training.jobs import train
from nws.training.run import Work
from nws.training.vae import compile_vae

LAYERS = [9, 7, 5, 2]
SETTINGS: dict[str, Any] = {
    "algorithm": "vae", "layers": LAYERS[1:], "optimizer": "adam", "learning_rate": 0.01,
    "samples": 1,
}  # fmt: skip
X = (np.random.default_rng(0).random((4, 9)) < 0.5).astype(np.float32)
PARAMS = vae.initial(LAYERS, 1, np.full(9, 0.3))


def networks(x: np.ndarray, weights: tuple[tf.Tensor, ...]) -> np.ndarray:
    """A dense network with tanh, in float64."""
    for i in range(0, len(weights), 2):
        x = x @ weights[i].numpy().astype(float) + weights[i + 1].numpy()
        x = np.tanh(x) if i < len(weights) - 2 else x
    return x


def test_log_weights_against_scipy() -> None:
    noise = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    found = vae.log_weights(PARAMS, tf.constant(X), tf.constant(noise))
    mean, log_variance = np.split(networks(X, PARAMS.encoder), 2, axis=-1)
    deviation = np.exp(0.5 * log_variance)
    for s in range(3):
        z = mean + deviation * noise[s]
        p = 1.0 / (1.0 + np.exp(-networks(z, PARAMS.decoder)))
        expected = (
            stats.norm.logpdf(z).sum(-1)
            + stats.bernoulli.logpmf(X.astype(int), p).sum(-1)
            - stats.norm.logpdf(z, mean, deviation).sum(-1)
        )
        np.testing.assert_allclose(found[s], expected, atol=1e-4)


def test_the_likelihood_against_a_grid() -> None:
    """log ∫ p(x|z) p(z) dz over two latent dimensions."""
    side = np.linspace(-6, 6, 241)
    z = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = 1.0 / (1.0 + np.exp(-networks(z, PARAMS.decoder)))
    prior = stats.norm.pdf(z).prod(-1) * (side[1] - side[0]) ** 2
    exact = [np.log((np.where(x > 0, p, 1 - p).prod(-1) * prior).sum()) for x in X]
    found = log_likelihood(PARAMS, X, 5003, 0)
    np.testing.assert_allclose(found.log_likelihood, exact, atol=0.05)
    assert (found.effective_samples > 100).all()
    assert (found.effective_samples <= 5003).all()


def test_output_biases_start_at_the_mean_pixel() -> None:
    assert PARAMS.layers == tuple(LAYERS)
    np.testing.assert_allclose(PARAMS.decoder[-1], np.log(0.3 / 0.7), rtol=1e-6)


def test_training_lowers_the_loss_and_interruptions_change_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny.settings(**SETTINGS, epochs=4)
    program, start = compile_vae(config, tiny.IMAGES, tiny.IMAGES[:36], 0)

    def run(program: Any, work: Work) -> Any:
        return tiny.fit(program, start, config, "vae", work, warn=lambda text: None)

    whole = run(program, Work())
    losses = [row.valid_loss for row in whole.progress.rows]
    assert losses[-1] < losses[0]
    tiny.eager_checkpoints(monkeypatch)
    for stretches in (3, 8):
        with pytest.raises(tiny.Killed):
            run(tiny.killed_after(program, stretches), Work(tmp_path))
    again = run(program, Work(tmp_path))
    assert again.progress.resumed == 2
    for a, b in zip(tf.nest.flatten(whole.params), tf.nest.flatten(again.params), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_is_scored_and_drawn_from(tmp_path: Path) -> None:
    config = tiny.resolve(**{**SETTINGS, "epochs": 2})
    run = tiny.prepare(config, tmp_path)
    train(config, run, 0, tmp_path)
    jobs.evaluate(config, run, 0, tmp_path)
    folder = tmp_path / "runs" / "tiny" / "one" / "seed0"
    scores = json.loads((folder / "metrics.json").read_text())["log_likelihood"]
    assert -9.0 < scores["test"]["mean"] < -2.0
    with np.load(folder / "samples.npz") as samples:
        assert samples["samples"].shape == samples["probabilities"].shape == (36, 9)


@pytest.mark.parametrize("wrong", [{"optimizer": "sgd"}, {"activity": True}, {"exact": True}])
def test_settings_without_meaning_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(NwsError, match=f"{next(iter(wrong))}: found .*; a vae"):
        tiny.settings(**{**SETTINGS, **wrong})
