"""Checkpoints of a run: one .npz each, the last two kept.

They live in a work folder that no workflow declares as an output. Each carries a fingerprint of
what the rest of the run depends on; zip's own checksums find a damaged file, and then the one
before is used. What is not used is renamed, so that it is not counted among the last two.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nws.errors import NwsError
from nws.files.npz import read_npz
from nws.files.record import difference
from nws.files.whole import write_npz
from nws.training.history import Row

KEPT = 2
PATTERN = re.compile(r"^step(\d{10})\.npz$")


class Progress(NamedTuple):
    """Where a run is: ``start`` steps of epoch number ``epoch`` are done, after ``rows``."""

    epoch: int = 0
    start: int = 0
    seconds: float = 0.0
    resumed: int = 0
    rows: tuple[Row, ...] = ()


def save(
    folder: Path, step: int, state: Any, progress: Progress, fingerprint: Mapping[str, Any]
) -> None:
    """Write the checkpoint of ``step`` whole or not at all, then drop all but the newest two.

    What is None in ``state`` is not kept, and comes back as it is at the start of a run.
    """
    tensors = tf.nest.flatten(state)
    arrays = {f"t{i}": np.asarray(t) for i, t in enumerate(tensors) if t is not None}
    about = {
        "fingerprint": dict(fingerprint),
        "progress": progress._asdict(),
        "not_kept": [i for i, t in enumerate(tensors) if t is None],
    }
    arrays["about"] = np.array(json.dumps(about))
    write_npz(folder / f"step{step:010d}.npz", arrays)
    for path in _files(folder)[KEPT:]:
        path.unlink(missing_ok=True)


def restore(
    folder: Path, like: Any, fingerprint: Mapping[str, Any], warn: Callable[[str], None]
) -> tuple[Any, Progress] | None:
    """The newest whole checkpoint with this fingerprint, as tensors in the structure of ``like``.

    A damaged one is set aside with a warning. One of another configuration is refused: the
    warning names what differs, the file is set aside, and the run starts anew (None).
    """
    for path in _files(folder):
        try:
            about = json.loads(str(read_npz(path, path.name, ["about"])["about"]))
            differs = difference(about["fingerprint"], fingerprint)
            if differs:
                _set_aside(path, ".refused")
                warn(f"{path.name}: not used, it belongs to another run: {differs}; starting anew")
                continue
            state = _state(path, like, set(about.get("not_kept", ())))
            return state, _progress(about["progress"])
        except (NwsError, ValueError, KeyError, TypeError) as error:
            _set_aside(path, ".damaged")
            warn(f"{path.name}: not used: {error}; trying the checkpoint before it")
    return None


def _set_aside(path: Path, suffix: str) -> None:
    with suppress(OSError):  # where that fails, so will the next checkpoint, and say why
        path.rename(path.with_suffix(suffix))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if PATTERN.match(p.name)), reverse=True)


def _state(path: Path, like: Any, not_kept: set[int]) -> Any:
    """The tensors of a checkpoint in the structure of ``like``, and those of ``like`` where none
    were kept; NwsError if they do not fit it."""
    expected = tf.nest.flatten(like)
    kept = [i for i in range(len(expected)) if i not in not_kept]
    arrays = read_npz(path, path.name, [f"t{i}" for i in kept])
    tensors = list(expected)
    for i in kept:
        found, needed = arrays[f"t{i}"], expected[i].numpy()
        if (found.shape, found.dtype) != (needed.shape, needed.dtype):
            raise NwsError(
                f"t{i} is {found.dtype} {found.shape}, not {needed.dtype} {needed.shape}"
            )
        tensors[i] = tf.constant(found)
    return tf.nest.pack_sequence_as(like, tensors)


def _progress(content: Mapping[str, Any]) -> Progress:
    rows = (Row(*row) for row in content["rows"])
    # JSON knows no tuples.
    whole = tuple(row._replace(active=tuple(row.active)) for row in rows)
    return Progress(**{**content, "rows": whole})
