"""Files that are either whole or not there."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write_bytes(path: Path, content: bytes) -> None:
    """Write through a temporary file in the same directory, so that no reader sees a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode())


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    """An uncompressed .npz of plain arrays."""
    content = io.BytesIO()
    np.savez(content, **dict(arrays))
    write_bytes(path, content.getvalue())
