"""What the raw MNIST files must hold: checked by content, wherever the bytes came from."""

import hashlib
import zlib
from typing import NamedTuple

from nws.errors import NwsError

GZIP_MAGIC = b"\x1f\x8b"
GZIP_WRAPPER = 31  # zlib's window bits for "gzip, largest window"


class RawFile(NamedTuple):
    """A decompressed IDX file: its name, its size in bytes, the sha256 of its content."""

    name: str
    size: int
    sha256: str


# Labels are not needed: every model here is trained and scored on images alone.
FILES = (
    RawFile(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    RawFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
)


def content(raw: bytes, file: RawFile, where: str) -> bytes:
    """The decompressed, verified content of ``raw``, which may be plain or gzipped.

    The first bytes tell which: names lie, and web clients may decompress on the way. Raises
    NwsError, naming ``where``, if the content is not exactly ``file``'s.
    """
    plain = _decompress(raw, file.size, where) if raw.startswith(GZIP_MAGIC) else raw
    if len(plain) != file.size:
        relation = "more than" if len(plain) > file.size else "only"
        found = min(len(plain), file.size)
        raise NwsError(f"{where}: holds {relation} {found} bytes, {file.name} has {file.size}")
    check_sha256(plain, file.sha256, where)
    return plain


def decompressed(raw: bytes, file: RawFile) -> bytes:
    """``raw`` unpacked, to a byte more than ``file`` has; as it is where it cannot be."""
    try:
        return _decompress(raw, file.size, file.name) if raw.startswith(GZIP_MAGIC) else raw
    except NwsError:
        return raw


def check_sha256(data: bytes, expected: str, where: str) -> None:
    """Raises NwsError, naming ``where`` and both hashes, if the hash of ``data`` is another."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise NwsError(f"{where}: wrong content: its sha256 is {found}, expected {expected}")


def _decompress(raw: bytes, size: int, where: str) -> bytes:
    # One byte more than expected is enough to refuse: a gzip bomb never unfolds.
    try:
        return zlib.decompressobj(GZIP_WRAPPER).decompress(raw, size + 1)
    except zlib.error as error:
        raise NwsError(f"{where}: is not a readable gzip file: {error}") from None
