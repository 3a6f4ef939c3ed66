"""Numbers that several claims are about, taken from the results; no run is skipped silently."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from nws.config import Run
from nws.reporting import alike, paper
from nws.reporting.claims.claim import Unusable
from nws.reporting.results import DIVERGED, DONE, MISSING, Entry, Results
from nws.reporting.statistics import Estimate, line, student, undisturbed_epoch

Curves = dict[int, np.ndarray]  # by seed: one value per epoch
SLOWED = 1.2  # a median epoch so many times an undisturbed one is told
LAST = 0.1  # the share of the epochs, at the end, whose mean is called final


def runs_of(
    results: Results, experiment: str, binarization: str = "", algorithm: str = ""
) -> list[str]:
    """Names of the runs with a binarization (B, BSt, static) and an algorithm, where asked."""
    return [
        run.name
        for run in results.runs(experiment)
        if algorithm in ("", run.settings.algorithm)
        and binarization in ("", paper.binarization(results.config, run.settings.dataset))
    ]


def one_run(results: Results, experiment: str, algorithm: str, binarization: str = "") -> str:
    """The only run of an algorithm in an experiment."""
    names = runs_of(results, experiment, binarization, algorithm)
    if len(names) != 1:
        raise Unusable(f"{experiment} has {len(names)} runs of {algorithm.upper()}, not one")
    return names[0]


def finished(results: Results, experiment: str, run: str) -> list[Entry]:
    """The seeds of a run that are there; an error if none is, or if one did not end well."""
    entries = results.seeds_of(experiment, run)
    done = [entry for entry in entries if entry.status in DONE]
    odd = [e for e in entries if e.status not in DONE and not (done and e.status == MISSING)]
    if odd:
        diverged = all(entry.status == DIVERGED for entry in odd)
        text = ", ".join(f"{entry.label} is {entry.status}" for entry in odd)
        raise Unusable(text, diverged)
    return done


def likelihoods(results: Results, experiment: str, run: str) -> dict[int, dict[str, float]]:
    """The test score, by seed."""
    entries = finished(results, experiment, run)
    scores = {e.seed: (e.metrics.get("log_likelihood") or {}).get("test") for e in entries}
    found = {seed: score for seed, score in scores.items() if score}
    if not found or len(found) < len(scores):
        raise Unusable(f"{experiment}/{run} has no log-likelihood estimate")
    return found


def curves(results: Results, experiment: str, run: str, column: str) -> Curves:
    """A column of the history, by seed."""
    entries = finished(results, experiment, run)
    history = results.history(experiment)
    history = history[(history["run"] == run) & history["status"].isin(DONE)]
    seeds = [int(seed) for seed in history["seed"].unique()]
    found = {seed: history.loc[history["seed"] == seed, column].to_numpy(float) for seed in seeds}
    whole = all(np.isfinite(values).all() for values in found.values())
    if not found or len(found) < len(entries) or not whole:
        raise Unusable(f"{experiment}/{run} has no complete {column}")
    return found


def column(
    results: Results, experiment: str, algorithm: str, binarization: str, name: str
) -> Curves:
    """A column of the history of an algorithm's only run, by seed."""
    return curves(results, experiment, one_run(results, experiment, algorithm, binarization), name)


def seconds_per_epoch(results: Results, experiment: str, run: str) -> float:
    """Of an undisturbed epoch, the median over the seeds of one machine."""
    entries = alike.timed(finished(results, experiment, run))
    return float(np.median([results.seconds_per_epoch(entry) for entry in entries]))


def other_machines(results: Results, experiment: str, *runs: str) -> str:
    """A sentence where the times of runs with one seed are of different machines or thread counts,
    else empty."""
    found: dict[int, dict[str, None]] = {}
    for run in runs:
        for entry in finished(results, experiment, run):
            found.setdefault(entry.seed, {})[alike.machine(entry)] = None
    mixed = dict.fromkeys(name for names in found.values() if len(names) > 1 for name in names)
    if not mixed:
        return ""
    return f" The times are not of one machine and thread count: {', '.join(mixed)}."


def disturbed(results: Results, experiment: str, *runs: str) -> str:
    """A sentence where most epochs of a run took much longer than its undisturbed ones, so that
    these may not be undisturbed either; else empty."""
    found = {}
    for run in runs:
        for seed, seconds in curves(results, experiment, run, "seconds").items():
            epochs = np.diff(seconds, prepend=0.0)
            found[f"{experiment}/{run} seed {seed}"] = np.median(epochs) / undisturbed_epoch(
                seconds
            )
    odd = [f"×{ratio:.2f} in {label}" for label, ratio in found.items() if ratio > SLOWED]
    return f" The median epoch over an undisturbed one: {', '.join(odd)}." if odd else ""


def still_falling(results: Results, experiment: str, run: str) -> str:
    """A sentence where a run was stopped as converged: how its losses changed over the last fifth
    of its epochs, by a line through them. Else empty."""
    stopped = [e.seed for e in finished(results, experiment, run) if e.status == "converged"]
    parts = []
    for seed in stopped:
        changes = []
        for column, name in (("valid_loss", "validation"), ("train_loss", "training")):
            losses = curves(results, experiment, run, column)[seed]
            last = losses[-max(3, len(losses) // 5) :]
            if len(last) >= 3:
                slope, half = (100 * number for number in line(np.arange(len(last)), last))
                changes.append(f"its {name} loss changes by {slope:+.1f} ± {half:.1f} nats")
        if changes:
            parts.append(f" Where seed {seed} was stopped, {' and '.join(changes)} in 100 epochs.")
    return "".join(parts)


def final(values: np.ndarray) -> float:
    """The mean over the last tenth of the epochs."""
    return float(values[-max(1, round(len(values) * LAST)) :].mean())


def mean_final(results: Results, experiment: str, run: str, column: str = "valid_loss") -> float:
    """The same of a column of the history, the mean over the seeds."""
    return float(np.mean([final(c) for c in curves(results, experiment, run, column).values()]))


def over_seeds(measure: Callable[..., float], *by_seed: Curves) -> Estimate:
    """A measure of curves with the same seed, and its mean over the seeds they share."""
    return student([measure(*(curve[seed] for curve in by_seed)) for seed in shared(*by_seed)])


def shared(*by_seed: Mapping[int, object]) -> list[int]:
    """The seeds that all have; an error if there is none."""
    found = sorted(set.intersection(*map(set, by_seed)))
    if not found:
        raise Unusable("the runs to compare have no seed in common yet")
    return found


def seeds(results: Results, experiment: str) -> int:
    """How many seeds of an experiment are there."""
    return len({entry.seed for entry in results.entries(experiment) if entry.status in DONE})


def interval(estimate: Estimate, digits: int = 3) -> str:
    """``low to high`` of an estimate, for reading."""
    if not np.isfinite(estimate.half_width):
        return "one seed" if estimate.n == 1 else ""
    return f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}"


def by_damping(runs: Iterable[Run]) -> dict[float, str]:
    """Name of the natural run for every damping value; each may have one."""
    natural = [run for run in runs if run.settings.natural]
    found = {run.settings.damping: run.name for run in natural}
    if len(found) < len(natural):
        raise Unusable(f"{natural[0].experiment} has several runs of one damping value")
    return found
