"""The paper's claims: each with the quantity, the paper's value, and a tolerance fixed beforehand.

:func:`check` judges them all against the results of a scale; :func:`write` leaves ``claims.csv``.
``MARKS`` are this project's own.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from nws.files import manifest
from nws.files.whole import write_text
from nws.reporting.claims import damping, grids, ksteps, learning, likelihood, sooner, structure
from nws.reporting.claims.claim import VERDICTS, Claim, Verdict, judge
from nws.reporting.claims.race import MARKS
from nws.reporting.claims.scale import Needs
from nws.reporting.results import Results

__all__ = [
    "ALL",
    "MARKS",
    "VERDICTS",
    "Claim",
    "Needs",
    "Verdict",
    "check",
    "judge",
    "to_csv",
    "write",
]

ALL: list[Claim] = [
    *structure.CLAIMS,
    *likelihood.CLAIMS,
    *sooner.CLAIMS,
    *learning.CLAIMS,
    *damping.CLAIMS,
    *grids.CLAIMS,
    *ksteps.CLAIMS,
]
COLUMNS = (
    "id", "claim", "where", "quantity", "paper", "tolerance", "revised",
    "ours", "seeds", "interval", "verdict", "scale", "why", "evidence",
)  # fmt: skip


def check(results: Results, claims: Sequence[Claim] = ALL) -> list[tuple[Claim, Verdict]]:
    """Every claim with its verdict."""
    return [(claim, judge(claim, results)) for claim in claims]


def to_csv(judged: list[tuple[Claim, Verdict]]) -> str:
    """One line per claim."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for c, v in judged:
        stated = (c.id, c.text, c.where, c.quantity, c.paper, c.tolerance, c.revised)
        measured = (v.ours, v.seeds or "", v.interval, v.verdict, v.scale, v.why)
        writer.writerow((*stated, *measured, c.evidence))
    return text.getvalue()


def write(judged: list[tuple[Claim, Verdict]], path: Path) -> None:
    """``claims.csv``."""
    write_text(path, to_csv(judged))
    manifest.write(path.parent, [path.name], f"claims.{manifest.NAME}")
