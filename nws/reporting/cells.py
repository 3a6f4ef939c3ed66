"""The cells of a grid over learning rate and damping: Figures 7 and 8, and the claims on them."""

from typing import TYPE_CHECKING

import numpy as np

from nws.reporting.results import DONE, Results

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["run", "learning_rate", "damping", "seed", "status", "min_valid_loss"]


def runs(results: Results, experiment: str) -> "pd.DataFrame":
    """One row per cell and seed; a number only where the run ended well."""
    import pandas as pd

    rows = [
        row | {"min_valid_loss": row.get("min_valid_loss") if row["status"] in DONE else None}
        for row in results.metrics(experiment)
    ]
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
