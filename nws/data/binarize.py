"""From grey values to pixels in {0, 1}."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**20  # pixels drawn at a time; even, as a 64-bit word of the generator gives two


def round_half(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """1 where the grey value in [0, 1] is at least 0.5, else 0. Any shape."""
    return (grey >= 0.5).astype(np.uint8)


def draw(grey: NDArray[Any], seed: int, purpose: str) -> NDArray[np.uint8]:
    """Each pixel drawn once: 1 with its grey value in [0, 1] as the probability. Any shape.

    x = [u < grey], u uniform on the multiples of 2⁻²⁴ in [0, 1), from Philox keyed by the hash of
    (seed, purpose). The raw words of the generator are used, which NumPy never changes, in the
    order of the pixels: the draw of the first n images is the beginning of the draw of all.
    Source: Salakhutdinov and Murray, "On the quantitative analysis of deep belief networks", 2008.
    """
    key = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()[:16]
    generator = np.random.Philox(key=int.from_bytes(key, "little"))
    flat = grey.reshape(-1)
    pixels = np.empty(flat.size, np.uint8)
    for start in range(0, flat.size, BLOCK):
        part = flat[start : start + BLOCK]
        pixels[start : start + BLOCK] = _uniform(generator, part.size) < part
    return pixels.reshape(grey.shape)


def _uniform(generator: np.random.Philox, count: int) -> NDArray[np.float32]:
    words = generator.random_raw((count + 1) // 2).astype("<u8").view("<u4")[:count]
    return (words >> 8).astype(np.float32) * np.float32(2.0**-24)
