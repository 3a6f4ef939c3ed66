"""Figure 1: the Fisher matrix of a small network by enumeration, beside its block structure."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure

from nws.reporting import fisher_enumeration as enumeration
from nws.reporting import paper
from nws.reporting.figures import style
from nws.reporting.results import Results

EXPERIMENTS: tuple[str, ...] = ()
TITLES = {"01": "{0, 1} units", "pm1": "±1 units"}
SMALLEST = 1e-4  # entries below are drawn at the pale end of the scale


def data(results: Results) -> pd.DataFrame:
    """Every entry of both matrices, with the unit and layer of its row and column."""
    network = enumeration.random_network(paper.FIGURE1)
    unit = enumeration.unit_of_parameter(network)
    layer = enumeration.layer_of_unit(network)[unit]
    row, column = (index.ravel() for index in np.indices((unit.size, unit.size)))
    frames = []
    for coding, same in (("01", enumeration.to_01(network)), ("pm1", network)):
        matrix = enumeration.fisher(same, "01" if coding == "01" else "pm1")
        columns = {
            "coding": coding,
            "row": row,
            "column": column,
            "row_unit": unit[row],
            "column_unit": unit[column],
            "layer": layer[row],
            "value": matrix.ravel(),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """The matrix for either coding of the units, and its block structure."""
    figure = style.figure(3.3)
    axes = figure.subplots(1, 3)
    scale = LogNorm(SMALLEST, frame["value"].abs().max())
    codings = frame["coding"].astype(str).str.zfill(2)
    for axis, (coding, title) in zip(axes, TITLES.items(), strict=False):
        rows = frame[codings == coding]
        image = axis.imshow(np.maximum(_square(rows, "value"), SMALLEST), norm=scale, cmap="Blues")
        outside = rows.loc[rows["row_unit"] != rows["column_unit"], "value"].abs().max()
        _finish(axis, rows, f"{title}\nlargest entry outside the\nblocks: {outside:.1e}")
    bar = figure.colorbar(image, ax=list(axes[:2]), location="bottom", shrink=0.6, extend="min")
    bar.set_label("|entry| of F")
    bar.ax.xaxis.set_major_formatter("{x:g}")
    _structure(axes[2], rows)
    return figure


def _structure(axes: Axes, rows: pd.DataFrame) -> None:
    layers = int(rows["layer"].max()) + 1
    same = _square(rows, "row_unit") == _square(rows, "column_unit")
    picture = np.where(same, _square(rows, "layer") + 1, 0)
    colours = ["white", *list(style.COLOURS.values())[:layers]]
    axes.imshow(picture, cmap=ListedColormap(colours), vmin=0, vmax=layers)
    for layer in range(layers):
        block = rows[(rows["layer"] == layer) & (rows["row"] == rows["column"])]
        units, last = block["row_unit"].nunique(), int(block["row"].max())
        name = "prior" if layer == 0 else f"layer {layer}"
        size = len(block) // units
        text = f"{name}: {units} blocks of {size}×{size}"
        if layer < layers - 1:
            axes.text(last + 1, block["row"].min(), text, fontsize=6, va="top")
        else:
            axes.text(0, last, text, fontsize=6, va="bottom")
    _finish(axes, rows, "structure:\none block per unit")


def _finish(axes: Axes, rows: pd.DataFrame, title: str) -> None:
    """Frames around the blocks; parameter numbers mean nothing, so no ticks."""
    diagonal = rows[rows["row"] == rows["column"]]
    for _, block in diagonal.groupby("row_unit"):
        low, high = block["row"].min() - 0.5, block["row"].max() + 0.5
        axes.plot([low, high, high, low, low], [low, low, high, high, low], color="#555555", lw=0.6)
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[["top", "right"]].set_visible(True)


def _square(rows: pd.DataFrame, column: str) -> np.ndarray:
    return rows.pivot(index="row", columns="column", values=column).abs().to_numpy()
