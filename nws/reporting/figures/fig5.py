"""Figure 5: MNIST, twelve layers, Adam, by WS, NWS, RWS and NRWS."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting.figures import curves
from nws.reporting.results import Results

EXPERIMENTS = ("adam",)


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed."""
    return curves.frame(results.history("adam"), "MNIST, Adam")


def draw(frame: pd.DataFrame) -> Figure:
    """Losses over epochs and over time, of twelve layers with Adam."""
    return curves.draw(frame)
