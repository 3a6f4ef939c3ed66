"""The minimum validation loss over learning rate and damping, for Figures 7 and 8."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nws.reporting.cells import cells
from nws.reporting.figures import style
from nws.reporting.results import DIVERGED


def draw(frame: pd.DataFrame) -> Figure:
    """A grid of η and α, coloured by the mean loss; runs that diverged say so."""
    table = cells(frame)
    losses = _grid(table, "loss")
    figure = style.figure(max(2.4, 1.2 + 0.36 * len(losses)))
    axes = figure.subplots()
    if losses.empty:
        axes.set(xticks=[], yticks=[])
    else:
        _heatmap(axes, table, losses)
    axes.set(xlabel="learning rate η", ylabel="damping α")
    _title(axes, table, *([float(v) for v in ticks] for ticks in (losses.columns, losses.index)))
    style.note(figure, frame)
    return figure


def _heatmap(axes: Axes, table: pd.DataFrame, losses: pd.DataFrame) -> None:
    import seaborn as sns  # here, because it takes a second that other figures need not wait

    known = losses.notna().any(axis=None)
    sns.heatmap(
        losses.astype(float),
        ax=axes,
        annot=losses.map("{:.4g}".format),
        fmt="",
        annot_kws={"fontsize": 7},
        cmap="viridis_r",  # pale is better
        linewidths=0.5,
        cbar=bool(known),
        cbar_kws={"label": "minimum validation loss (nats)", "extend": _extend(table["loss"])},
        **_limits(table["loss"]),
    )
    for (y, x), status in np.ndenumerate(_grid(table, "status").to_numpy()):
        if status:
            _mark(axes, int(x), int(y), str(status))
    axes.invert_yaxis()
    _ticks(axes, losses)


def _grid(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Damping down, learning rate across."""
    return table.pivot(index="damping", columns="learning_rate", values=key)


def _limits(loss: pd.Series) -> dict[str, float]:
    """From the best cell to the 80th percentile, so that one awful cell leaves the rest legible."""
    good = loss.dropna()
    if good.empty:
        return {"vmin": 0.0, "vmax": 1.0}
    return {"vmin": float(good.min()), "vmax": float(good.quantile(0.8))}


def _extend(loss: pd.Series) -> str:
    return "max" if loss.max() > _limits(loss)["vmax"] else "neither"


def _mark(axes: Axes, x: int, y: int, status: str) -> None:
    """A cell without a value says why; a diverged one is hatched too."""
    hatch = "////" if status == DIVERGED else None
    axes.add_patch(Rectangle((x, y), 1, 1, fc="white", ec="#9a9a9a", hatch=hatch, lw=0.5))
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.text(x + 0.5, y + 0.5, status, ha="center", va="center", fontsize=6.5, bbox=box)


def _ticks(axes: Axes, losses: pd.DataFrame) -> None:
    axes.set_xticklabels([f"{value:g}" for value in losses.columns])
    axes.set_yticklabels([f"{value:g}" for value in losses.index], rotation=0)
    axes.grid(False)


def _title(axes: Axes, table: pd.DataFrame, rates: list[float], dampings: list[float]) -> None:
    """Says which cell is best and frames it, or that there is none."""
    if table["loss"].isna().all():
        what = " or ".join(sorted(set(table["status"]))) or "not configured"
        axes.set_title(f"no cell ended well: all {what}", loc="left")
        return
    best = table.iloc[int(table["loss"].argmin())]
    x, y = rates.index(best["learning_rate"]), dampings.index(best["damping"])
    frame = Rectangle((x + 0.04, y + 0.04), 0.92, 0.92, fill=False, edgecolor="#D55E00", lw=2.2)
    axes.add_patch(frame)
    where = f"η = {best['learning_rate']:g}, α = {best['damping']:g}"
    axes.set_title(f"best (framed): {best['loss']:.4g} at {where}", loc="left")
