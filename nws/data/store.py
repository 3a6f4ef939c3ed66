"""A data set and its files: ``<name>.npz`` with the arrays, ``<name>.json`` with their story."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nws.errors import NwsError
from nws.files.npz import Arrays, read_npz
from nws.files.whole import write_bytes, write_text

Provenance = dict[str, Any]
EXACT = ("patterns", "probabilities")
AGAIN = "delete both and prepare the data set again"


@dataclass(frozen=True)
class Dataset:
    """Images as models take them, in rows of height x width pixels.

    ``train``, ``valid`` and ``test`` are (images, pixels) uint8 in {0, 1}; ``train`` of a
    stochastic data set is float32 in [0, 1], to be drawn at every step. Where the distribution is
    known, ``patterns`` (n, pixels) in {0, 1} have the ``probabilities`` (n,), which sum to 1.
    """

    name: str
    train: NDArray[Any]
    valid: NDArray[np.uint8]
    test: NDArray[np.uint8]
    shape: tuple[int, int]
    binarization: str
    patterns: NDArray[np.uint8] | None = None
    probabilities: NDArray[np.float64] | None = None

    def arrays(self) -> Arrays:
        """What the .npz file holds, by name."""
        held = {key: getattr(self, key) for key in ("train", "valid", "test", *EXACT)}
        held["shape"] = np.array(self.shape, np.int64)
        return {key: array for key, array in held.items() if array is not None}


def sha256(array: NDArray[Any]) -> str:
    """The hash of an array's bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def save(dataset: Dataset, provenance: Provenance, npz_path: Path) -> None:
    """Write ``npz_path`` and the .json beside it; the same data set gives the same bytes."""
    arrays: dict[str, Any] = dataset.arrays()
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    write_bytes(npz_path, archive.getvalue())
    write_text(npz_path.with_suffix(".json"), json.dumps(provenance, indent=1) + "\n")


def load(npz_path: Path) -> Dataset:
    """The data set :func:`save` wrote, read-only and checked against the .json beside it.

    Raises NwsError if a file is missing, damaged or of another making.
    """
    arrays = read_npz(npz_path, str(npz_path), ("train", "valid", "test", "shape"), EXACT)
    provenance = load_provenance(npz_path)
    for key, array in arrays.items():
        if sha256(array) != provenance["sha256"].get(key):
            raise NwsError(f"{npz_path}: {key}: is not what the .json beside it describes; {AGAIN}")
    stochastic = provenance["binarization"] == "stochastic"
    shape = _check(arrays, stochastic, npz_path)
    del arrays["shape"]
    return Dataset(
        name=provenance["name"], binarization=provenance["binarization"], shape=shape, **arrays
    )


def load_provenance(npz_path: Path) -> Provenance:
    """The content of the .json beside a data set: its origin, counts and hashes."""
    path = npz_path.with_suffix(".json")
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise NwsError(f"{path}: cannot be read: {error.strerror}; {AGAIN}") from None
    except ValueError as error:
        raise NwsError(f"{path}: is not JSON: {error}; {AGAIN}") from None
    kinds = {"name": str, "source": dict, "binarization": str, "sha256": dict}
    if not isinstance(content, dict) or any(
        not isinstance(content.get(key), kind) for key, kind in kinds.items()
    ):
        raise NwsError(f"{path}: lacks {', '.join(kinds)}; {AGAIN}")
    return content


def _check(arrays: Arrays, stochastic: bool, path: Path) -> tuple[int, int]:
    shape = arrays["shape"]
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 1:
        raise NwsError(f"{path}: shape: found {shape!r}; must be two positive integers; {AGAIN}")
    height, width = (int(size) for size in shape)
    for key in ("train", "valid", "test", "patterns"):
        if key in arrays:
            dtype = np.dtype(np.float32 if stochastic and key == "train" else np.uint8)
            _check_images(arrays[key], dtype, height * width, f"{path}: {key}")
    if arrays.keys() & set(EXACT):
        _check_distribution(arrays, path)
    return height, width


def _check_images(array: NDArray[Any], dtype: np.dtype[Any], pixels: int, where: str) -> None:
    if array.dtype != dtype or array.ndim != 2 or array.shape[1] != pixels or not len(array):
        raise NwsError(
            f"{where}: found {array.dtype} of shape {array.shape}; must be {dtype} of shape "
            f"(images, {pixels}); {AGAIN}"
        )
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # NaN fails both
        raise NwsError(f"{where}: has values from {low} to {high}; must be in [0, 1]; {AGAIN}")


def _check_distribution(arrays: Arrays, path: Path) -> None:
    weights = arrays.get("probabilities", np.zeros(0))
    rows = len(arrays.get("patterns", ()))
    proper = weights.shape == (rows,) and weights.dtype == np.float64 and rows > 0
    if not proper or not (weights.min() >= 0 and abs(weights.sum() - 1) < 1e-9):
        raise NwsError(
            f"{path}: patterns and probabilities: found {rows} and {weights.shape}; must come "
            f"together, the probabilities float64, not negative and with the sum 1; {AGAIN}"
        )
