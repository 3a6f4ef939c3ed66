"""Figure 4: MNIST, twelve layers, SGD, by WS, RWS and NRWS."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting import paper
from nws.reporting.figures import curves
from nws.reporting.results import Results

EXPERIMENTS = ("mnist",)
PANEL = "MNIST, SGD"


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed, then Table 2's values."""
    frame = curves.frame(results.history("mnist"), PANEL)
    rows = [curves.reference(PANEL, row, paper.TABLE2_EPOCHS) for row in paper.TABLE2]
    return pd.concat([frame, pd.DataFrame(rows, columns=curves.COLUMNS)], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """Losses over epochs and over time, of twelve layers on MNIST."""
    return curves.draw(frame)
