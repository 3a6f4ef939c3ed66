"""Claims about the best learning rate and damping: the grids of Figures 7 and 8."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nws.reporting.claims import measure
from nws.reporting.claims.claim import Claim, Unusable, Verdict, counted, graded
from nws.reporting.claims.scale import Needs
from nws.reporting.results import MISSING, STALE, UNREADABLE, Results

if TYPE_CHECKING:
    import pandas as pd

SEED = 0.1  # nats, that another seed may change: docs/beyond.md
REGION = {"learning_rate": (0.005, 0.02), "damping": (0.005, 0.1)}


def linear(results: Results) -> Verdict:
    """Slope of log best learning rate against log damping; 1 is proportional."""
    cells = _cells(results, "grid_minimnist").dropna(subset="loss")
    best = cells.loc[cells.groupby("damping")["loss"].idxmin()]
    if len(best) < 4:
        raise Unusable(f"grid_minimnist has {len(best)} damping values that ended well, not 4")
    slope = float(np.polyfit(np.log(best["damping"]), np.log(best["learning_rate"]), 1)[0])
    verdict = graded(0.5 <= slope <= 1.5, slope >= 0.2)
    largest = int((best["learning_rate"] == cells["learning_rate"].max()).sum())
    why = (
        f"The best learning rate grows as damping to the power {slope:.2f} ({len(best)} values, "
        f"of which {largest} have the largest rate of the grid)."
    )
    return Verdict(verdict, f"{slope:.2f}", why, measure.seeds(results, "grid_minimnist"))


def region(results: Results, experiment: str) -> Verdict:
    """Whether the best cell of a grid lies where the paper says."""
    best = _best(results, experiment)
    inside = [low <= best[key] <= high for key, (low, high) in REGION.items()]
    ours = f"η {best['learning_rate']:g}, α {best['damping']:g}"
    why = f"{sum(inside)} of 2 (η, α) inside; minimum validation loss {best['loss']:.3f}"
    why += "." if all(inside) else f"; {_behind(results, experiment, best['loss'])}."
    why += _flatness(_cells(results, experiment), best)
    return Verdict(counted(sum(inside), 2), ours, why, measure.seeds(results, experiment))


def _behind(results: Results, experiment: str, loss: float) -> str:
    """How far the best cell inside the region is from the best of all."""
    cells = _cells(results, experiment).dropna(subset="loss")
    for key, (low, high) in REGION.items():
        cells = cells[(cells[key] >= low) & (cells[key] <= high)]
    if cells.empty:
        return "no cell inside ended well"
    near = cells.iloc[int(cells["loss"].argmin())]
    return (
        f"the best inside, η {near['learning_rate']:g}, α {near['damping']:g}, is "
        f"{near['loss'] - loss:.3f} above it"
    )


def _flatness(cells: "pd.DataFrame", best: dict[str, float]) -> str:
    """How far a grid decides: cells that another seed could make the best, and its edge."""
    near = int((cells["loss"] <= best["loss"] + SEED).sum()) - 1
    edges = [
        f"{name} is the {'largest' if best[key] == cells[key].max() else 'smallest'}"
        for key, name in (("learning_rate", "η"), ("damping", "α"))
        if best[key] in (cells[key].min(), cells[key].max())
    ]
    others = {0: "No other cell is", 1: "One other cell is"}.get(near, f"{near} other cells are")
    edge = f"; the best one’s {' and '.join(edges)} of the grid" if edges else ""
    return f" {others} within {SEED} of it, as much as another seed may change{edge}."


def image_size(results: Results) -> Verdict:
    """Damping of the best cell, MNIST against miniMNIST."""
    small, large = (_best(results, name)["damping"] for name in ("grid_minimnist", "grid_mnist"))
    verdict = graded(large > small, large == small)
    ours = f"α {small:g} (14×14), α {large:g} (28×28)"
    why = "The best damping is " + (
        "larger on the larger images."
        if large > small
        else "the same."
        if large == small
        else "smaller on the larger images."
    )
    return Verdict(verdict, ours, why, measure.seeds(results, "grid_mnist"))


def _cells(results: Results, experiment: str) -> "pd.DataFrame":
    from nws.reporting.figures import heatmap

    frame = heatmap.data(results, experiment)
    if frame["status"].isin([MISSING, UNREADABLE, STALE]).any():
        raise Unusable(f"{experiment} has missing, unreadable or stale runs")
    return heatmap.cells(frame)


def _best(results: Results, experiment: str) -> dict[str, float]:
    cells = _cells(results, experiment)
    if cells["loss"].isna().all():
        raise Unusable(f"every run of {experiment} diverged", diverged=True)
    return dict(cells.iloc[int(cells["loss"].argmin())])


CLAIMS = [
    Claim(
        id="linear",
        text="Learning rate and damping are in a linear relation.",
        where="Appendix B; Figure 7",
        quantity="slope of log best learning rate against log damping",
        paper="1 (“linear”)",
        tolerance="0.5 to 1.5; partly from 0.2",
        needs=Needs(("grid_minimnist",), 20),
        check=linear,
        evidence="figures/fig7.csv",
    ),
    *(
        Claim(
            id=f"region-{experiment.removeprefix('grid_')}",
            text=f"The appropriate settings are α .005 to .1 with η .005 to .02 ({data}).",
            where=f"Appendix B; {figure.capitalize().replace('Fig', 'Figure ')}",
            quantity="learning rate and damping of the best cell",
            paper="η .005–.02, α .005–.1",
            tolerance="both inside; partly if one",
            needs=Needs((experiment,), 20),
            check=partial(region, experiment=experiment),
            evidence=f"figures/{figure}.csv",
        )
        for experiment, data, figure in (
            ("grid_minimnist", "miniMNIST", "fig7"),
            ("grid_mnist", "MNIST", "fig8"),
        )
    ),
    Claim(
        id="image-size",
        text="The larger the image, the larger the damping that is needed.",
        where="Appendix B; Figures 7 and 8",
        quantity="damping of the best cell",
        paper="larger on MNIST than on miniMNIST",
        tolerance="larger; partly if equal",
        needs=Needs(("grid_minimnist", "grid_mnist"), 20),
        check=image_size,
        evidence="figures/fig8.csv",
    ),
]
