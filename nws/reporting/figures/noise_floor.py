"""The noise floor, ours: the excess loss that a constant learning rate leaves, beside theory.

Steps of size η with the noise of a batch of B images make the parameters wander around the optimum,
where the Fisher matrix F, of eigenvalues λ, is both the curvature of the loss and the covariance of
an image's gradient. To first order in η the mean excess loss is

    η/(4B) Σ λ,   with the natural gradient   η(1+α)/(4B) Σ λ/(λ+α).

Measured: the loss of the last parameters less that of their average, with the same random numbers,
mean over the second half of the epochs. One row a run and seed.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nws.reporting import fisher_enumeration as enumeration
from nws.reporting.figures import style
from nws.reporting.results import DONE, Entry, Results, read_npz

EXPERIMENTS = ("noise_floor",)
VARIED = {"learning_rate": "η", "batch": "B", "damping": "α"}
COLUMNS = ["run", "algorithm", *VARIED, "seed", "status", "excess", "predicted"]


def data(results: Results) -> pd.DataFrame:
    """Excess loss and prediction, nats; damping is empty for a plain gradient."""
    frame = results.history("noise_floor")
    gaps = dict(iter(frame.groupby(["run", "seed"])))
    rows = [
        _row(entry, gaps[entry.run.name, entry.seed]) for entry in results.entries(*EXPERIMENTS)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(entry: Entry, history: pd.DataFrame) -> dict[str, Any]:
    settings = entry.run.settings
    damping = settings.damping if settings.natural else np.nan
    late = history[history["epoch"] > history["epoch"].max() / 2]
    model = read_npz(entry.directory / "model.npz") if entry.status in DONE else None
    predicted = (
        np.nan
        if model is None
        else predict(eigenvalues(model), settings.learning_rate, settings.batch, damping)
    )
    return {
        "run": entry.run.name, "algorithm": settings.algorithm, "seed": entry.seed,
        "learning_rate": settings.learning_rate, "batch": settings.batch, "damping": damping,
        "status": history["status"].iloc[0],
        "excess": (late["valid_loss_last"] - late["valid_loss"]).mean(),
        "predicted": predicted,
    }  # fmt: skip


def predict(spectrum: np.ndarray, rate: float, batch: int, damping: float) -> float:
    """η/(4B) Σ λ, or η(1+α)/(4B) Σ λ/(λ+α) where there is an α (not NaN).

    Of canonical gradients with one sample: near the optimum their covariance is F/B.
    """
    natural = (1 + damping) / (spectrum + damping)
    terms = spectrum * (1.0 if np.isnan(damping) else natural)
    return float(rate / (4 * batch) * terms.sum())


def eigenvalues(model: dict[str, np.ndarray]) -> np.ndarray:
    """λ of p's Fisher matrix, over all states of a small machine."""
    depth = sum(name.startswith("p_W") for name in model)
    layers = tuple((model[f"p_W{i}"].T, model[f"p_b{i}"]) for i in reversed(range(depth)))
    return np.linalg.eigvalsh(enumeration.blocks(enumeration.Network(model["prior_b"], layers)))


def draw(frame: pd.DataFrame) -> Figure:
    figure = style.figure(2.9)
    for axes, (column, symbol) in zip(figure.subplots(1, 3), VARIED.items(), strict=True):
        for algorithm, rows in varied(frame, column).groupby("algorithm", sort=False):
            _panel(axes, rows, column, style.COLOURS[str(algorithm)])
        axes.set(xlabel=symbol, title=f"excess loss (nats) by {symbol}")
        style.log(axes, "x")
        style.log(axes, "y")
    handles = [
        style.entry(style.NAMES[name], color=style.COLOURS[name])
        for name in dict.fromkeys(frame["algorithm"])
    ]
    handles += [style.entry("measured", ls="", marker="o"), style.entry("predicted", ls="-")]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    style.note(figure, frame)
    return figure


def varied(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows of each algorithm that differ in ``column`` alone from its commonest settings."""
    others = [name for name in VARIED if name != column]
    found = [
        rows[(rows[others].isna() | (rows[others] == rows[others].mode().iloc[0])).all(axis=1)]
        for _, rows in frame.groupby("algorithm", sort=False)
    ]
    chosen = [rows for rows in found if rows[column].nunique() > 1]
    return pd.concat(chosen) if chosen else frame.iloc[:0]


def _panel(axes: Axes, rows: pd.DataFrame, column: str, colour: Any) -> None:
    good = rows[np.isfinite(rows["excess"]) & (rows["excess"] > 0)]
    axes.plot(good[column], good["excess"], "o", color=colour)
    line = rows.groupby(column, as_index=False)["predicted"].mean().dropna()
    axes.plot(line[column], line["predicted"], "-", color=colour)
