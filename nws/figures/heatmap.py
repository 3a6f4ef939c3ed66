"""The minimum validation loss over learning rate and damping, for Figures 7 and 8."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nws.figures import style
from nws.results import DIVERGED, DONE, Results

COLUMNS = ["run", "learning_rate", "damping", "seed", "status", "min_valid_loss"]
COLOURS = colormaps["viridis_r"]  # pale is better


def data(results: Results, experiment: str) -> pd.DataFrame:
    """One row per cell and seed; a number only where the run ended well."""
    rows = [
        row | {"min_valid_loss": row.get("min_valid_loss") if row["status"] in DONE else None}
        for row in results.metrics(experiment)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"min_valid_loss": float})


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per cell: the mean loss of its seeds, or their first status that is not a good end.

    A cell with one bad seed has no loss: it must not be chosen for the luck of the others.
    """
    rows = []
    for (rate, damping), seeds in frame.groupby(["learning_rate", "damping"]):
        odd = seeds.loc[~seeds["status"].isin(DONE), "status"]
        loss = seeds["min_valid_loss"].mean() if odd.empty else np.nan
        rows.append((rate, damping, loss, "" if odd.empty else odd.iloc[0]))
    return pd.DataFrame(rows, columns=["learning_rate", "damping", "loss", "status"])


def draw(frame: pd.DataFrame) -> Figure:
    table = cells(frame)
    rates, dampings = (sorted(table[key].unique()) for key in ("learning_rate", "damping"))
    figure = style.figure(max(2.4, 1.2 + 0.36 * len(dampings)))
    axes = figure.subplots()
    norm = _norm(table["loss"])
    for cell in table.to_dict("records"):
        x, y = rates.index(cell["learning_rate"]), dampings.index(cell["damping"])
        _cell(axes, x, y, cell["loss"], cell["status"], norm)
    axes.set(xlim=(-0.5, max(len(rates), 1) - 0.5), ylim=(-0.5, max(len(dampings), 1) - 0.5))
    axes.set_xticks(range(len(rates)), [f"{value:g}" for value in rates])
    axes.set_yticks(range(len(dampings)), [f"{value:g}" for value in dampings])
    axes.set(xlabel="learning rate η", ylabel="damping α")
    axes.grid(False)
    _title(axes, table, rates, dampings)
    if table["loss"].notna().any():
        scale = ScalarMappable(norm, COLOURS)
        extend = "max" if table["loss"].max() > table["loss"].quantile(0.8) else "neither"
        figure.colorbar(scale, ax=axes, label="minimum validation loss (nats)", extend=extend)
    style.note(figure, frame)
    return figure


def _norm(loss: pd.Series) -> Normalize:
    """From the best cell to the 80th percentile, so that one awful cell leaves the rest legible."""
    good = loss.dropna()
    return Normalize(float(good.min()), float(good.quantile(0.8))) if len(good) else Normalize(0, 1)


def _cell(axes: Axes, x: int, y: int, loss: float, status: str, norm: Normalize) -> None:
    corner = (x - 0.5, y - 0.5)
    if status:
        hatch = "////" if status == DIVERGED else None
        axes.add_patch(Rectangle(corner, 1, 1, fc="white", ec="#9a9a9a", hatch=hatch, lw=0.5))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.text(x, y, status, ha="center", va="center", fontsize=6.5, bbox=box)
        return
    colour = COLOURS(norm(loss))
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white", lw=0.5))
    ink = "black" if np.dot(colour[:3], (0.299, 0.587, 0.114)) > 0.5 else "white"
    axes.text(x, y, f"{loss:.4g}", ha="center", va="center", fontsize=7, color=ink)


def _title(axes: Axes, table: pd.DataFrame, rates: list[float], dampings: list[float]) -> None:
    """Says which cell is best and frames it, or that there is none."""
    if table["loss"].isna().all():
        what = " or ".join(sorted(set(table["status"]))) or "not configured"
        axes.set_title(f"no cell ended well: all {what}", loc="left")
        return
    best = table.iloc[int(table["loss"].argmin())]
    x, y = rates.index(best["learning_rate"]), dampings.index(best["damping"])
    frame = Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, fill=False, edgecolor="#D55E00", lw=2.2)
    axes.add_patch(frame)
    where = f"η = {best['learning_rate']:g}, α = {best['damping']:g}"
    axes.set_title(f"best (framed): {best['loss']:.4g} at {where}", loc="left")
