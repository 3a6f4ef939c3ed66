"""What users give to ``import nws``, checked: errors say what was found and what to give."""

import math
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from typing import Any

import numpy as np

from nws.config.numbers import real, whole
from nws.config.settings import SINGLE
from nws.errors import NwsError

WEIGHTS = 2**31  # of one layer: 8 GiB


def sizes(layers: Sequence[int]) -> list[int]:
    """The sizes of a machine's layers."""
    try:
        listed = not isinstance(layers, str | bytes | Mapping | Set)
        found = [whole(size) for size in layers] if listed else []
    except (TypeError, ValueError):
        found = []
    if len(found) < 2 or min(found) < 1:
        raise NwsError(
            f"layers: found {layers!r}; give at least two positive whole numbers, visible first"
        )
    if max(a * b for a, b in pairwise(found)) > WEIGHTS:
        raise NwsError(f"layers: found {layers!r}; give fewer units, at most 2^31 weights a layer")
    return found


def finite(name: str, value: Any) -> float:
    """A finite number of single precision."""
    try:
        number = math.nan if isinstance(value, str) else real(value)
    except ValueError:
        number = math.nan
    if not abs(number) < SINGLE:
        raise NwsError(f"{name}: found {value!r}; give a finite number of single precision")
    return number


def grey(x: Any, visible: int, name: str) -> np.ndarray:
    """Rows of grey values in [0, 1] as float32; an error says what is wrong with them."""
    if np.ma.is_masked(x):
        raise NwsError(f"{name}: holds masked values; give all of them, e.g. x.filled(0)")
    try:
        held = np.asarray(x)
        if held.dtype.kind == "c":
            raise NwsError(f"{name}: holds complex numbers; give real ones, e.g. x.real")
        with np.errstate(over="ignore"):  # told below
            rows = held.astype(np.float32)
    except (TypeError, ValueError):
        raise NwsError(f"{name}: is not an array of numbers") from None
    if rows.ndim == 1 and rows.size == visible:
        rows = rows[None]
    if rows.ndim > 2 and len(rows):
        rows = rows.reshape(len(rows), -1)
    if rows.ndim != 2 or rows.shape[1] != visible or len(rows) == 0:
        raise NwsError(
            f"{name}: found shape {np.shape(x)}; give rows of {visible} pixels, the visible layer"
        )
    if not np.isfinite(rows).all():
        raise NwsError(f"{name}: holds nan or inf")
    if (rows < 0).any() and set(np.unique(rows)) <= {-1.0, 1.0}:
        rows = 0.5 * (rows + 1.0)
    if rows.min() < 0 or rows.max() > 1:
        mend = "np.clip(x, 0, 1) where they are a little beyond"
        if rows.min() >= 0 and rows.max() > 2:
            mend = "x / 255 where they are bytes"
        raise NwsError(
            f"{name}: values from {_digits(rows.min())} to {_digits(rows.max())}; give values in "
            f"[0, 1], e.g. {mend}"
        )
    return rows


def _digits(value: np.float32) -> str:
    """All of them: 1.000001 is not 1."""
    return np.format_float_positional(value, trim="-")


def pixels(x: Any, visible: int) -> np.ndarray:
    """Binary images as rows of ±1."""
    rows = grey(x, visible, "x")
    if not ((rows == 0) | (rows == 1)).all():
        raise NwsError("x: holds grey values; make it binary first, e.g. x > 0.5")
    return 2.0 * rows - 1.0
