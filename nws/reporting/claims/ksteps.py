"""Claims about K, the steps between refreshes of the Fisher matrix: Figure 9b."""

import numpy as np

from nws.reporting.claims import measure
from nws.reporting.claims.claim import Claim, Unusable, Verdict, counted, graded
from nws.reporting.claims.scale import Needs
from nws.reporting.results import DIVERGED, Results

TOLERANCE = 0.5  # nats: “without noticeable impact”
NEEDS = Needs(("ksteps",), 20)


def up_to_100(results: Results) -> Verdict:
    """Final validation loss of every K ≤ 100 against the smallest K."""
    runs = _runs(results)
    fresh = min(runs)
    kept = {k: run for k, run in runs.items() if max(fresh, 1) < k <= 100}  # K = 0 is K = 1
    if not kept:
        raise Unusable("ksteps has fewer than two values of K up to 100")
    base = measure.mean_final(results, "ksteps", runs[fresh])
    off = {k: measure.mean_final(results, "ksteps", run) - base for k, run in kept.items()}
    near = [k for k, nats in off.items() if abs(nats) <= TOLERANCE]
    verdict = counted(len(near), len(off))
    ours = ", ".join(f"K {k}: {nats:+.3f}" for k, nats in off.items())
    why = (
        f"{len(near)} of {len(off)} end within {TOLERANCE} nats of K = {fresh}, which ends at "
        f"{base:.1f}; {sum(nats > TOLERANCE for nats in off.values())} are worse by more."
    )
    return Verdict(verdict, ours, why, measure.seeds(results, "ksteps"))


def stability(results: Results) -> Verdict:
    """How much the validation loss rises in all, K = 500 and 1000 against K ≤ 100."""
    runs = _runs(results)
    if not {500, 1000} <= set(runs):
        raise Unusable("ksteps has no K = 500 or no K = 1000")
    rises = {k: _rise(results, run) for k, run in runs.items()}
    usual = float(np.median([rise for k, rise in rises.items() if k <= 100]))
    unstable = [k for k in (500, 1000) if rises[k] > 2 * usual + 0.1]
    ordered = rises[1000] >= rises[500]
    verdict = graded(len(unstable) == 2 and ordered, bool(unstable))
    ours = f"K 500: {rises[500]:.3f}, K 1000: {rises[1000]:.3f}; K ≤ 100: {usual:.3f}"
    why = (
        f"{len(unstable)} of 2 rise more than twice as much as K ≤ 100 (nats; infinite: diverged)."
    )
    return Verdict(verdict, ours, why, measure.seeds(results, "ksteps"))


def speed(results: Results) -> Verdict:
    """Seconds per epoch at K = 50 (or the nearest) against the smallest K; all is inverted."""
    ratio, why = _saved(results, "inversion")
    why += _by_any_solver(results)
    verdict = graded(ratio < 0.8, ratio < 1)
    return Verdict(verdict, f"×{ratio:.2f}", why, measure.seeds(results, "inversion"))


def _saved(results: Results, experiment: str) -> tuple[float, str]:
    """The ratio, and what it is of."""
    runs = _runs(results, experiment)
    kept = min(runs, key=lambda k: abs(k - 50))
    fresh = min(runs)
    compared = [runs[kept], runs[fresh]]
    times = [measure.seconds_per_epoch(results, experiment, run) for run in compared]
    why = f"{times[0]:.2f} s per undisturbed epoch at K = {kept}, {times[1]:.2f} s at K = {fresh}."
    why += measure.other_machines(results, experiment, *compared)
    return times[0] / times[1], why + measure.disturbed(results, experiment, *compared)


def _by_any_solver(results: Results) -> str:
    """A sentence on Figure 9b's own runs, where they are there."""
    try:
        ratio, why = _saved(results, "ksteps")
    except Unusable:
        return ""
    return (
        " In Figure 9b each layer has the solver that is cheapest there, often conjugate "
        f"gradients, which have nothing to invert: ×{ratio:.2f}, {why}"
    )


def _runs(results: Results, experiment: str = "ksteps") -> dict[int, str]:
    """The run of every K, without those of conjugate gradients alone."""
    found = [run for run in results.runs(experiment) if run.settings.solver != "cg"]
    if not found:
        raise Unusable(f"{experiment} has no runs")
    return dict(sorted((run.settings.refresh, run.name) for run in found))


def _rise(results: Results, run: str) -> float:
    """The sum of all rises from epoch to epoch; a run that diverged rose without end."""
    entries = results.seeds_of("ksteps", run)
    if any(entry.status == DIVERGED for entry in entries):
        return float("inf")
    found = measure.curves(results, "ksteps", run, "valid_loss")
    return float(np.mean([np.clip(np.diff(curve), 0, None).sum() for curve in found.values()]))


CLAIMS = [
    Claim(
        id="k-up-to-100",
        text="K from 1 to 100 has no noticeable impact on the performance.",
        where="Appendix B, K-step; Figure 9b",
        quantity="final validation loss minus that of the smallest K",
        paper="no noticeable impact",
        tolerance=f"within {TOLERANCE} nats of it for every K; partly if for some",
        needs=NEEDS,
        check=up_to_100,
        evidence="figures/fig9.csv",
    ),
    Claim(
        id="k-stability",
        text="K = 1000 loses stability, K = 500 to a lesser degree.",
        where="Appendix B, K-step; Figure 9b",
        quantity="sum of the validation loss’s rises from epoch to epoch",
        paper="unstable at 1000, less at 500",
        tolerance="both more than twice the median of K ≤ 100 plus 0.1; partly if one",
        needs=NEEDS,
        check=stability,
        evidence="figures/fig9.csv",
    ),
    Claim(
        id="k-speed",
        text="With K steps between refreshes the algorithm speeds up significantly.",
        where="Appendix B, K-step; Figure 9b",
        quantity="seconds per undisturbed epoch, K = 50 over K = 1, every matrix inverted",
        paper="“speeds up significantly”",
        tolerance="below 0.8; partly below 1",
        needs=Needs(("inversion",)),
        check=speed,
        evidence="claims.csv",
        revised="before, by Figure 9b’s runs, of which none inverts at every step",
    ),
]
