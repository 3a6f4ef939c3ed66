"""Figure 5: MNIST, twelve layers, Adam, by WS, NWS, RWS and NRWS."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting import alike
from nws.reporting.figures import curves
from nws.reporting.results import Results

EXPERIMENTS = ("adam",)


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed."""
    names = results.history("adam")["dataset"].unique()
    own = [name for name in names if alike.other_images(results.config, "adam", name)]
    panels = {name: f"{name if name in own else 'MNIST'}, Adam" for name in names}
    return curves.frame(results, "adam", panels)


def draw(frame: pd.DataFrame) -> Figure:
    """Losses over epochs and over time, of twelve layers with Adam."""
    return curves.draw(frame)
