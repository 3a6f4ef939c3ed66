"""What is to be reached, in one place, and the rows that measurements are reported in."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from nws.benchmark.rounds import Value

# (row, architecture): what the measured value must be. Two CPU cores, batch 32, S = 10.
GOALS: dict[tuple[str, str], str] = {
    ("rws_vs_jax", "minimnist"): ">= 2.2",
    ("rws_vs_jax", "mnist"): ">= 1.75",
    ("rws_vs_torch", "minimnist"): ">= 3.5",
    ("rws_vs_torch", "mnist"): ">= 3",
    ("rws_vs_products", "minimnist"): "<= 1.2",
    ("rws_vs_products", "mnist"): "<= 1.2",
    ("nrws_k1_vs_rws", "minimnist"): "<= 3",
    ("nrws_k1_vs_rws", "mnist"): "<= 3.5",
    ("nrws_k1_residual", "minimnist"): "<= 0.01",
    ("nrws_k1_residual", "mnist"): "<= 0.01",
    ("nrws_k50_vs_rws", "minimnist"): "<= 2.5",
    ("nrws_k50_vs_rws", "mnist"): "<= 3",
    ("training_memory", "mnist"): "<= 1.5",
    ("likelihood_vs_products", "minimnist"): "<= 2.2",
    ("likelihood_vs_products", "mnist"): "<= 1.5",
    ("likelihood_memory", "mnist"): "<= 2",
    ("figure", ""): "<= 3",
    ("help", ""): "<= 0.5",
    ("prepare", "mnist"): "<= 5",
    ("first_step", "minimnist"): "<= 15",
    ("grid_vs_runs", "minimnist"): "<= 0.6",
    ("first_step", "mnist"): "<= 15",
}


class Row(NamedTuple):
    """One line of the result. ``spread``: half the interquartile range, in ``unit``."""

    name: str
    what: str
    architecture: str
    value: float
    unit: str
    goal: str | None
    reached: bool | None
    spread: float


def row(name: str, what: str, architecture: str, unit: str, value: Value) -> Row:
    """A measured value beside its goal, if it has one."""
    goal = GOALS.get((name, architecture))
    middle, spread = _short(value.median), _short(value.spread)
    return Row(name, what, architecture, middle, unit, goal, _reached(goal, middle), spread)


def table(rows: Sequence[Row]) -> str:
    """Rows as aligned text: those with a goal first."""
    ordered = sorted(rows, key=lambda row: row.goal is None)
    cells = [("", "architecture", "measured", "", "goal", "")]
    cells += [
        (r.what, r.architecture, _measured(r), r.unit, r.goal or "", _word(r)) for r in ordered
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in cells]
    return "\n".join(line.rstrip() for line in lines)


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def _reached(goal: str | None, value: float) -> bool | None:
    if goal is None:
        return None
    relation, bound = goal.split()
    return value <= float(bound) if relation == "<=" else value >= float(bound)


def _measured(row: Row) -> str:
    """Three digits, and the spread to the same place."""
    places = max(0, 2 - math.floor(math.log10(abs(row.value)))) if row.value else 0
    spread = f" ± {row.spread:.{places}f}" if row.spread else ""
    return f"{row.value:.{places}f}{spread}"


def _word(row: Row) -> str:
    return {True: "reached", False: "MISSED", None: ""}[row.reached]
