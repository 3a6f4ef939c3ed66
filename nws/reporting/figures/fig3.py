"""Figure 3: miniMNIST, rounded (B) and redrawn (BSt), by WS, RWS and NRWS."""

import pandas as pd
from matplotlib.figure import Figure

from nws.config import Config
from nws.reporting import alike, paper
from nws.reporting.figures import curves
from nws.reporting.results import Results

EXPERIMENTS = ("minimnist",)


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed, then Table 1's values."""
    return of("minimnist", results)


def of(experiment: str, results: Results) -> pd.DataFrame:
    """The data of any experiment of the paper on miniMNIST."""
    config = results.config
    names = results.history(experiment)["dataset"].unique()
    panels = {name: _panel(config, experiment, name) for name in names}
    frame = curves.frame(results, experiment, panels)
    rows = [
        curves.reference(panel, row, paper.TABLE1_EPOCHS)
        for name, panel in panels.items()
        if not alike.other_images(config, experiment, name)
        for row in paper.TABLE1.get(paper.binarization(config, name), [])
    ]
    return pd.concat([frame, pd.DataFrame(rows, columns=curves.COLUMNS)], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """Losses over epochs and over time; a row for B and one for BSt."""
    return curves.draw(frame)


def _panel(config: Config, experiment: str, dataset: str) -> str:
    images = dataset if alike.other_images(config, experiment, dataset) else "miniMNIST"
    return f"{images}, {paper.binarization(config, dataset)}"
