"""Checkpoints of a run: one .npz each, the last two kept.

They live in a work folder that no workflow declares as an output. Each carries a fingerprint of
what the rest of the run depends on; zip's own checksums find a damaged file, and then the one
before is used.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nws.files import write_npz
from nws.training.history import Row

KEPT = 2
PATTERN = re.compile(r"^step(\d{10})\.npz$")


class Progress(NamedTuple):
    """Where a run is: ``start`` steps of epoch number ``epoch`` are done, after ``rows``."""

    epoch: int = 0
    start: int = 0
    seconds: float = 0.0
    resumed: int = 0
    peak_memory_mib: float = 0.0
    rows: tuple[Row, ...] = ()


def save(
    folder: Path, step: int, state: Any, progress: Progress, fingerprint: Mapping[str, Any]
) -> None:
    """Write the checkpoint of ``step`` whole or not at all, then drop all but the newest two."""
    arrays = {f"t{i}": np.asarray(t) for i, t in enumerate(tf.nest.flatten(state))}
    about = {"fingerprint": dict(fingerprint), "progress": progress._asdict()}
    arrays["about"] = np.array(json.dumps(about))
    write_npz(folder / f"step{step:010d}.npz", arrays)
    for path in _files(folder)[KEPT:]:
        path.unlink(missing_ok=True)


def restore(
    folder: Path, like: Any, fingerprint: Mapping[str, Any], warn: Callable[[str], None]
) -> tuple[Any, Progress] | None:
    """The newest whole checkpoint with this fingerprint, as tensors in the structure of ``like``.

    A damaged one is passed over with a warning. One of another configuration is refused: the
    warning names what differs, the file is set aside, and the run starts anew (None).
    """
    for path in _files(folder):
        try:
            tensors, about = _read(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            warn(f"{path}: damaged ({error}); trying the checkpoint before it")
            continue
        differs = difference(about["fingerprint"], fingerprint)
        expected = tf.nest.flatten(like)
        if not differs and [t.shape for t in tensors] != [tuple(t.shape) for t in expected]:
            differs = "shapes of the state"
        if differs:
            path.rename(path.with_suffix(".refused"))
            warn(f"{path.name}: not used, it belongs to another run: {differs}; starting anew")
            continue
        values = [tf.constant(t, e.dtype) for t, e in zip(tensors, expected, strict=True)]
        content = about["progress"]
        rows = tuple(Row(*row) for row in content.pop("rows"))
        return tf.nest.pack_sequence_as(like, values), Progress(**content, rows=rows)
    return None


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two fingerprints, as "key: old → new, …"; empty if nothing."""
    keys = dict.fromkeys([*old, *new])
    return ", ".join(
        f"{key}: {old.get(key)} → {new.get(key)}" for key in keys if old.get(key) != new.get(key)
    )


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if PATTERN.match(p.name)), reverse=True)


def _read(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        return [file[f"t{i}"] for i in range(len(file.files) - 1)], about
