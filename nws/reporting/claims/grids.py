"""Claims about the best learning rate and damping: the grids of Figures 7 and 8."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nws.reporting import cells
from nws.reporting.claims import measure
from nws.reporting.claims.claim import Claim, Unusable, Verdict, graded
from nws.reporting.claims.scale import Needs
from nws.reporting.results import MISSING, STALE, UNREADABLE, Results
from nws.reporting.statistics import line

if TYPE_CHECKING:
    import pandas as pd

SEED = 0.1  # nats, that another seed may change: docs/beyond.md
ROUNDING = 1e-9
REGION = {"learning_rate": (0.005, 0.02), "damping": (0.005, 0.1)}


def linear(results: Results) -> Verdict:
    """Slope of log best learning rate against log damping; 1 is proportional.

    Not reproduced whole where the fit itself excludes 1.
    """
    cells = _cells(results, "grid_minimnist").dropna(subset="loss")
    best = cells.loc[cells.groupby("damping")["loss"].idxmin()]
    if len(best) < 4:
        raise Unusable(f"grid_minimnist has {len(best)} damping values that ended well, not 4")
    slope, half = line(np.log(best["damping"]), np.log(best["learning_rate"]))
    linear = 0.5 <= slope <= 1.5 and abs(slope - 1) <= max(half, ROUNDING)
    verdict = graded(linear, slope >= 0.2)
    largest = int((best["learning_rate"] == cells["learning_rate"].max()).sum())
    why = (
        f"The best learning rate grows as damping to the power {slope:.2f} ± {half:.2f}, 95% of "
        f"the fit ({len(best)} values, of which {largest} have the largest rate of the grid)."
    )
    return Verdict(verdict, f"{slope:.2f}", why, measure.seeds(results, "grid_minimnist"))


def region(results: Results, experiment: str) -> Verdict:
    """Whether the best cell of a grid lies where the paper says, or none is surely better."""
    best = _best(results, experiment)
    inside = [low <= best[key] <= high for key, (low, high) in REGION.items()]
    near = _inside(results, experiment)
    as_good = near is not None and near["loss"] - best["loss"] <= SEED
    ours = f"η {best['learning_rate']:g}, α {best['damping']:g}"
    why = f"{sum(inside)} of 2 (η, α) inside; minimum validation loss {best['loss']:.3f}"
    why += "." if all(inside) else f"; {_behind(near, best['loss'])}."
    why += _flatness(_cells(results, experiment), best)
    verdict = graded(all(inside), any(inside) or as_good)
    return Verdict(verdict, ours, why, measure.seeds(results, experiment))


def _inside(results: Results, experiment: str) -> dict[str, float] | None:
    """The best cell inside the region; None if none ended well."""
    cells = _cells(results, experiment).dropna(subset="loss")
    for key, (low, high) in REGION.items():
        cells = cells[(cells[key] >= low) & (cells[key] <= high)]
    return None if cells.empty else dict(cells.iloc[int(cells["loss"].argmin())])


def _behind(near: dict[str, float] | None, loss: float) -> str:
    """How far the best cell inside the region is from the best of all."""
    if near is None:
        return "no cell inside ended well"
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
    largest = small == _cells(results, "grid_minimnist")["damping"].max()
    ours = f"α {small:g} (14×14), α {large:g} (28×28)"
    why = "The best damping is " + (
        "larger on the larger images."
        if large > small
        else "the same."
        if large == small
        else "smaller on the larger images."
    )
    why += (
        " That of the smaller is the grid’s largest: none beyond it was tried." if largest else ""
    )
    return Verdict(verdict, ours, why, measure.seeds(results, "grid_mnist"))


def _cells(results: Results, experiment: str) -> "pd.DataFrame":
    frame = cells.runs(results, experiment)
    if frame["status"].isin([MISSING, UNREADABLE, STALE]).any():
        raise Unusable(f"{experiment} has missing, unreadable or stale runs")
    return cells.cells(frame)


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
        tolerance="0.5 to 1.5, and the fit does not exclude 1; partly from 0.2",
        needs=Needs(("grid_minimnist",), 20),
        check=linear,
        evidence="figures/fig7.csv",
        revised="before, a fit that excludes 1 would do",
    ),
    *(
        Claim(
            id=f"region-{experiment.removeprefix('grid_')}",
            text=f"The appropriate settings are α .005 to .1 with η .005 to .02 ({data}).",
            where=f"Appendix B; {figure.capitalize().replace('Fig', 'Figure ')}",
            quantity="learning rate and damping of the best cell",
            paper="η .005–.02, α .005–.1",
            tolerance=f"both inside; partly if one, or if a cell inside is within {SEED} nats",
            needs=Needs((experiment,), 20),
            check=partial(region, experiment=experiment),
            evidence=f"figures/{figure}.csv",
            revised="before, how near a cell inside comes was told and did not count",
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
