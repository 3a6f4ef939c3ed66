"""The evaluation of a trained run as a job: ``metrics.json`` and ``samples.npz``."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from nws.config import Config, Run, RunSettings
from nws.data.datasets import current
from nws.data.store import Dataset, load_provenance
from nws.errors import NwsError
from nws.evaluation import bihm, exact, vae
from nws.evaluation.likelihood import Estimate, log_likelihood
from nws.files import manifest
from nws.files.code import source_hash
from nws.files.layout import data_file, run_folder
from nws.files.record import SCORING, record, stale
from nws.files.whole import write_npz, write_text
from nws.machine.compilation import compilation, compiled
from nws.machine.memory import explained
from nws.machine.progress import Reporter
from nws.models import parameters
from nws.models.helmholtz import Coding, dream, explain, recognise
from nws.models.parameters import Parameters, to_arrays
from nws.models.random import Key
from nws.models.vae import Vae
from nws.models.vae import read as read_vae

SHOWN = 100  # images in samples.npz

LESS = "lower likelihood_samples, or score on the CPU with device: cpu; nothing is trained again"

# The model that is scored: what model.npz says, p(unit = +1) = σ(logit), with a floor. Means in
# float32 need one; training with a large clip drives logits so far that the floor counts.
PUBLISHED = Coding("pm1", 1e-6)


def evaluate(config: Config, run: Run, seed: int, root: Path) -> None:
    """Score the model of a run and draw from it; writes ``metrics.json`` and ``samples.npz``."""
    with explained(lambda: f"when scoring {run.experiment}/{run.name}, seed {seed}", LESS):
        _evaluate(config, run, seed, root)


def _evaluate(config: Config, run: Run, seed: int, root: Path) -> None:
    began = time.monotonic()
    folder = run_folder(root, run.experiment, run.name, seed)
    path = data_file(root, run.settings.dataset)
    training = _training(folder)
    data = current(path, config.datasets[run.settings.dataset], config.mnist_dir)
    asked = record(run.settings.model_dump(), seed, load_provenance(path)["sha256"])
    if found := stale(folder, training, asked, RunSettings().model_dump()):
        raise NwsError(f"{folder}: cannot be scored: {found}; train the run again")
    params = read(folder / "model.npz", run.settings)
    label = f"{run.experiment}/{run.name}/seed{seed}"
    metrics = {
        **training,
        "settings": {**training["settings"], **run.settings.model_dump(include=set(SCORING))},
        "log_likelihood": likelihoods(params, run.settings, data, seed, label),
        "exact": exact_scores(params, data) if run.settings.exact else None,
        "bihm": (
            _bidirectional(params, run.settings, data, seed, label)
            if run.settings.plain == "bihm"
            else None
        ),
    }
    metrics["evaluation_code"] = source_hash("evaluation")
    metrics["evaluation_seconds"] = round(time.monotonic() - began, 2)
    _write_samples(folder / "samples.npz", params, data, seed, run.settings.compile)
    write_text(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    manifest.write(folder, ["metrics.json", "samples.npz"])


def read(path: Path, settings: RunSettings) -> Any:
    """The parameters in a run's ``model.npz``."""
    if settings.algorithm == "vae":
        return read_vae(path, len(settings.layers))
    return parameters.read(path)


def _score(
    params: Any,
    images: np.ndarray,
    samples: int,
    seed: int,
    settings: RunSettings,
    told: Callable[[int], None],
) -> Estimate:
    """log p(x) of images in {0, 1}."""
    if isinstance(params, Vae):
        return vae.log_likelihood(params, images, samples, seed, told)
    x = 2.0 * images.astype(np.float32) - 1.0
    return log_likelihood(params, x, samples, seed, PUBLISHED, 1.0, settings.compile, told)


@contextmanager
def _telling(label: str, split: str, images: int) -> Iterator[Callable[[int], None]]:
    """What is to be called with the number of images scored so far: it tells that under a label."""
    if not label:
        yield lambda done: None
        return
    with closing(Reporter(label, images, unit="image")) as reporter:
        yield lambda done: reporter.update(done, f"{split} images scored")


def _training(folder: Path) -> dict[str, Any]:
    path = folder / "training.json"
    if not path.exists():
        raise NwsError(f"{path}: not found; train the run first, with the same arguments")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise NwsError(f"{path}: cannot be read: {error}; train the run again") from None


def likelihoods(
    params: Any, settings: RunSettings, data: Dataset, seed: int, label: str = ""
) -> dict[str, dict[str, float | None]] | None:
    """The mean log p(x) of each split in nats, with its error; None if no samples are asked for.

    ``label``: says under this name how far it is.
    """
    samples = settings.likelihood_samples
    if samples == 0:
        return None
    scores = {}
    for split in ("test", "valid"):
        images = getattr(data, split)[: settings.likelihood_images]
        with _telling(label, split, len(images)) as told:
            estimate = _score(params, images, samples, seed, settings, told)
        scores[split] = {
            "mean": float(estimate.log_likelihood.mean(dtype=np.float64)),
            "standard_error": standard_error(estimate.log_likelihood),
            "effective_sample_size": float(estimate.effective_samples.mean(dtype=np.float64)),
            "samples": samples,
            "images": len(images),
        }
    return scores


def _bidirectional(
    params: Parameters, settings: RunSettings, data: Dataset, seed: int, label: str
) -> dict[str, Any] | None:
    """log p*(x) of a bidirectional machine: log p̃*(x) and 2 log Z, each with its error."""
    samples = settings.likelihood_samples
    if samples == 0:
        return None
    z = bihm.two_log_z(params, max(100 * samples, bihm.LEAST), seed, PUBLISHED)
    found: dict[str, Any] = {"two_log_z": z._asdict()}
    for split in ("test", "valid"):
        images = getattr(data, split)[: settings.likelihood_images]
        x = 2.0 * images.astype(np.float32) - 1.0
        with _telling(label, f"bidirectional, {split}", len(images)) as told:
            log_p = bihm.log_unnormalised(params, x, samples, seed, PUBLISHED, told)
        error = standard_error(log_p)
        mean = float(log_p.mean(dtype=np.float64))
        found[split] = {
            "unnormalised": mean,
            "mean": mean - z.value,
            "standard_error": None if error is None else float(np.hypot(error, z.standard_error)),
            "samples": samples,
            "images": len(images),
        }
    return found


def standard_error(values: np.ndarray) -> float | None:
    """Of the mean over images: s/√n; None of a single one."""
    if len(values) < 2:
        return None
    return float(values.std(ddof=1, dtype=np.float64) / np.sqrt(len(values)))


def exact_scores(params: Parameters, data: Dataset) -> dict[str, float]:
    """log p(x) over the test images by enumeration, without a floor; the KL where p* is known."""
    model = to_arrays(params)
    log_p = exact.log_likelihood(model, 2.0 * data.test.astype(np.float64) - 1.0)
    result = {"log_likelihood": float(log_p.mean())}
    if data.patterns is not None and data.probabilities is not None:
        result["kl"] = exact.kl(model, 2.0 * data.patterns - 1.0, data.probabilities)
        result["entropy"] = exact.entropy(data.probabilities)
    return result


def _write_samples(path: Path, params: Any, data: Dataset, seed: int, compile: str) -> None:
    x = data.test[:SHOWN]
    if isinstance(params, Vae):
        drawn, probabilities, reconstructions = vae.pictures(params, x, seed)
    else:
        found = _DRAW[compilation(compile)](
            params, tf.constant(2.0 * x.astype(np.float32) - 1.0), seed, tf.constant(0)
        )
        drawn, probabilities, reconstructions = (tensor.numpy() for tensor in found)
    arrays = {
        "data": x,
        "samples": (drawn > 0).astype(np.uint8),
        "probabilities": probabilities,
        "reconstructions": reconstructions,
        "shape": np.array(data.shape),
    }
    write_npz(path, arrays)


def _draw(
    params: Parameters, x: tf.Tensor, seed: int, step: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """As many dreams as images in x, their p(x|h), and p(x|h) for h ~ q(h|x)."""
    key = Key(seed, step)
    dreamt = dream(params, x.shape[0], key, PUBLISHED, "model")
    seen = explain(params, recognise(params, x, 1, key, PUBLISHED, "wake"), PUBLISHED)
    return dreamt.h[0], 0.5 + 0.5 * dreamt.mu[0], 0.5 + 0.5 * seen.mu[0][0]


# Shapes must stay known: one trace for each.
_DRAW = {how: compiled(_draw, how) for how in ("graph", "xla")}
