"""The history of a run: one row an epoch."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One epoch; losses in nats an image. None where a column does not apply.

    ``seconds``: training alone, since the run's start. ``train_loss`` is the mean over the epoch's
    steps; ``residual``, of a natural gradient, the worst relative one of the epoch by the solver's
    own account, ``iterations`` the mean over layers and steps, where a direct solver counts 1;
    ``exact_kl`` by enumeration. ``valid_loss`` is that of what the run publishes; where this is an
    average of parameters, ``valid_loss_last`` is that of the last ones. ``ess``, ``gap`` and
    ``active`` are those of :mod:`nws.evaluation.activity`, where they are asked for.
    """

    epoch: int
    step: int
    seconds: float
    train_loss: float
    valid_loss: float
    residual: float | None = None
    iterations: float | None = None
    exact_kl: float | None = None
    valid_loss_last: float | None = None
    ess: float | None = None
    gap: float | None = None
    active: tuple[float, ...] = ()


COLUMNS = Row._fields[:-1]


def to_csv(rows: Sequence[Row]) -> str:
    """``history.csv``; numbers in full, so that they read back equal.

    The active units of hidden layer i have the column ``active_i``; there is none without them.
    """
    layers = max((len(row.active) for row in rows), default=0)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *(f"active_{i}" for i in range(1, layers + 1))])
    for row in rows:
        *values, active = row
        missing = [None] * (layers - len(active))
        writer.writerow(["" if v is None else v for v in (*values, *active, *missing)])
    return text.getvalue()


def epochs_without_gain(rows: Sequence[Row]) -> int:
    """Epochs since the lowest validation loss."""
    if not rows:
        return 0
    best = min(range(len(rows)), key=lambda i: rows[i].valid_loss)
    return len(rows) - 1 - best
