"""Claims about damping, learning rate and the refresh period: Figures 6 to 9."""

from collections.abc import Callable
from functools import partial

import numpy as np

from nws.reporting.claims import measure
from nws.reporting.claims.claim import (
    NOT_REPRODUCED,
    PARTLY,
    REPRODUCED,
    Claim,
    Unusable,
    Verdict,
)
from nws.reporting.claims.scale import Needs
from nws.reporting.results import MISSING, STALE, UNREADABLE, Results

USEFUL = (0.001, 0.1)  # the damping range of the text on 3by3
REGION = {"learning_rate": (0.005, 0.02), "damping": (0.005, 0.1)}


def useful_damping(results: Results) -> Verdict:
    """Final exact KL of every damping value in .001 to .1 against the vanilla algorithm's."""
    vanilla = _final(results, _vanilla(results), "exact_kl")
    dampings = _dampings(results, lambda a: USEFUL[0] <= a <= USEFUL[1])
    kl = {a: _final(results, run, "exact_kl") for a, run in dampings.items()}
    better = [a for a, value in kl.items() if value < vanilla]
    verdict = _share(len(better), len(kl))
    ours = ", ".join(f"α {a:g}: {value:.4f}" for a, value in sorted(kl.items()))
    why = f"{len(better)} of {len(kl)} end below the vanilla algorithm’s KL of {vanilla:.4f}."
    return Verdict(verdict, ours, why, measure.seeds(results, "damping"))


def low_damping(results: Results) -> Verdict:
    """α ≤ 1e-4 against the useful range: sooner down to half a nat above its end, and noisier."""
    low = _curves(results, lambda a: a <= 1e-4)
    useful = _curves(results, lambda a: USEFUL[0] <= a <= USEFUL[1])
    level = float(np.mean([measure.final(c) for c in useful])) + 0.5
    fast = (
        np.median([_epochs_to(c, level) for c in low]),
        np.median([_epochs_to(c, level) for c in useful]),
    )
    noise = np.median([_noise(c) for c in low]), np.median([_noise(c) for c in useful])
    yes = int(fast[0] <= fast[1]) + int(noise[0] > 2 * noise[1])
    ours = (
        f"epochs {fast[0]:.0f} against {fast[1]:.0f}; noise {noise[0]:.4f} against {noise[1]:.4f}"
    )
    why = (
        f"{yes} of 2 hold: as fast or faster, and more than twice as noisy (nats, epoch to epoch)."
    )
    return Verdict(_share(yes, 2), ours, why, measure.seeds(results, "damping"))


def high_damping(results: Results) -> Verdict:
    """The largest α is nearer to the vanilla curve than the useful values are."""
    vanilla = _mean(results, _vanilla(results))
    runs = _dampings(results, lambda a: True)
    largest = max(runs)
    distance = {a: float(np.abs(_mean(results, run) - vanilla).mean()) for a, run in runs.items()}
    others = [d for a, d in distance.items() if USEFUL[0] <= a <= USEFUL[1]]
    if not others:
        raise Unusable("damping has no run in the useful range")
    nearer = sum(distance[largest] < d for d in others)
    span = f"{min(others):.4f} to {max(others):.4f}"
    ours = f"α {largest:g}: {distance[largest]:.4f}; useful range: {span}"
    why = f"Nearer than {nearer} of {len(others)} (mean distance of the loss curves, nats)."
    return Verdict(_share(nearer, len(others)), ours, why, measure.seeds(results, "damping"))


def linear(results: Results) -> Verdict:
    """Slope of log best learning rate against log damping; 1 is proportional."""
    cells = _cells(results, "grid_minimnist").dropna(subset="loss")
    best = cells.loc[cells.groupby("damping")["loss"].idxmin()]
    if len(best) < 4:
        raise Unusable(f"grid_minimnist has {len(best)} damping values that ended well, not 4")
    slope = float(np.polyfit(np.log(best["damping"]), np.log(best["learning_rate"]), 1)[0])
    verdict = REPRODUCED if 0.5 <= slope <= 1.5 else PARTLY if slope >= 0.2 else NOT_REPRODUCED
    why = f"The best learning rate grows as damping to the power {slope:.2f} ({len(best)} values)."
    return Verdict(verdict, f"{slope:.2f}", why, measure.seeds(results, "grid_minimnist"))


def region(results: Results, experiment: str) -> Verdict:
    """Whether the best cell of a grid lies where the paper says."""
    best = _best(results, experiment)
    inside = [low <= best[key] <= high for key, (low, high) in REGION.items()]
    ours = f"η {best['learning_rate']:g}, α {best['damping']:g}"
    why = f"{sum(inside)} of 2 (η, α) inside; minimum validation loss {best['loss']:.3f}."
    return Verdict(_share(sum(inside), 2), ours, why, measure.seeds(results, experiment))


def image_size(results: Results) -> Verdict:
    """Damping of the best cell, MNIST against miniMNIST."""
    small, large = (_best(results, name)["damping"] for name in ("grid_minimnist", "grid_mnist"))
    verdict = REPRODUCED if large > small else PARTLY if large == small else NOT_REPRODUCED
    ours = f"α {small:g} (14×14), α {large:g} (28×28)"
    why = "The best damping is " + (
        "larger on the larger images."
        if large > small
        else "the same."
        if large == small
        else "smaller on the larger images."
    )
    return Verdict(verdict, ours, why, measure.seeds(results, "grid_mnist"))


def _dampings(results: Results, wanted: Callable[[float], bool]) -> dict[float, str]:
    runs = measure.by_damping(results.runs("damping"))
    found = {damping: run for damping, run in sorted(runs.items()) if wanted(damping)}
    if not found:
        raise Unusable("damping has no run with the damping values that this needs")
    return found


def _vanilla(results: Results) -> str:
    plain = [run.name for run in results.runs("damping") if not run.settings.natural]
    if not plain:
        raise Unusable("damping has no run of the vanilla algorithm")
    return plain[0]


def _curves(results: Results, wanted: Callable[[float], bool]) -> list[np.ndarray]:
    return [
        curve
        for run in _dampings(results, wanted).values()
        for curve in measure.curves(results, "damping", run, "valid_loss").values()
    ]


def _final(results: Results, run: str, column: str) -> float:
    found = measure.curves(results, "damping", run, column)
    return float(np.mean([measure.final(curve) for curve in found.values()]))


def _mean(results: Results, run: str) -> np.ndarray:
    found = measure.curves(results, "damping", run, "valid_loss")
    return np.asarray(np.mean(list(found.values()), axis=0))


def _epochs_to(curve: np.ndarray, level: float) -> float:
    there = np.flatnonzero(curve <= level)
    return float(there[0] + 1) if len(there) else float("inf")


def _noise(curve: np.ndarray) -> float:
    """Standard deviation of the steps from epoch to epoch, second half."""
    return float(np.diff(curve[len(curve) // 2 :]).std())


def _cells(results: Results, experiment: str):  # type: ignore[no-untyped-def]
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


def _share(yes: int, total: int) -> str:
    return REPRODUCED if yes == total else PARTLY if yes else NOT_REPRODUCED


ON_3BY3 = Needs(("damping",), 50)

CLAIMS = [
    Claim(
        id="damping-useful",
        text="On 3by3 damping values of .001 to .1 outperform the vanilla algorithm.",
        where="Appendix B; Figure 6",
        quantity="exact KL, mean of the last tenth of the epochs",
        paper="below the vanilla algorithm’s",
        tolerance="all of them; partly if some",
        needs=ON_3BY3,
        check=useful_damping,
        evidence="figures/fig6.csv",
    ),
    Claim(
        id="damping-low",
        text="Very low damping converges almost instantly but the loss remains noisy.",
        where="Appendix B; Figure 6",
        quantity="epochs to a level and noise of the loss, α ≤ 1e-4 against .001 to .1",
        paper="faster and noisier",
        tolerance="as fast or faster and more than twice as noisy; partly if one holds",
        needs=ON_3BY3,
        check=low_damping,
        evidence="figures/fig6.csv",
    ),
    Claim(
        id="damping-high",
        text="Large damping leads to convergence similar to WS.",
        where="Appendix B; Figure 6",
        quantity="mean distance of the largest α’s loss curve from the vanilla one",
        paper="similar",
        tolerance="smaller than that of every α in .001 to .1; partly if of some",
        needs=ON_3BY3,
        check=high_damping,
        evidence="figures/fig6.csv",
    ),
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
            text=f"The best settings are α .005 to .1 with η .005 to .02 ({data}).",
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
