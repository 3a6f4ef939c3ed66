"""Figure 6: 3by3, NWS for every damping value beside the vanilla algorithm."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nws.reporting import paper
from nws.reporting.figures import style
from nws.reporting.figures.curves import REFERENCE
from nws.reporting.results import Results

EXPERIMENTS = ("damping",)
COLUMNS = ["run", "algorithm", "damping", "seed", "status", "epoch", "valid_loss", "exact_kl"]
VANILLA: style.Look = {"color": "black", "lw": 2.4, "zorder": 1.5}
FLOOR: style.Look = {"color": "#555555", "lw": 1, "ls": ":"}


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run; damping is empty for the vanilla algorithm. Last, the floor."""
    frame = results.history("damping")
    natural = [run.name for run in results.runs("damping") if run.settings.natural]
    frame = frame.assign(damping=frame["damping"].where(frame["run"].isin(natural)))
    floor = {"run": "entropy of the data", "status": REFERENCE, "valid_loss": paper.ENTROPY_3BY3}
    rows = pd.DataFrame([floor], columns=COLUMNS)
    return pd.concat([frame[COLUMNS], rows], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """Loss and exact KL over epochs: for each α the median over seeds and, faint, every seed."""
    figure = style.figure(3.1)
    axes = figure.subplots(1, 2)
    looks = _looks(frame)
    for axis, y, title in (
        (axes[0], "valid_loss", "loss (nats)"),
        (axes[1], "exact_kl", "exact KL(p*‖p) (nats)"),
    ):
        _panel(axis, frame, y, looks)
        axis.set(xlabel="epoch", title=title)
    for floor in frame.loc[frame["status"] == REFERENCE, "valid_loss"]:
        axes[0].axhline(floor, **FLOOR)
    figure.legend(handles=_legend(frame, looks), loc="outside right upper")
    style.note(figure, frame)
    return figure


def _looks(frame: pd.DataFrame) -> dict[float, style.Look]:
    """Colour, line style and marker of each damping value."""
    values = sorted(frame["damping"].dropna().unique())
    colours = style.ramp(len(values))
    return {
        value: {
            "color": colours[i],
            "ls": style.DASHES[i % len(style.DASHES)],
            "marker": style.SHAPES[i % len(style.SHAPES)],
        }
        for i, value in enumerate(values)
    }


def _panel(axes: Axes, frame: pd.DataFrame, y: str, looks: dict[float, style.Look]) -> None:
    runs = frame[frame["status"] != REFERENCE]
    for _, seeds in runs.groupby("run", sort=False):
        damping = seeds["damping"].iloc[0]
        look = VANILLA if np.isnan(damping) else looks[damping]
        several = seeds["seed"].nunique() > 1
        for _, rows in seeds.groupby("seed", sort=False):
            faint: style.Look = {"alpha": 0.25, "lw": 0.5, "marker": ""} if several else {}
            style.curve(axes, rows[rows[y] > 0], "epoch", y, **{**look, **faint})
        if several:
            middle = seeds.groupby("epoch", as_index=False)[y].median().assign(status="median")
            style.curve(axes, middle[middle[y] > 0], "epoch", y, **look)
    style.limit(axes, frame, [y])
    style.log(axes, "x", whole=True)
    style.log(axes, "y")


def _legend(frame: pd.DataFrame, looks: dict[float, style.Look]) -> list[Line2D]:
    vanilla = frame[frame["damping"].isna() & (frame["status"] != REFERENCE)]
    names = [style.NAMES[algorithm] for algorithm in vanilla["algorithm"].unique()]
    handles = [style.entry(f"vanilla ({', '.join(names)})", **VANILLA)] if names else []
    handles += [style.entry(f"α = {value:g}", **look) for value, look in looks.items()]
    return [*handles, style.entry("entropy of\nthe data", **FLOOR)]
