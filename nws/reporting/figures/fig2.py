"""Figure 2: what NRWS models of miniMNIST draw, for images rounded (B) and redrawn (BSt)."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting import paper
from nws.reporting.figures import pictures, style
from nws.reporting.results import DONE, MISSING, Entry, Results

EXPERIMENTS = ("minimnist",)
COUNT, ACROSS = 36, 6
KINDS = {
    "probabilities": "model probabilities",
    "samples": "model samples",
    "data": "data",
}


def data(results: Results) -> pd.DataFrame:
    """One row per image of the first NRWS seed that has samples, per binarization."""
    rows: list[dict[str, object]] = []
    for binarization in ("B", "BSt"):
        rows += _panels(results, binarization)
    return pd.DataFrame(rows, columns=pictures.COLUMNS)


def draw(frame: pd.DataFrame) -> Figure:
    """Probabilities, samples and test images, for B and BSt."""
    figure = style.figure(5.2)
    axes = figure.subplots(2, 3)
    for line, binarization in zip(axes, ("B", "BSt"), strict=True):
        for axis, (kind, title) in zip(line, KINDS.items(), strict=True):
            panel = frame[frame["panel"] == f"{binarization} {kind}"]
            pictures.show(axis, panel, ACROSS, f"{binarization}: {title}")
    style.note(figure, frame)
    return figure


def _panels(results: Results, binarization: str) -> list[dict[str, object]]:
    entries = [
        entry
        for entry in results.entries("minimnist")
        if paper.binarization(results.config, entry.run.settings.dataset) == binarization
        and entry.run.settings.algorithm == "nrws"
    ]
    for entry in entries:
        arrays = results.samples(entry.run.experiment, entry.run.name, entry.seed)
        if entry.status in DONE and arrays is not None and set(KINDS) <= set(arrays):
            return [
                row
                for kind in KINDS
                for row in pictures.rows(
                    f"{binarization} {kind}",
                    arrays[kind][:COUNT],
                    arrays["shape"],
                    **_identity(entry),
                )
            ]
    return [{"panel": f"{binarization} {kind}", **_absent(entries)} for kind in KINDS]


def _identity(entry: Entry) -> dict[str, object]:
    return {"run": entry.run.name, "seed": entry.seed, "status": entry.status}


def _absent(entries: list[Entry]) -> dict[str, object]:
    """Identity of a panel without images: the first run that should have had them."""
    if not entries:
        return {"run": "nrws", "seed": 0, "status": MISSING}
    first = _identity(entries[0])
    return first if entries[0].status not in DONE else {**first, "status": MISSING}
