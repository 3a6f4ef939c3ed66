"""How exact must the metric be, and how fresh? Ours: NRWS with each solver, beside RWS.

Validation loss of the average of parameters, mean over seeds, against epochs and against time,
counted in undisturbed epochs of RWS with the same images; and the share of active units in the
second hidden layer. One row an epoch of a run.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nws.config import RunSettings
from nws.reporting import alike, wording
from nws.reporting.figures import style
from nws.reporting.results import DONE, UNDISTURBED, Results

EXPERIMENTS = ("exactness",)
BASE = "rws"  # the run whose epochs are the unit of time
ACTIVE = "active_2"
COLUMNS = [
    "run", "metric", "algorithm", "solver", "refresh", "cg_tolerance", "seed", "status", "epoch",
    "time", "valid_loss", ACTIVE,
]  # fmt: skip
KINDS = {"auto": ("C0", "s"), "cg": ("C4", "o"), "shared": ("C2", "D")}


def data(results: Results) -> pd.DataFrame:
    """Every epoch of every run and seed; ``time`` in epochs of RWS."""
    frame = results.history("exactness")
    settings = {run.name: run.settings for run in results.runs("exactness")}
    known = frame[(frame["run"] == BASE) & frame["status"].isin(DONE)]
    unit = (known[UNDISTURBED] / known["epoch"]).mean()
    frame = frame.assign(
        metric=frame["run"].map(labels(settings)),
        solver=frame["run"].map({name: s.solver for name, s in settings.items() if s.natural}),
        refresh=frame["run"].map({name: s.refresh for name, s in settings.items() if s.natural}),
        cg_tolerance=frame["run"].map(
            {name: s.cg_tolerance for name, s in settings.items() if s.solver == "cg"}
        ),
        time=frame[UNDISTURBED] / unit,
    )
    return frame.reindex(columns=COLUMNS)


def labels(runs: dict[str, RunSettings]) -> dict[str, str]:
    """What tells each run from the others: its label, and in what those of the same one differ."""
    found = {}
    for name, own in runs.items():
        others = [settings for settings in runs.values() if label(settings) == label(own)]
        values = own.model_dump()
        keys = alike.differing(others)
        extra = [f"{key.replace('_', ' ')} {wording.setting(values[key], key)}" for key in keys]
        found[name] = ", ".join([label(own), *extra])
    return found


def label(settings: RunSettings) -> str:
    """The metric of a run, for reading."""
    if not settings.natural:
        return f"{style.NAMES[settings.algorithm]}, η {settings.learning_rate:g}"
    kind = {"shared": "shared", "cg": f"exact to {settings.cg_tolerance:g}"}
    return f"{kind.get(settings.solver, 'exact')}, K = {max(1, settings.refresh)}"


def draw(frame: pd.DataFrame) -> Figure:
    figure = style.figure(3.4)
    panels = [("epoch", "valid_loss"), ("time", "valid_loss"), ("epoch", ACTIVE)]
    good = frame[frame["status"].isin(DONE)]
    for axes, (x, y) in zip(figure.subplots(1, 3), panels, strict=True):
        _panel(axes, good, x, y)
    handles = [style.entry(name, **look) for name, look in _looks(good).items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=5)
    style.note(figure, frame)
    return figure


def _looks(frame: pd.DataFrame) -> dict[str, style.Look]:
    """A colour for each kind of metric; a dash for each of its runs."""
    looks: dict[str, style.Look] = {}
    for solver, rows in frame.groupby("solver", sort=False, dropna=False):
        colour, marker = KINDS.get(str(solver), (style.COLOURS["rws"], style.MARKERS["rws"]))
        for i, name in enumerate(dict.fromkeys(rows["metric"])):
            dash = style.DASHES[i % len(style.DASHES)]
            looks[name] = {"color": colour, "marker": marker, "ls": dash}
    return looks


def _panel(axes: Axes, frame: pd.DataFrame, x: str, y: str) -> None:
    for name, look in _looks(frame).items():
        rows = frame[frame["metric"] == name]
        mean = rows.groupby("epoch", as_index=False)[list(dict.fromkeys([x, y]))].mean()
        axes.plot(mean[x], mean[y], **look)
    style.log(axes, "x", whole=True)
    words = {"epoch": "epoch", "time": "time (epochs of RWS)"}
    titles = {"valid_loss": "loss of the average (nats)", ACTIVE: "active units, second layer"}
    axes.set(xlabel=words[x], title=titles[y])
    if y == "valid_loss":
        values = frame[y].to_numpy(float)
        if np.isfinite(values).any():
            style.limit(axes, frame, [y])
