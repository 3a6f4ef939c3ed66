"""Files that are either whole or not there."""

import io
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from nws.errors import NwsError


def write_bytes(path: Path, content: bytes) -> None:
    """Write through a temporary file in the same directory, so that no reader sees a part.

    Raises NwsError where that is not possible: a full disk, a read-only folder, …
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> NwsError:
    """Why a file cannot be written, and what to do."""
    return NwsError(f"{path}: cannot be written: {error.strerror}; {_advice(path)}")


def _advice(path: Path) -> str:
    for part in reversed(path.parents):
        if part.is_symlink() and not part.exists():
            return f"{part} is a link to {os.readlink(part)}, which is not there: make it"
        if part.exists() and not part.is_dir():
            return f"{part} is no folder: rename it, and run the same command again"
    return "make room, or the folder writable, and run the same command again"


def write_text(path: Path, content: str) -> None:
    """UTF-8 text, like :func:`write_bytes`."""
    write_bytes(path, content.encode())


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """An uncompressed .npz of plain arrays."""
    content = io.BytesIO()
    np.savez(content, **dict(arrays))
    write_bytes(path, content.getvalue())
