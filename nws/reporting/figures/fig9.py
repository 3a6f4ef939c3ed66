"""Figure 9: (a) the patterns of 3by3 and samples of a model; (b) the loss for every K."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from nws.reporting.figures import pictures, style
from nws.reporting.results import DONE, MISSING, UNDISTURBED, Entry, Results

EXPERIMENTS = ("damping", "ksteps")
COUNT = 24
MOSAICS = {"patterns": ("3by3: the 12 patterns", 6), "samples": ("samples of a model", 12)}
CURVE = ["panel", "run", "refresh", "solver", "seed", "status", "epoch", "seconds", "valid_loss"]
FRESH: style.Look = {"color": "black", "lw": 2.4, "marker": "o", "zorder": 1.5}


def data(results: Results) -> pd.DataFrame:
    """Images (panels patterns and samples) and every epoch of every K (panel curves)."""
    rows = [*_patterns(results), *_samples(results)]
    history = results.history("ksteps")
    curves = history.assign(panel="curves", seconds=history[UNDISTURBED])[CURVE]
    images = pd.DataFrame(rows, columns=pictures.COLUMNS)
    return pd.concat([images, curves], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    """(a) Samples beside the data; (b) losses, a curve for each K."""
    figure = style.figure(4.6)
    grid = figure.add_gridspec(2, 1, height_ratios=[1, 2.2])
    top, bottom = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    mosaics = top.subplots(1, 2, width_ratios=[1, 1.96])
    for axis, (panel, (title, across)) in zip(mosaics, MOSAICS.items(), strict=True):
        pictures.show(axis, frame[frame["panel"] == panel], across, f"(a) {title}")
    _curves(bottom, frame[frame["panel"] == "curves"])
    style.note(figure, frame)
    return figure


def _curves(bottom: SubFigure, curves: pd.DataFrame) -> None:
    looks = _looks(curves)
    axes = bottom.subplots(1, 2, sharey=True)
    for axis, x, label in zip(
        axes, ("epoch", "seconds"), ("epoch", "undisturbed training time (s)"), strict=True
    ):
        _panel(axis, curves, x, looks)
        axis.set_xlabel(label)
    axes[0].set_title("(b) MNIST: every K", loc="left")
    axes[0].set_ylabel("validation loss (nats)")
    handles = [style.entry(label, **look) for label, look in looks.items()]
    bottom.legend(handles=handles, loc="outside right upper")


def _patterns(results: Results) -> list[dict[str, object]]:
    for run in results.runs("damping"):
        arrays = results.images(run.settings.dataset)
        if arrays is not None and "patterns" in arrays:
            identity = {"run": "data", "status": "finished"}
            return pictures.rows("patterns", arrays["patterns"], arrays["shape"], **identity)
    return [{"panel": "patterns", "run": "data", "status": MISSING, "seed": 0}]


def _samples(results: Results) -> list[dict[str, object]]:
    """Samples of the run with the lowest exact KL."""
    for entry in sorted(results.entries("damping"), key=_kl):
        arrays = results.samples("damping", entry.run.name, entry.seed)
        if entry.status in DONE and arrays is not None and "samples" in arrays:
            identity = {"run": entry.run.name, "seed": entry.seed, "status": entry.status}
            return pictures.rows("samples", arrays["samples"][:COUNT], arrays["shape"], **identity)
    return [{"panel": "samples", "run": "damping", "status": MISSING, "seed": 0}]


def _kl(entry: Entry) -> float:
    exact = entry.metrics.get("exact") or {}
    kl = exact.get("kl")
    return float("inf") if kl is None else float(kl)


def _looks(curves: pd.DataFrame) -> dict[str, style.Look]:
    """Label and look of every K in rising order; the run with a fresh metric by cg last."""
    runs = curves[["refresh", "solver"]].drop_duplicates().sort_values("refresh")
    periods = runs.loc[runs["solver"] != "cg", "refresh"]
    colours = style.ramp(len(periods))
    looks: dict[str, style.Look] = {}
    for i, refresh in enumerate(periods):
        dash, shape = style.DASHES[i % len(style.DASHES)], style.SHAPES[i % len(style.SHAPES)]
        looks[f"K = {refresh:g}"] = {"color": colours[i], "ls": dash, "marker": shape}
    for refresh in runs.loc[runs["solver"] == "cg", "refresh"]:
        looks[f"K = {refresh:g}, cg"] = FRESH
    return looks


def _panel(axes: Axes, curves: pd.DataFrame, x: str, looks: dict[str, style.Look]) -> None:
    for _, rows in curves.groupby(["run", "seed"], sort=False):
        first = rows.iloc[0]
        label = f"K = {first['refresh']:g}" + (", cg" if first["solver"] == "cg" else "")
        style.curve(axes, rows, x, "valid_loss", **looks[label])
    style.limit(axes, curves, ["valid_loss"])
    style.log(axes, "x", whole=x == "epoch")
    style.log(axes, "y")
