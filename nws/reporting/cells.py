"""The cells of a grid over learning rate and damping: Figures 7 and 8, and the claims on them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nws.config import Run
from nws.reporting import alike
from nws.reporting.results import DONE, Results

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENTS = ("grid_minimnist", "grid_mnist")
COLUMNS = ["run", "learning_rate", "damping", "seed", "status", "min_valid_loss"]


def mixed(runs: Sequence[Run]) -> str:
    """In what else than η and α the runs of a grid differ, which its cells could not tell."""
    keys = alike.differing([run.settings for run in runs], "learning_rate", "damping")
    return f"not alike in {', '.join(keys)}" if keys else ""


def runs(results: Results, experiment: str) -> "pd.DataFrame":
    """One row per cell and seed; a number only where the run ended well.

    None has one where runs differ in other settings too: these would be averaged like seeds.
    """
    import pandas as pd

    odd, rows = mixed(results.runs(experiment)), []
    for row in results.metrics(experiment):
        status = odd if odd and row["status"] in DONE else row["status"]
        loss = row.get("min_valid_loss") if status in DONE else None
        rows.append(row | {"status": status, "min_valid_loss": loss})
    return pd.DataFrame(rows, columns=COLUMNS).astype({"min_valid_loss": float})


def cells(frame: "pd.DataFrame") -> "pd.DataFrame":
    """One row per cell: the mean loss of its seeds, or their first status that is not a good end.

    A cell with one bad seed has no loss: it must not be chosen for the luck of the others.
    """
    import pandas as pd

    rows = []
    for (rate, damping), seeds in frame.groupby(["learning_rate", "damping"]):
        odd = seeds.loc[~seeds["status"].isin(DONE), "status"]
        loss = seeds["min_valid_loss"].mean() if odd.empty else np.nan
        rows.append((rate, damping, loss, "" if odd.empty else odd.iloc[0]))
    return pd.DataFrame(rows, columns=["learning_rate", "damping", "loss", "status"])
