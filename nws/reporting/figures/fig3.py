"""Figure 3: miniMNIST, rounded (B) and redrawn (BSt), by WS, RWS and NRWS."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting import paper
from nws.reporting.figures import curves
from nws.reporting.results import Results

EXPERIMENTS = ("minimnist",)


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed, then Table 1's values."""
    return of("minimnist", results)


def of(experiment: str, results: Results) -> pd.DataFrame:
    """The data of any experiment on miniMNIST."""
    history = results.history(experiment)
    panels = {name: _panel(results, name) for name in dict.fromkeys(history["dataset"])}
    frame = curves.frame(history, history["dataset"].map(panels))
    rows = [
        curves.reference(panel, row, paper.TABLE1_EPOCHS)
        for name, panel in panels.items()
        for row in paper.TABLE1.get(paper.binarization(results.config, name), [])
    ]
    return pd.concat([frame, pd.DataFrame(rows, columns=curves.COLUMNS)], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """Losses over epochs and over time; a row for B and one for BSt."""
    return curves.draw(frame)


def _panel(results: Results, dataset: str) -> str:
    return f"miniMNIST, {paper.binarization(results.config, dataset)}"
