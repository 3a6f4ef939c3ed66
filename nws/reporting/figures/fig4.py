"""Figure 4: MNIST, twelve layers, SGD, by WS, RWS and NRWS."""

import pandas as pd
from matplotlib.figure import Figure

from nws.reporting import alike, paper
from nws.reporting.figures import curves
from nws.reporting.results import Results

EXPERIMENTS = ("mnist",)


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed, then Table 2's values."""
    names = results.history("mnist")["dataset"].unique()
    own = [name for name in names if alike.other_images(results.config, "mnist", name)]
    panels = {name: f"{name if name in own else 'MNIST'}, SGD" for name in names}
    frame = curves.frame(results, "mnist", panels)
    rows = [
        curves.reference(panel, row, paper.TABLE2_EPOCHS)
        for name, panel in panels.items()
        if name not in own
        for row in paper.TABLE2
    ]
    return pd.concat([frame, pd.DataFrame(rows, columns=curves.COLUMNS)], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """Losses over epochs and over time, of twelve layers on MNIST."""
    return curves.draw(frame)
