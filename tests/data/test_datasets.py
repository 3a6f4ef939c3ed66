"""Data sets as they are built: splits, pooling, binarization, provenance."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from data_fake import mnist_like

from nws.config import DatasetSettings
from nws.data import Dataset, build
from nws.data.binarize import draw
from nws.data.datasets import changed
from nws.errors import NwsError

FAKE = mnist_like()


def settings(source: str = "mnist", **keys: object) -> DatasetSettings:
    return DatasetSettings.model_validate({"source": source, "train": 50, **keys})


def made(**keys: object) -> Dataset:
    return build("d", settings(**keys), fetch=lambda _: FAKE)[0]  # type: ignore[arg-type]


def grey(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / np.float32(255)


def test_splits_of_mnist() -> None:
    whole = made(train=None)
    assert [len(split) for split in (whole.train, whole.valid, whole.test)] == [50_000, 30, 20]
    assert whole.shape == (4, 6)
    for split, images in (
        (whole.train, FAKE.train_images[:50_000]),
        (whole.valid, FAKE.train_images[50_000:]),
        (whole.test, FAKE.test_images),
    ):
        assert split.dtype == np.uint8
        assert (split == (grey(images) >= 0.5)).all()


def test_counts_take_the_first() -> None:
    few, more = made(train=7, valid=5, test=3, binarization="static"), made(binarization="static")
    for split, count in {"train": 7, "valid": 5, "test": 3}.items():
        assert (getattr(few, split) == getattr(more, split)[:count]).all()
        assert len(getattr(few, split)) == count


@pytest.mark.parametrize(("split", "has"), [("train", 50_000), ("valid", 30), ("test", 20)])
def test_more_images_than_there_are(split: str, has: int) -> None:
    with pytest.raises(NwsError, match=rf"datasets\.d\.{split}: found {has + 1}, but mnist has"):
        made(**{split: has + 1})


def test_mnist_dir_is_passed_on() -> None:
    asked = []
    build("d", settings(), "somewhere", lambda named: asked.append(named) or FAKE)  # type: ignore[func-returns-value]
    assert asked == ["somewhere"]


def test_minimnist_rounds_the_mean_of_four_pixels() -> None:
    small = made(source="minimnist")
    means = FAKE.test_images.reshape(20, 2, 2, 3, 2).mean(axis=(2, 4)) / 255
    assert small.shape == (2, 3)
    assert (small.test == (means.reshape(20, 6) >= 0.5)).all()


def test_static_is_drawn_once_from_the_seed() -> None:
    static = made(binarization="static", seed=3)
    assert (static.train == draw(grey(FAKE.train_images[:50]), 3, "train")).all()
    assert (static.test == draw(grey(FAKE.test_images), 3, "test")).all()
    assert (static.test != made(binarization="static", seed=4).test).any()


def test_stochastic_keeps_grey_for_training_and_draws_the_rest_once() -> None:
    stochastic, static = made(binarization="stochastic"), made(binarization="static")
    assert stochastic.train.dtype == np.float32
    assert (stochastic.train == grey(FAKE.train_images[:50])).all()
    assert (stochastic.valid == static.valid).all()
    assert (stochastic.test == static.test).all()


def test_3by3() -> None:
    data, provenance = build("d", DatasetSettings.model_validate({"source": "3by3"}))
    assert [len(split) for split in (data.train, data.valid, data.test)] == [1800, 18, 18]
    assert data.shape == (3, 3)
    assert data.patterns is not None
    assert data.probabilities is not None
    for split in (data.train, data.valid, data.test):
        frequency = (split[:, None] == data.patterns).all(-1).mean(0)
        assert frequency == pytest.approx(data.probabilities, abs=1e-12)
    assert provenance["origin"] == {"from": "generated", "sha256": {}}


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_3by3_comes_in_eighteens(split: str) -> None:
    keys = {"source": "3by3", "train": 36, split: 54}
    assert len(getattr(made(**keys), split)) == 54
    with pytest.raises(NwsError, match=rf"datasets\.d\.{split}: found 20; .* multiples of 18"):
        made(**{**keys, split: 20})


def test_a_users_images(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    images = FAKE.test_images
    np.savez(path, images=images)
    data, provenance = build("d", settings(str(path), train=None, test=1))
    assert (data.train == (grey(images[:16]) >= 0.5)).all()
    assert (data.test == (grey(images[18:19]) >= 0.5)).all()
    assert data.patterns is None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert provenance["origin"] == {"from": str(path), "sha256": {"mine.npz": digest}}


def test_a_users_images_that_are_gone_are_known_by_their_name(tmp_path: Path) -> None:
    """Where the results were moved to, without them."""
    path = tmp_path / "mine.npz"
    np.savez(path, images=FAKE.test_images)
    _, record = build("d", settings(str(path), train=None))
    path.unlink()
    assert not changed(record, settings("elsewhere/mine.npz", train=None))
    assert "train: None → 5" in changed(record, settings("elsewhere/mine.npz", train=5))
    said = changed(record, settings("elsewhere/other.npz", train=None))
    assert said == "source: mine.npz → other.npz"
    np.savez(tmp_path / "other.npz", images=FAKE.test_images[:19])
    assert changed(record, settings(str(tmp_path / "other.npz"), train=None)).startswith("content")


@pytest.mark.parametrize(("source", "hint"), [("mnits", r" \(did you mean 'mnist'\?\)"), ("x", "")])
def test_an_unknown_source(source: str, hint: str) -> None:
    says = rf"datasets\.d\.source: found '{source}'{hint}; allowed: mnist, minimnist, 3by3, or"
    with pytest.raises(NwsError, match=says):
        made(source=source)


def test_provenance() -> None:
    asked = settings(binarization="stochastic", seed=2)
    data, provenance = build("d", asked, fetch=lambda _: FAKE)
    assert provenance["name"] == "d"
    assert provenance["source"] == asked.model_dump()
    assert provenance["binarization"] == "stochastic"
    assert provenance["counts"] == {"train": 50, "valid": 30, "test": 20}
    assert provenance["mean_pixel"] == pytest.approx(grey(FAKE.train_images[:50]).mean(), rel=1e-6)
    assert provenance["sha256"]["train"] == hashlib.sha256(data.train.tobytes()).hexdigest()
    assert provenance["sha256"].keys() == {"train", "valid", "test", "shape"}
    assert provenance["origin"] == {"from": "a test", "sha256": {"train": "aa", "test": "bb"}}
