"""Whole and real numbers of any type, for arguments and for configurations."""

import operator
from contextlib import suppress
from numbers import Real
from typing import Any

from nws.errors import NwsError

LARGEST = 2**63 - 1  # what TensorFlow's integers hold


def whole(value: Any) -> int:
    """3, 3.0, np.int64(3), and the texts "3" and "3e0" as 3; raises ValueError for anything else.

    Booleans are no numbers.
    """
    number = _number(value)
    if isinstance(number, int):
        return number
    if not number.is_integer():  # nor are nan and the infinities
        raise ValueError("a whole number is needed")
    return int(number)


def real(value: Any) -> float:
    """A number of any type, or its text, as a float; raises ValueError for anything else."""
    return _float(_number(value))


def count(name: str, value: Any, least: int = 1) -> int:
    """The argument ``name``, a whole number from ``least`` to 2^63-1; else an NwsError names it."""
    try:
        number = None if isinstance(value, str) else whole(value)
    except ValueError:
        number = None
    if number is None or not least <= number <= LARGEST:
        most = ", at most 2^63-1" if number is not None and number > LARGEST else ""
        raise NwsError(f"{name}: found {value!r}; give a whole number, at least {least}{most}")
    return number


def _number(value: Any) -> int | float:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return float(value)
    with suppress(TypeError):
        if getattr(value, "shape", None) == ():  # of NumPy and TensorFlow: as NumPy's scalar
            value = getattr(value, "numpy", lambda: value)()[()]
        if not isinstance(value, bool):
            return operator.index(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return _float(value)
    raise ValueError("a number is needed")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # of whole numbers and fractions
        raise ValueError("a smaller number is needed") from None
