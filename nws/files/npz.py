"""Reading .npz files of unknown making: no pickles, and no header is believed."""

import math
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nws.errors import NwsError

Arrays = dict[str, NDArray[Any]]
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(
    file: Path | IO[bytes], where: str, required: Iterable[str], optional: Iterable[str] = ()
) -> Arrays:
    """The named arrays of an .npz file, read-only; other members are not even opened.

    An array's header must state exactly the bytes its member holds, which is checked before they
    are read. Raises NwsError, naming ``where``, if the file cannot be read, is no such archive, is
    damaged, holds Python objects or lacks a required array.
    """
    with _opened(file, where) as archive:
        held = _names(archive)
        missing = [name for name in required if name not in held]
        if missing:
            raise NwsError(
                f"{where}: lacks the array {', '.join(missing)}; it holds: "
                f"{', '.join(held) or 'none'}"
            )
        wanted = [*required, *(name for name in optional if name in held)]
        return {name: _array(archive, name, where) for name in wanted}


def names(file: Path, where: str) -> list[str]:
    """Those of the arrays in an .npz file."""
    with _opened(file, where) as archive:
        return _names(archive)


def read_shapes(file: Path, where: str, wanted: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of those of the wanted arrays that an .npz file holds, from their headers."""
    with _opened(file, where) as archive:
        held = [name for name in wanted if name in _names(archive)]
        found = {}
        for name in held:
            with archive.open(f"{name}.npy") as stream:
                found[name] = HEADERS[npy.read_magic(stream)](stream)[0]
        return found


@contextmanager
def _opened(file: Path | IO[bytes], where: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except NwsError:
        raise
    except OSError as error:
        raise NwsError(f"{where}: cannot be read: {error.strerror or error}") from None
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged bytes
        raise NwsError(f"{where}: is not a readable .npz file (damaged?): {error}") from error


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]


def _array(archive: zipfile.ZipFile, name: str, where: str) -> NDArray[Any]:
    member = f"{name}.npy"
    with archive.open(member) as stream:
        shape, fortran, dtype = HEADERS[npy.read_magic(stream)](stream)
        if dtype.hasobject:
            raise NwsError(f"{where}: {name}: holds Python objects; allowed: arrays of numbers")
        found = archive.getinfo(member).file_size - stream.tell()
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != found:
            raise NwsError(
                f"{where}: {name}: the header states {shape} of {dtype}, which is not the "
                f"{found} bytes that follow; the file is damaged"
            )
        return np.frombuffer(stream.read(), dtype).reshape(shape, order="F" if fortran else "C")
