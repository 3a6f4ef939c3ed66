"""Claims about the course of learning on MNIST: Figures 4 and 5, and the cost of an epoch."""

import numpy as np

from nws.reporting.claims import measure
from nws.reporting.claims.claim import (
    NOT_REPRODUCED,
    NOT_RUN,
    Claim,
    Unusable,
    Verdict,
    counted,
    graded,
)
from nws.reporting.claims.scale import Needs
from nws.reporting.results import DONE, Results

NEVER = float("inf")
LOSS = "train_loss"


def gap(results: Results) -> Verdict:
    """Validation minus training loss at the end, NRWS against RWS and WS."""
    gaps = {}
    for name in ("ws", "rws", "nrws"):
        valid = measure.column(results, "mnist", name, "static", "valid_loss")
        train = measure.column(results, "mnist", name, "static", LOSS)
        gaps[name] = measure.over_seeds(
            lambda v, t: measure.final(v) - measure.final(t), valid, train
        )
    larger = sum(gaps["nrws"].mean > gaps[name].mean for name in ("ws", "rws"))
    verdict = counted(larger, 2)
    ours = ", ".join(f"{name.upper()} {g.mean:.3f}" for name, g in gaps.items())
    why = f"NRWS’s gap is larger than that of {larger} of the 2 others."
    return Verdict(verdict, ours, why, gaps["nrws"].n, f"NRWS {measure.interval(gaps['nrws'])}")


def learning_rate(results: Results) -> Verdict:
    """Who is faster: mean training loss over the epochs that all have had. WS and RWS of ``rates``,
    at larger η than the headline's, against the headline's NRWS; and first whether there is
    anything to catch up with at the headline's."""
    found = {
        name: _losses_of(results, "mnist", measure.one_run(results, "mnist", name))
        for name in ("ws", "rws", "nrws")
    }
    raised = {}
    for run in results.runs("rates"):
        if run.settings.learning_rate > _headline(results, run.settings.algorithm):
            name = f"{run.settings.algorithm.upper()} η {run.settings.learning_rate:g}"
            raised[name] = _losses_of(results, "rates", run.name)
    losses = [loss for loss in (*found.values(), *raised.values()) if len(loss)]
    if not losses:
        raise Unusable("every run of mnist and rates is diverged", diverged=True)
    epochs = min(map(len, losses))
    mean = {name: _mean(loss, epochs) for name, loss in (found | raised).items()}
    goal = mean["nrws"]
    if level := [name for name in ("ws", "rws") if mean[name] < goal]:
        names = ", ".join(level).upper()
        why = f"{names}: below NRWS’s {goal:.3f} at the paper’s η already, over {epochs} epochs."
        return Verdict(NOT_REPRODUCED, "nothing to catch up with", why)
    if not raised:
        why = "No run raises the learning rate of WS or RWS on the twelve-layer network."
        return Verdict(NOT_RUN, "–", why)
    best = [name for name in raised if mean[name] < goal]
    ours = f"{len(best)} of {len(raised)} runs with a larger η are below NRWS’s {goal:.3f}"
    why = f"{', '.join(best)} caught up" if best else "None caught up with NRWS"
    lost = sum(not len(loss) for loss in raised.values())
    why += f", over {epochs} epochs; {lost} diverged."
    return Verdict(graded(not best, False), ours, why)


def _losses_of(results: Results, experiment: str, run: str) -> np.ndarray:
    """The training loss of a run by epoch, mean over its seeds; empty if it diverged."""
    try:
        seeds = measure.curves(results, experiment, run, LOSS).values()
    except Unusable as error:
        if error.diverged:
            return np.empty(0)
        raise
    epochs = min(map(len, seeds))
    return np.asarray(np.mean([loss[:epochs] for loss in seeds], axis=0))


def _mean(loss: np.ndarray, epochs: int) -> float:
    return float(loss[:epochs].mean()) if len(loss) else NEVER


def _headline(results: Results, algorithm: str) -> float:
    """The learning rate of Table 2."""
    found = [
        run.settings.learning_rate
        for run in results.runs("mnist")
        if run.settings.algorithm == algorithm
    ]
    if not found:
        raise Unusable(f"mnist has no run of {algorithm.upper()}, which rates has")
    return found[0]


def adam(results: Results) -> Verdict:
    """Mean validation loss over all epochs, natural against plain, under Adam."""
    slower, parts = 0, []
    for natural, plain in (("nws", "ws"), ("nrws", "rws")):
        pair = [
            measure.column(results, "adam", name, "", "valid_loss") for name in (natural, plain)
        ]
        worse = measure.over_seeds(lambda n, p: float(n.mean() - p.mean()), *pair)
        slower += worse.mean > 0
        parts.append(f"{natural.upper()} − {plain.upper()}: {worse.mean:+.3f}")
    verdict = counted(slower, 2)
    why = f"With Adam {slower} of 2 natural algorithms learn more slowly than their plain ones."
    return Verdict(verdict, "; ".join(parts), why, worse.n)


def cost(results: Results) -> Verdict:
    """Seconds per undisturbed epoch of NRWS over those of RWS, twelve layers."""
    experiment = _timed(results)
    runs = [measure.one_run(results, experiment, name) for name in ("nrws", "rws")]
    times = [measure.seconds_per_epoch(results, experiment, run) for run in runs]
    ratio = times[0] / times[1]
    verdict = graded(2.5 <= ratio <= 10, 1 < ratio < 2.5)
    why = (
        f"Measured in {experiment} (runs/{experiment}/*/seed*/history.csv). Another machine and "
        "another solver than the paper’s; only the ratio is compared."
    )
    why += measure.other_machines(results, experiment, *runs)
    why += measure.disturbed(results, experiment, *runs)
    seeds = len(measure.finished(results, experiment, runs[0]))
    return Verdict(verdict, f"×{ratio:.2f}", why, seeds)


def _timed(results: Results) -> str:
    """Where the epochs of twelve layers are timed: a few are enough while the whole is missing."""
    whole = all(entry.status in DONE for entry in results.entries("mnist"))
    return "mnist" if whole or "mnist_short" not in results.config.experiments else "mnist_short"


CLAIMS = [
    Claim(
        id="gap",
        text="The gap between training and validation loss is larger for NRWS.",
        where="Section 6, MNIST; Figure 4",
        quantity="validation − training loss, mean of the last tenth of the epochs",
        paper="NRWS largest",
        tolerance="larger than both; partly if larger than one",
        needs=Needs(("mnist",), 2000),
        check=gap,
        evidence="figures/fig4.csv",
    ),
    Claim(
        id="learning-rate",
        text="Even at larger learning rates WS and RWS do not reach NRWS’s rate of convergence.",
        where="Section 6, MNIST",
        quantity="mean training loss over the epochs that all have had",
        paper="none reaches NRWS",
        tolerance="no run of WS or RWS below NRWS, at the paper’s η neither",
        needs=Needs(("mnist", "rates"), 2000),
        check=learning_rate,
        evidence="figures/fig4.csv",
    ),
    Claim(
        id="adam",
        text="NWS and NRWS do not take advantage of Adam and lose in convergence speed.",
        where="Section 6, MNIST; Figure 5",
        quantity="mean validation loss over all epochs, natural minus plain",
        paper="above 0 for both",
        tolerance="above 0 for both; partly for one",
        needs=Needs(("adam",), 100),
        check=adam,
        evidence="figures/fig5.csv",
    ),
    Claim(
        id="cost",
        text="On MNIST an epoch of NRWS takes five times as long.",
        where="Section 6, MNIST; Table 2",
        quantity="seconds per undisturbed epoch of NRWS over RWS",
        paper="×5 (250 s over 50 s)",
        tolerance="×2.5 to ×10; partly if cheaper than that",
        needs=Needs(("mnist",)),
        check=cost,
        evidence="tables/table2.csv",
    ),
]
