"""Each split is used for what it is there for, and no other."""

from typing import Any

import numpy as np
import pytest
import tiny
from machines import random_model

from nws.config import RunSettings
from nws.data.store import Dataset
from nws.evaluation import exact, jobs
from nws.models.parameters import from_arrays, to_arrays
from nws.training import jobs as training

MODEL = random_model([9, 6, 2], 0, scale=0.3)
MODEL["p_b0"] += 1.0  # bright images are likelier
PARAMS = from_arrays(MODEL)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Splits of other images and sizes."""
    rng = np.random.default_rng(0)
    sizes = {"train": (40, 0.5), "valid": (30, 0.2), "test": (20, 0.8)}
    splits = {
        name: (rng.random((count, 9)) < share).astype(np.uint8)
        for name, (count, share) in sizes.items()
    }
    return Dataset(name="three", **splits, shape=(3, 3), binarization="round")


def true(images: np.ndarray) -> float:
    """The mean of log p(x), by enumeration."""
    return float(exact.log_likelihood(to_arrays(PARAMS), 2.0 * images - 1.0).mean())


@pytest.mark.parametrize("images", [None, 10])
def test_scores_are_of_their_own_split(data: Dataset, images: int | None) -> None:
    asked = tiny.settings(likelihood_samples=3000, likelihood_images=images)
    scores = jobs.likelihoods(PARAMS, asked, data, 0)
    assert scores is not None
    for split in ("test", "valid"):
        rows = getattr(data, split)[:images]
        assert scores[split]["images"] == len(rows)
        assert scores[split]["mean"] == pytest.approx(true(rows), abs=0.1)
    assert abs(true(data.test) - true(data.valid)) > 0.5


def test_the_exact_score_is_of_the_test_images(data: Dataset) -> None:
    found = jobs.exact_scores(PARAMS, data)["log_likelihood"]
    assert found == pytest.approx(true(data.test), rel=1e-9)


@pytest.mark.parametrize("algorithm", ["rws", "vae"])
def test_training_sees_the_training_images_and_validates_on_the_validation_ones(
    algorithm: str, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def compiling(settings: RunSettings, *given: Any) -> tuple[None, None]:
        seen.extend(given)
        return None, None

    monkeypatch.setattr(training, "compile_run", compiling)
    monkeypatch.setattr("nws.training.vae.compile_vae", compiling)
    optimizer = {"optimizer": "adam"} if algorithm == "vae" else {}
    training._compiled(tiny.settings(algorithm=algorithm, **optimizer), data, 7, None)
    assert seen[0] is data.train
    assert seen[1] is data.valid
    assert seen[2] == 7


def test_nothing_is_lower_than_the_floor_of_the_scores() -> None:
    """Units that are certain: a score has the floor of 1e-6, so log p(x) ≥ 3 log 1e-6."""
    certain = random_model([2, 1], 0)
    certain |= {name: np.full_like(array, 50.0) for name, array in certain.items() if "_b" in name}
    certain |= {name: np.zeros_like(array) for name, array in certain.items() if "_W" in name}
    splits = {name: np.zeros((2, 2), np.uint8) for name in ("train", "valid", "test")}
    dark = Dataset(name="dark", **splits, shape=(1, 2), binarization="round")
    asked = tiny.settings(likelihood_samples=10)
    scores = jobs.likelihoods(from_arrays(certain), asked, dark, 0)
    assert scores is not None
    assert scores["test"]["mean"] == pytest.approx(2 * np.log(1e-6), abs=0.1)
