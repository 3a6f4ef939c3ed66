"""The history of a run: one row an epoch."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

COLUMNS = (
    "epoch", "step", "seconds", "train_loss", "valid_loss", "residual", "iterations", "exact_kl",
)  # fmt: skip


class Row(NamedTuple):
    """``seconds``: training alone, since the run's start. None where a column does not apply."""

    epoch: int
    step: int
    seconds: float
    train_loss: float
    valid_loss: float
    residual: float | None = None
    iterations: float | None = None
    exact_kl: float | None = None


def to_csv(rows: Sequence[Row]) -> str:
    """``history.csv``; numbers in full, so that they read back equal."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return text.getvalue()


def epochs_without_gain(rows: Sequence[Row]) -> int:
    """Epochs since the lowest validation loss."""
    if not rows:
        return 0
    best = min(range(len(rows)), key=lambda i: rows[i].valid_loss)
    return len(rows) - 1 - best
