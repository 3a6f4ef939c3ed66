"""Claims about the course of learning: Figures 3, 4 and 5, and the cost of an epoch."""

from collections.abc import Callable
from functools import partial

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
from nws.reporting.results import DONE, UNDISTURBED, Results
from nws.reporting.statistics import student

NEVER = float("inf")
RIVALS = ("rws", "ws")
RISEN = 0.1  # nats: a final loss so far above the lowest one is told beside it
LOSS = "train_loss"


def crossover(results: Results, coding: str, first: int, last: int) -> Verdict:
    """From which epoch NRWS's training loss stays below both others', by seed."""
    nrws, rws, ws = (_losses(results, "minimnist", a, coding) for a in ("nrws", "rws", "ws"))
    shared = measure.shared(nrws, rws, ws)
    epochs = [leads_from(nrws[seed], rws[seed], ws[seed]) for seed in shared]
    if not all(np.isfinite(epochs)):
        seed = shared[int(np.argmax(epochs))]
        start, end, run = longest_lead(nrws[seed], rws[seed], ws[seed])
        spell = f"from epoch {start} to {end}, not after" if start else "at no epoch"
        why = f"Seed {seed}: below both {spell}, of {run}."
        return Verdict(NOT_REPRODUCED, "not to the end", why, len(shared))
    estimate = student(epochs)
    inside = first <= estimate.mean <= last
    why = (
        f"NRWS stays below both from epoch {estimate.mean:.0f}; the tolerance is {first} to {last}."
    )
    ours = f"epoch {estimate.mean:.0f}"
    return Verdict(graded(inside, True), ours, why, estimate.n, measure.interval(estimate, 1))


def leads_from(leader: np.ndarray, *others: np.ndarray) -> float:
    """The first epoch (from 1) after which the leader is below to the end; infinity if never."""
    ahead = _ahead(leader, *others)
    behind = np.flatnonzero(~ahead)
    first = int(behind[-1]) + 2 if len(behind) else 1
    return first if first <= len(ahead) else NEVER


def longest_lead(leader: np.ndarray, *others: np.ndarray) -> tuple[int, int, int]:
    """First and last epoch (from 1) of the longest time ahead, 0 if none; the number of epochs."""
    ahead = _ahead(leader, *others)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], ahead, [False])).astype(int)))
    spells = edges.reshape(-1, 2)
    if not len(spells):
        return 0, 0, len(ahead)
    start, end = spells[np.argmax(spells[:, 1] - spells[:, 0])]
    return int(start) + 1, int(end), len(ahead)


def _ahead(leader: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Whether a curve is below all others, by epoch."""
    epochs = min(map(len, (leader, *others)))
    return leader[:epochs] < np.min([other[:epochs] for other in others], axis=0)


def reaches_sooner(results: Results, experiment: str, coding: str, faster_in_time: bool) -> Verdict:
    """When NRWS reaches the final training loss of RWS and WS, over when they do themselves.

    The paper says sooner in epochs; in seconds too on miniMNIST, not on MNIST.
    """
    epochs, seconds = (
        [_ratio(results, experiment, coding, rival, axis, measure.final) for rival in RIVALS]
        for axis in ("epoch", UNDISTURBED)
    )
    in_epochs, in_time = max(epochs) < 1, max(seconds) < 1
    verdict = graded(in_epochs and in_time == faster_in_time, in_epochs)
    ours = "; ".join(map(_ratios, RIVALS, epochs, seconds))
    why = (
        f"NRWS is {'sooner' if in_epochs else 'not sooner'} in epochs and "
        f"{'sooner' if in_time else 'not sooner'} in seconds than both "
        "(below 1 is sooner; seconds of undisturbed epochs)."
    )
    for telling in (_passing, _to_the_lowest):
        why += "".join(telling(results, experiment, coding, rival) for rival in RIVALS)
    compared = [measure.one_run(results, experiment, a, coding) for a in ("nrws", "rws", "ws")]
    why += measure.other_machines(results, experiment, *compared)
    why += measure.disturbed(results, experiment, *compared)
    return Verdict(verdict, ours, why, len(_losses(results, experiment, "nrws", coding)))


def _ratio(
    results: Results,
    experiment: str,
    coding: str,
    rival: str,
    axis: str,
    level_of: Callable[[np.ndarray], float],
) -> float:
    """NRWS's time to a level of the rival's loss over the rival's own; the median over seeds."""
    ours, theirs = (_losses(results, experiment, a, coding) for a in ("nrws", rival))
    clock, other = (_column(results, experiment, a, coding, axis) for a in ("nrws", rival))
    ratios = []
    for seed in measure.shared(ours, theirs):
        level = level_of(theirs[seed])
        when = first_time(ours[seed], clock[seed], level)
        ratios.append(when / first_time(theirs[seed], other[seed], level))
    return float(np.median(ratios))


def _ratios(rival: str, epochs: float, seconds: float) -> str:
    """For reading."""
    told = f"×{epochs:.2f} epochs, ×{seconds:.2f} seconds" if np.isfinite(epochs) else "not reached"
    return f"{rival.upper()} {told}"


def _to_the_lowest(results: Results, experiment: str, coding: str, rival: str) -> str:
    """A sentence where a rival's loss rises again, so that it had its final one long before the
    end: what the comparison is with its lowest. Else empty."""
    losses = _losses(results, experiment, rival, coding)
    parts = []
    for seed, loss in losses.items():
        level, lowest = measure.final(loss), int(loss.argmin())
        first = int(np.flatnonzero(loss <= level)[0])
        if level - loss[lowest] > RISEN:
            parts.append(
                f"seed {seed} has its final {level:.2f} in epoch {first + 1} and its lowest "
                f"{loss[lowest]:.2f} in epoch {lowest + 1}"
            )
    if not parts:
        return ""
    compared = [
        _ratio(results, experiment, coding, rival, axis, lambda loss: float(loss.min()))
        for axis in ("epoch", UNDISTURBED)
    ]
    return (
        f" {rival.upper()}’s training loss rises again: {'; '.join(parts)}. With the lowest in "
        f"place of the final one: {_ratios(rival, *compared)}."
    )


def _passing(results: Results, experiment: str, coding: str, rival: str) -> str:
    """A sentence where NRWS reaches a rival's final loss and does not end there, else empty."""
    ours, theirs = (_losses(results, experiment, a, coding) for a in ("nrws", rival))
    parts = []
    for seed in measure.shared(ours, theirs):
        loss, level = ours[seed], measure.final(theirs[seed])
        there, above = int((loss <= level).sum()), measure.final(loss) - level
        if there and above > 0:
            parts.append(
                f"seed {seed} is there in {there} of {len(loss)} epochs and ends {above:.2f} above"
            )
    return f" It does not stay at {rival.upper()}’s level: {'; '.join(parts)}." if parts else ""


def first_time(loss: np.ndarray, clock: np.ndarray, level: float) -> float:
    """When a loss is first at or below a level; infinity if never."""
    there = np.flatnonzero(loss <= level)
    return float(clock[there[0]]) if len(there) else NEVER


def gap(results: Results) -> Verdict:
    """Validation minus training loss at the end, NRWS against RWS and WS."""
    gaps = {}
    for name in ("ws", "rws", "nrws"):
        valid = _column(results, "mnist", name, "static", "valid_loss")
        train = _losses(results, "mnist", name, "static")
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
    epochs = min(len(loss) for loss in (*found.values(), *raised.values()) if len(loss))
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
    return next(
        run.settings.learning_rate
        for run in results.runs("mnist")
        if run.settings.algorithm == algorithm
    )


def adam(results: Results) -> Verdict:
    """Mean validation loss over all epochs, natural against plain, under Adam."""
    slower, parts = 0, []
    for natural, plain in (("nws", "ws"), ("nrws", "rws")):
        pair = [_column(results, "adam", name, "", "valid_loss") for name in (natural, plain)]
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
        f"Measured in {experiment}. Another machine and another solver than the paper’s; only the "
        "ratio is compared."
    )
    why += measure.other_machines(results, experiment, *runs)
    why += measure.disturbed(results, experiment, *runs)
    seeds = len(measure.finished(results, experiment, runs[0]))
    return Verdict(verdict, f"×{ratio:.2f}", why, seeds)


def _timed(results: Results) -> str:
    """Where the epochs of twelve layers are timed: a few are enough while the whole is missing."""
    whole = all(entry.status in DONE for entry in results.entries("mnist"))
    return "mnist" if whole or "mnist_short" not in results.config.experiments else "mnist_short"


def _column(
    results: Results, experiment: str, algorithm: str, coding: str, column: str
) -> measure.Curves:
    run = measure.one_run(results, experiment, algorithm, coding)
    return measure.curves(results, experiment, run, column)


def _losses(results: Results, experiment: str, algorithm: str, coding: str) -> measure.Curves:
    return _column(results, experiment, algorithm, coding, "train_loss")


CLAIMS = [
    Claim(
        id="crossover-b",
        text="On B the advantage of NRWS is visible from the 12th epoch.",
        where="Section 6, miniMNIST; Figure 3",
        quantity="first epoch from which NRWS’s training loss stays below both others’",
        paper="12",
        tolerance="6 to 24; partly at any later or earlier epoch",
        needs=Needs(("minimnist",), 24),
        check=partial(crossover, coding="B", first=6, last=24),
        evidence="figures/fig3.csv",
    ),
    Claim(
        id="crossover-bst",
        text="On BSt the advantage of NRWS is visible from the very beginning.",
        where="Section 6, miniMNIST; Figure 3",
        quantity="first epoch from which NRWS’s training loss stays below both others’",
        paper="1",
        tolerance="1 to 2; partly at any later epoch",
        needs=Needs(("minimnist",), 24),
        check=partial(crossover, coding="BSt", first=1, last=2),
        evidence="figures/fig3.csv",
    ),
    *(
        Claim(
            id=f"sooner-{coding}".lower(),
            text=f"NRWS converges faster in epochs and in wall-clock time ({coding}).",
            where="Section 6, miniMNIST; Figure 3",
            quantity="when NRWS first has another’s final training loss, over when that one has it",
            paper="below 1 in epochs and seconds",
            tolerance="below 1 against both; partly if only in epochs",
            needs=Needs(("minimnist",), 500),
            check=partial(
                reaches_sooner, experiment="minimnist", coding=coding, faster_in_time=True
            ),
            evidence="figures/fig3.csv",
        )
        for coding in ("B", "BSt")
    ),
    Claim(
        id="sooner-mnist",
        text="On MNIST NRWS converges faster in epochs but not in time.",
        where="Section 6, MNIST; Figure 4",
        quantity="when NRWS first has another’s final training loss, over when that one has it",
        paper="below 1 in epochs, above in seconds",
        tolerance="as the paper; partly if faster in seconds too",
        needs=Needs(("mnist",), 2000),
        check=partial(reaches_sooner, experiment="mnist", coding="static", faster_in_time=False),
        evidence="figures/fig4.csv",
    ),
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
