"""Two ways to half the size of an image, and the three candidates for miniMNIST B."""

import numpy as np
import pytest
from data_fake import mnist_like
from pydantic import ValidationError
from scipy import ndimage

from nws.config import DatasetSettings
from nws.data import Dataset, build
from nws.data.datasets import outdated, save
from nws.data.pooling import antialias, pool

FAKE = mnist_like()


def made(**keys: object) -> Dataset:
    keys = {"source": "minimnist", "train": 50, **keys}
    settings = DatasetSettings.model_validate(keys)
    return build("d", settings, fetch=lambda _: FAKE)[0]


def test_pooling_against_a_plain_loop() -> None:
    images = FAKE.test_images
    pooled = pool(images)
    assert pooled.shape == (20, 2, 3)
    for n, i, j in np.ndindex(pooled.shape):
        block = [int(images[n, 2 * i + a, 2 * j + b]) for a in (0, 1) for b in (0, 1)]
        assert pooled[n, i, j] == sum(block)


def test_antialias_is_a_blur_and_a_linear_zoom() -> None:
    """Image by image in float64, as scikit-image's resize does it with scipy."""
    images = np.random.default_rng(2).integers(0, 256, (7, 28, 28), dtype=np.uint8)
    found = antialias(images)
    assert found.shape == (7, 14, 14)
    for one, image in zip(found, images.astype(np.float64), strict=True):
        blurred = ndimage.gaussian_filter(image, 0.5, mode="mirror")
        expected = ndimage.zoom(blurred, 0.5, order=1, mode="mirror", grid_mode=True)
        np.testing.assert_allclose(one, expected, atol=1e-3)


def test_a_flat_image_stays_flat() -> None:
    np.testing.assert_allclose(antialias(np.full((1, 28, 28), 200, np.uint8)), 200, rtol=1e-6)


def test_mean_of_grey_is_the_default() -> None:
    for keys in ({}, {"binarization": "static"}, {"binarization": "stochastic"}):
        asked, default = made(pooling="mean", pooled="grey", **keys), made(**keys)
        for split in ("train", "valid", "test"):
            assert (getattr(asked, split) == getattr(default, split)).all()


@pytest.mark.parametrize(("pooling", "half"), [("mean", pool), ("antialias", antialias)])
def test_static_pixels_can_be_pooled(pooling: str, half) -> None:  # type: ignore[no-untyped-def]
    """The very images of the static data set, resized, then rounded."""
    static = made(source="mnist", binarization="static", seed=3)
    found = made(pooling=pooling, pooled="static", seed=3)
    for split in ("train", "valid", "test"):
        small = half(getattr(static, split).reshape(-1, 4, 6))
        small = small / (4 if pooling == "mean" else 1)
        assert (getattr(found, split) == (small.reshape(len(small), -1) >= 0.5)).all()
    assert (found.train != made(pooling=pooling).train).any()


def test_pixels_drawn_twice_are_drawn_independently() -> None:
    """Drawn, pooled and drawn again: given the pooled value, with its probability."""
    twice = made(pooled="static", binarization="static", train=50_000)
    once = made(source="mnist", binarization="static", train=50_000)
    grey = pool(once.train.reshape(-1, 4, 6)).reshape(len(once.train), -1) / 4
    for value in (0.25, 0.5, 0.75):
        drawn = twice.train[grey == value]
        assert drawn.mean() == pytest.approx(value, abs=5 * 0.5 / np.sqrt(drawn.size))


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(ValidationError, match="'mean' or 'antialias'"):
        made(pooling="median")


def test_another_pooling_is_another_data_set(tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings = DatasetSettings.model_validate({"source": "minimnist", "train": 50})
    path = tmp_path / "d.npz"
    save(*build("d", settings, fetch=lambda _: FAKE), path)
    assert "pooling" not in outdated(path, settings)
    asked = settings.model_copy(update={"pooling": "antialias"})
    assert "pooling: mean → antialias" in outdated(path, asked)
