"""Active units beside the loss, ours: what a learning rate gains, and what it kills.

Loss of the average of parameters (solid) and of the last ones (dotted); the share of units in the
second hidden layer whose mean E_q[h|x] varies over validation images; and log p̂ less the bound
with one sample, which is how far q is from p's posterior. One row an epoch.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nws.config import RunSettings
from nws.reporting.figures import style
from nws.reporting.results import Results, activity

EXPERIMENTS = ("activity",)
COLUMNS = [
    "run", "label", "algorithm", "learning_rate", "damping", "seed", "status", "epoch", "seconds",
    "valid_loss", "valid_loss_last", "ess", "gap",
]  # fmt: skip
DRAWN = "active_2"
LAST: style.Look = {"ls": (0, (1, 1)), "lw": 0.9, "alpha": 0.8}


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed, with the active units of every layer."""
    frame = results.history("activity")
    labels = {run.name: _label(run.settings) for run in results.runs("activity")}
    frame = frame.assign(label=frame["run"].map(labels))
    return frame.reindex(columns=[*COLUMNS, *dict.fromkeys([*activity(frame), DRAWN])])


def draw(frame: pd.DataFrame) -> Figure:
    figure = style.figure(3.2)
    looks = _looks(frame)
    panels = {
        "loss (nats)": ("valid_loss", "valid_loss_last"),
        "active units, second layer": (DRAWN,),
        "gap (nats)": ("gap",),
    }
    for axes, (title, columns) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        _panel(axes, frame, columns, looks)
        axes.set(xlabel="epoch", title=title)
        style.limit(axes, frame, columns)
    handles = [style.entry(label, **look) for label, look in looks.items()]
    handles.append(style.entry("last parameters", **LAST))
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    style.note(figure, frame)
    return figure


def _label(settings: RunSettings) -> str:
    """The settings that the runs differ in, for reading."""
    words = [f"{style.NAMES[settings.algorithm]} η {settings.learning_rate:g}"]
    words += ["shared"] if settings.solver == "shared" else []
    words += [f"γ {settings.unit_damping:g}"] if settings.unit_damping else []
    words += ["q asleep"] if settings.q_wake == 0 else []
    return ", ".join(words)


def _looks(frame: pd.DataFrame) -> dict[str, style.Look]:
    """A colour for each algorithm, a marker and a shade for each of its runs."""
    looks: dict[str, style.Look] = {}
    for algorithm, rows in frame.groupby("algorithm", sort=False):
        labels = list(dict.fromkeys(rows["label"]))
        for i, label in enumerate(labels):
            looks[label] = {
                "color": style.shade(style.COLOURS[str(algorithm)], i, len(labels)),
                "marker": style.SHAPES[i % len(style.SHAPES)],
            }
    return looks


def _panel(
    axes: Axes, frame: pd.DataFrame, columns: tuple[str, ...], looks: dict[str, style.Look]
) -> None:
    for (label, _), rows in frame.groupby(["label", "seed"], sort=False):
        for column, extra in zip(columns, ({}, LAST | {"marker": ""}), strict=False):
            style.curve(axes, rows, "epoch", column, **(looks[str(label)] | extra))
    style.log(axes, "x", whole=True)
