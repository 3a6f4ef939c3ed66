"""The IDX format of the MNIST files: a header that states the shape, then the bytes."""

import math
import struct

import numpy as np
from numpy.typing import NDArray

from nws.errors import NwsError

UINT8 = 8  # type code of unsigned bytes, the only one MNIST uses
MAX_DIMENSIONS = 4


def read_idx(data: bytes, name: str) -> NDArray[np.uint8]:
    """The array of an IDX file, a read-only view of ``data``.

    Header (big endian): two zero bytes, the type code 8, the number of dimensions n, then n sizes
    of four bytes each; after it exactly their product of bytes. Nothing is allocated, so a header
    that lies costs nothing. ``name`` is what an error calls the file.

    Raises NwsError for anything that is not such a file, truncated or too long ones included.
    Source: LeCun, Cortes and Burges, "The MNIST database", section "File formats".
    """
    shape = _shape(data, name)
    start = 4 + 4 * len(shape)
    found, stated = len(data) - start, math.prod(shape)
    if found != stated:
        raise NwsError(
            f"{name}: the header states {' x '.join(map(str, shape))} = {stated} bytes, "
            f"found {found}; the file is truncated or damaged, fetch it again"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def write_idx(array: NDArray[np.uint8]) -> bytes:
    """The bytes of the IDX file of an array: the inverse of :func:`read_idx`."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UINT8, array.ndim, *array.shape)
    return header + array.tobytes()


def _shape(data: bytes, name: str) -> tuple[int, ...]:
    if len(data) < 4 or data[:3] != bytes([0, 0, UINT8]):
        raise NwsError(
            f"{name}: begins with {data[:4].hex(' ') or 'nothing'}; an IDX file of unsigned bytes "
            "begins with 00 00 08 and the number of dimensions"
        )
    dimensions = data[3]
    if not 1 <= dimensions <= MAX_DIMENSIONS or len(data) < 4 + 4 * dimensions:
        raise NwsError(
            f"{name}: the header states {dimensions} dimensions in a file of {len(data)} bytes; "
            f"allowed: 1 to {MAX_DIMENSIONS}, each with its size in four bytes"
        )
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    if 0 in shape:
        raise NwsError(f"{name}: the header states the shape {shape}; every size must be positive")
    return shape
