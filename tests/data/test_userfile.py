"""A user's .npz: what is taken, how it is scaled and split, what is refused and how."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nws.data.userfile import read_images
from nws.errors import NwsError


def write(path: Path, **held: Any) -> Path:
    np.savez(path / "mine.npz", **held)
    return path / "mine.npz"


def grey(count: int = 20, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, *(shape or (3, 4))))


def test_images_are_split_80_10_10_in_order(tmp_path: Path) -> None:
    images = grey(25)
    splits, scale = read_images(write(tmp_path, images=images, labels=np.array([None])))
    assert [len(splits[s]) for s in ("train", "valid", "test")] == [20, 2, 3]
    assert scale == 1
    assert (np.concatenate([splits[s] for s in ("train", "valid", "test")]) == images).all()


def test_given_splits_are_kept(tmp_path: Path) -> None:
    given = {"train": grey(3), "valid": grey(2), "test": grey(1)}
    splits, _ = read_images(write(tmp_path, **given))
    assert all((splits[name] == array).all() for name, array in given.items())


@pytest.mark.parametrize(("pixels", "shape"), [(16, (4, 4)), (12, (1, 12))])
def test_flat_images_get_a_shape(tmp_path: Path, pixels: int, shape: tuple[int, int]) -> None:
    splits, _ = read_images(write(tmp_path, images=grey(10, pixels)))
    assert splits["train"].shape == (8, *shape)


@pytest.mark.parametrize(
    ("kind", "high", "scale"), [(np.uint8, 255, 255), (np.uint8, 1, 1), (bool, 1, 1)]
)
def test_levels_and_bits(tmp_path: Path, kind: type, high: int, scale: int) -> None:
    images: np.ndarray = np.zeros((10, 2, 2), kind)
    images[-1] = high  # only in the test split: the others must be scaled like it
    splits, found = read_images(write(tmp_path, images=images))
    assert found == scale
    assert splits["test"].max() == high


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ({"pictures": grey()}, "must hold either the array images, or all of train, valid, test"),
        ({"train": grey(), "test": grey()}, "holds train, test; must hold"),
        ({"images": grey(), "test": grey()}, "holds images, test; must hold"),
        ({"images": grey(9)}, "found 9; a split 80/10/10 needs at least 10"),
        ({"images": grey()[0, 0]}, r"images: has the shape \(4,\)"),
        ({"images": grey(10, 2, 2, 3)}, r"images: has the shape \(10, 2, 2, 3\)"),
        ({"images": grey(10, 0)}, r"images: has the shape \(10, 0\)"),
        ({"images": np.float64(1)}, r"images: has the shape \(\)"),
        ({"images": np.ones((10, 4), np.int64)}, "images: is of type int64; allowed: float"),
        ({"images": np.full((10, 4), "a")}, "images: is of type <U1"),
        ({"images": np.full((10, 4), 1j)}, "images: is of type complex128"),
        ({"images": np.full((10, 4), None)}, "images: holds Python objects"),
        ({"images": grey() * 255}, "images: has values from"),
        ({"images": grey() - 0.5}, "images: has values from -0"),
        ({"images": np.full((10, 4), np.nan)}, "images: has values from nan"),
        ({"train": grey(), "valid": grey(), "test": grey(5, 4, 3)}, "the splits differ"),
        ({"train": grey(), "valid": grey(), "test": grey() > 0.5}, "the splits differ"),
        ({"train": grey(), "valid": grey(), "test": grey(5) - 1}, "test: has values"),
    ],
)
def test_what_is_refused(tmp_path: Path, held: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(NwsError, match=rf"mine\.npz: .*{says}"):
        read_images(write(tmp_path, **held))


def test_one_bad_pixel_is_found(tmp_path: Path) -> None:
    images = grey(50)
    images[33, 1, 2] = np.nan
    with pytest.raises(NwsError, match="no NaN"):
        read_images(write(tmp_path, images=images))
