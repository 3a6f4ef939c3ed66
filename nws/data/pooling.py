"""From 28x28 to 14x14: half the height and half the width, in two ways."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nws.data.binarize import draw
from nws.files.npz import Arrays

SIGMA = 0.5  # pixels: (factor - 1)/2, as scikit-image's anti-aliased resize has it


def pool(images: NDArray[Any]) -> NDArray[np.uint16]:
    """Sums over 2 x 2 blocks of integers, (n, h, w) to (n, h/2, w/2): 4 times the mean value.

    Integers, so that rounding the mean at one half is exact.
    """
    return _sums(images, np.uint16)


def antialias(images: NDArray[Any]) -> NDArray[np.float32]:
    """A Gaussian of σ = 0.5 pixels (four σ wide, mirrored at the edges), then linear interpolation
    at the centres of the new pixels, (n, h, w) to (n, h/2, w/2), float32.

    Halving, the centre of a new pixel is where four old ones meet, so that interpolating is their
    mean. The same as scikit-image's ``resize(..., anti_aliasing=True)``.
    """
    from scipy.ndimage import gaussian_filter1d

    blurred: NDArray[Any] = images.astype(np.float32)
    for axis in (1, 2):
        blurred = gaussian_filter1d(blurred, SIGMA, axis, mode="mirror")
    return np.asarray(_sums(blurred, np.float32) / 4, np.float32)


def halved(splits: Arrays, pooling: str, pooled: str, seed: int) -> tuple[Arrays, int]:
    """The splits of MNIST (uint8, 0 to 255) at half the size, and what divides them into [0, 1].

    ``pooling``: mean or antialias. ``pooled``: grey, or static: drawn once before, the images that
    a static data set of the same seed has.
    """
    scale = 255
    if pooled == "static":
        splits, scale = {s: _drawn(images, seed, s) for s, images in splits.items()}, 1
    if pooling == "antialias":
        return {s: antialias(images) for s, images in splits.items()}, scale
    return {s: pool(images) for s, images in splits.items()}, 4 * scale


def _drawn(images: NDArray[Any], seed: int, split: str) -> NDArray[np.uint8]:
    return draw(images.astype(np.float32) / np.float32(255), seed, split)


def _sums(images: NDArray[Any], dtype: Any) -> NDArray[Any]:
    count, height, width = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2)
    return np.asarray(blocks.sum(axis=(2, 4), dtype=dtype))
