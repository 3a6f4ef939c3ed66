"""Loss against epochs (left) and undisturbed seconds of training (right), for Figures 3, 4, 5.

The loss is −log of the S-sample likelihood estimate, in nats: the running mean over an epoch on
the training split (solid), the whole split at the epoch's end on validation (dashed).
"""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nws.reporting import alike, paper
from nws.reporting.figures import style
from nws.reporting.results import UNDISTURBED, Results

COLUMNS = [
    "panel",
    "run",
    "algorithm",
    "seed",
    "status",
    "epoch",
    "seconds",
    "train_loss",
    "valid_loss",
]
REFERENCE = "reference"  # the status of a value that the paper reports


def frame(results: Results, experiment: str, panels: Mapping[str, str]) -> pd.DataFrame:
    """The columns that are drawn of an experiment, and the ``panels`` of its data sets. No seconds
    of seeds that were trained on another machine than the first of their run."""
    history = results.history(experiment)
    timed = {
        (entry.run.name, entry.seed)
        for run in results.runs(experiment)
        for entry in alike.timed(results.seeds_of(experiment, run.name))
    }
    known = [run in timed for run in zip(history["run"], history["seed"], strict=True)]
    seconds = history[UNDISTURBED].where(pd.Series(known, history.index, bool))
    return history.assign(panel=history["dataset"].map(panels), seconds=seconds)[COLUMNS]


def reference(panel: str, row: paper.Row, epochs: int) -> dict[str, object]:
    """A value of the paper's tables as a row of the frame: minus the log-likelihood."""
    return {
        "panel": panel,
        "run": "paper",
        "algorithm": row.algorithm,
        "status": REFERENCE,
        "epoch": epochs,
        "seconds": epochs * row.seconds_per_epoch,
        "valid_loss": -row.log_likelihood,
    }


def draw(data: pd.DataFrame) -> Figure:
    """One row of axes per panel, every seed as its own line."""
    panels = list(dict.fromkeys(data["panel"])) or [""]
    figure = style.figure(0.8 + 2.3 * len(panels))
    axes = figure.subplots(len(panels), 2, squeeze=False, sharey="row")
    for row, panel in zip(axes, panels, strict=True):
        rows = data[data["panel"] == panel]
        for axis, x, label in zip(
            row, ("epoch", "seconds"), ("epoch", "undisturbed training time (s)"), strict=True
        ):
            _panel(axis, rows, x)
            axis.set_xlabel(label)
        row[0].set_ylabel("loss (nats)")
        row[0].set_title(panel, loc="left")
    figure.legend(handles=_legend(data), loc="outside upper center", ncols=8, columnspacing=1.2)
    style.note(figure, data)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, x: str) -> None:
    runs = rows[rows["status"] != REFERENCE]
    for _, run in runs.groupby(["run", "seed"], sort=False):
        algorithm = str(run["algorithm"].iloc[0])
        colour, marker = style.COLOURS[algorithm], style.MARKERS[algorithm]
        style.curve(axes, run, x, "train_loss", color=colour, marker=marker, alpha=0.9)
        style.curve(axes, run, x, "valid_loss", color=colour, ls="--", lw=0.9, alpha=0.9)
    for row in rows[rows["status"] == REFERENCE].to_dict("records"):
        _mark(axes, row["valid_loss"], row["algorithm"])
    style.log(axes, "x", whole=x == "epoch")
    style.limit(axes, rows, ("train_loss", "valid_loss"))
    style.log(axes, "y")


def _mark(axes: Axes, value: float, algorithm: str) -> None:
    """A triangle at the right edge: the paper's value is in a table, at no point of a curve."""
    size = 5 if algorithm == "nrws" else 8  # Table 2's RWS and NRWS lie on top of each other
    look: style.Look = {"color": style.COLOURS[algorithm], "marker": "<", "markersize": size}
    where = axes.get_yaxis_transform()
    axes.plot([1.0], [value], transform=where, clip_on=False, zorder=5, **look)


def _legend(data: pd.DataFrame) -> list[Line2D]:
    algorithms = [name for name in style.NAMES if name in set(data["algorithm"])]
    handles = [
        style.entry(style.NAMES[a], color=style.COLOURS[a], marker=style.MARKERS[a])
        for a in algorithms
    ]
    handles += [style.entry("training"), style.entry("validation", ls="--")]
    if (data["status"] == REFERENCE).any():
        label = "paper's −log-likelihood"
        handles.append(style.entry(label, ls="", marker="<", color="#555555"))
    return handles
