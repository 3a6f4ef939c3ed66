"""Figure 7: miniMNIST, 100-50-20-10-10 minimum loss over learning rate and damping."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting import cells
from nws.reporting.figures import heatmap
from nws.reporting.results import Results

EXPERIMENTS = ("grid_minimnist",)


def data(results: Results) -> pd.DataFrame:
    """One row per cell of the grid and seed."""
    return cells.runs(results, "grid_minimnist")


def draw(frame: pd.DataFrame) -> Figure:
    """Final loss for each η and α on miniMNIST."""
    return heatmap.draw(frame)
