"""The README's tables of results: Table 1 of docs/reference beside the paper's, and the race."""

import csv
import math
from pathlib import Path

from nws.reporting import wording
from nws.reporting.page import provenance
from nws.reporting.results import Results

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
README = ROOT / "README.md"
BEGIN, END = "<!-- reference: by tools/reference.py -->", "<!-- end of reference -->"
HEAD = [
    "| images | algorithm | η | α | ours | s.e. | seeds | paper |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]
RACE = [
    "| trained | algorithm | settings | seeds | ours | s.e. |",
    "| --- | --- | --- | --- | --- | --- |",
]
SAID = ("reproduced", "partly", "not reproduced")


def section(reference: Path = REFERENCE) -> str:
    """Table 1 and the race, with the number of claims for each verdict, date and machine, in
    Markdown."""
    rows = _rows(reference / "tables" / "table1.csv")
    lines = [
        f"{_claims(_rows(reference / 'claims.csv'))} {_origin(reference)}",
        "",
        "miniMNIST, test log-likelihood in nats after the paper's 500 epochs, with 10,000 samples "
        "on all 10,000 images; s.e.: standard error over images; in brackets: 95% over seeds.",
        "",
        *HEAD,
        *map(_line, rows),
        "",
    ]
    if run := [row for row in _rows(reference / "tables" / "race_scores.csv") if int(row["seeds"])]:
        lines += [
            "The race: miniMNIST B, each algorithm with the settings that did best, on validation "
            "images, in a search of its own: after that time, or at the end of a shorter search.",
            "",
            *RACE,
            *map(_raced, run),
            "",
        ]
    return "\n".join(lines)


def put(text: str, page: str) -> str:
    """The page with its part between the marks replaced."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{text}{END}{rest.split(END)[1]}"


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _claims(claims: list[dict[str, str]]) -> str:
    counts = {said: sum(c["verdict"] == said for c in claims) for said in SAID}
    judged = ", ".join(f"{count} {said}" for said, count in counts.items())
    rest = len(claims) - sum(counts.values())
    return f"Of {len(claims)} claims of the paper: {judged}, {rest} not judged yet."


def _origin(reference: Path) -> str:
    """Where, for how long and until when."""
    entries = [entry for entry in Results(reference).all_entries() if entry.metrics]
    names = {machine["gpu"] or machine["cpu"]: None for machine in provenance.machines(entries)}
    hours = provenance.totals(entries)["all"] / 3600
    return (
        f"All {len(entries)} runs and their scores took {hours:.1f} h on "
        f"{' and '.join(names)}, the "
        f"last on {provenance.finished_at(entries)[:10]}."
    )


def _line(row: dict[str, str]) -> str:
    cells = [
        row["binarization"],
        row["algorithm"].upper(),
        row["learning_rate"],
        row["damping"] or "–",
        _mean(row),
        _number(row["standard_error"]),
        row["seeds"],
        _number(row["paper_ll"]),
    ]
    return f"| {' | '.join(cells)} |"


def _raced(row: dict[str, str]) -> str:
    cells = [
        wording.budget(float(row["budget"])),
        row["rival"],
        row["settings"],
        row["seeds"],
        _mean(row),
        _number(row["standard_error"]),
    ]
    return f"| {' | '.join(cells)} |"


def _mean(row: dict[str, str]) -> str:
    """With the interval over seeds, where there are several."""
    if not row["ci_low"]:
        return _number(row["ll_test_mean"])
    return f"{_number(row['ll_test_mean'])} [{_number(row['ci_low'])}, {_number(row['ci_high'])}]"


def _number(text: str) -> str:
    """Two digits; a run that is not there has no number."""
    if not text or not math.isfinite(float(text)):
        return "missing"
    return f"{float(text):.2f}".replace("-", "−")
