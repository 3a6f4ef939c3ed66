"""A user's own images: an .npz file with ``images``, or with ``train``, ``valid`` and ``test``."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nws.errors import NwsError
from nws.files.npz import Arrays, read_npz, read_shapes

SPLITS = ("train", "valid", "test")
TYPES = "float in [0, 1], bool, or uint8 (0 and 1, or 0 to 255)"


def read_images(path: Path) -> tuple[Arrays, int]:
    """The splits (images, height, width), and the number that divides them into [0, 1].

    ``images`` is split 80/10/10 in order. Arrays are (n, height, width), or (n, pixels), which
    become square where they can and one row high where not. uint8 is taken as 0 and 1 if no value
    is above 1, else as 0 to 255. Raises NwsError, naming the file and the array.
    """
    arrays = _arrays(path)
    for name, array in arrays.items():
        _check(array, f"{path}: {name}")
    shaped = {name: array.reshape(len(array), *_shape(array)) for name, array in arrays.items()}
    shapes = {name: array.shape[1:] for name, array in shaped.items()}
    types = {array.dtype for array in arrays.values()}
    if len(set(shapes.values())) > 1 or len(types) > 1:
        raise NwsError(
            f"{path}: the splits differ: found images of {shapes} and types "
            f"{', '.join(map(str, types))}; all must have one shape and one type"
        )
    # Judged over all splits together: one dark split must not be scaled unlike the others.
    levels = types == {np.dtype(np.uint8)} and max(a.max() for a in shaped.values()) > 1
    return shaped, 255 if levels else 1


def sizes(path: Path) -> tuple[dict[str, int], int]:
    """The images of each split and the pixels of an image, from the headers alone."""
    held = read_shapes(path, str(path), ("images", *SPLITS))
    if held.keys() not in ({"images"}, set(SPLITS)) or min(map(len, held.values())) < 2:
        read_images(path)  # says what is wrong
    if "images" in held:
        first, second = _ends(held["images"][0])
        counts = {"train": first, "valid": second - first, "test": held["images"][0] - second}
    else:
        counts = {split: held[split][0] for split in SPLITS}
    return counts, math.prod(next(iter(held.values()))[1:])


def _ends(images: int) -> list[int]:
    """Where 80/10/10 are split."""
    return [images * 8 // 10, images * 9 // 10]


def _arrays(path: Path) -> Arrays:
    held = read_npz(path, str(path), (), ("images", *SPLITS))
    if held.keys() == set(SPLITS):
        return held
    if held.keys() != {"images"}:
        raise NwsError(
            f"{path}: holds {', '.join(held) or 'no images'}; must hold either the array images, "
            f"or all of {', '.join(SPLITS)}"
        )
    images = held["images"]
    _check(images, f"{path}: images")
    if len(images) < 10:
        raise NwsError(f"{path}: images: found {len(images)}; a split 80/10/10 needs at least 10")
    return dict(zip(SPLITS, np.split(images, _ends(len(images))), strict=True))


def _check(array: NDArray[Any], where: str) -> None:
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise NwsError(
            f"{where}: has the shape {array.shape}; allowed: (images, height, width) or "
            "(images, pixels), none of them 0"
        )
    if array.dtype.kind != "f" and array.dtype not in (np.dtype(np.uint8), np.dtype(bool)):
        raise NwsError(f"{where}: is of type {array.dtype}; allowed: {TYPES}")
    low, high = array.min(), array.max()
    if array.dtype.kind == "f" and not (low >= 0 and high <= 1):  # NaN fails both
        raise NwsError(f"{where}: has values from {low} to {high}; allowed: {TYPES}, no NaN")


def _shape(array: NDArray[Any]) -> tuple[int, int]:
    if array.ndim == 3:
        return array.shape[1], array.shape[2]
    pixels = array.shape[1]
    side = math.isqrt(pixels)
    return (side, side) if side * side == pixels else (1, pixels)
