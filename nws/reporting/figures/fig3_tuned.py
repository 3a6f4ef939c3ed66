"""Figure 3 again, ours: each algorithm with the settings that its search chose."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting.figures import curves, fig3
from nws.reporting.results import Results

EXPERIMENTS = ("tuned",)


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed, then Table 1's values."""
    return fig3.of("tuned", results)


def draw(frame: pd.DataFrame) -> Figure:
    """As Figure 3, each algorithm at its own best setting."""
    return curves.draw(frame)
