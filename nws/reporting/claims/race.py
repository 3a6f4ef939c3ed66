"""Marks that this project set itself for the race. They are no claims of the paper."""

from functools import partial

from nws.config import Run
from nws.reporting import race, scores
from nws.reporting.claims import measure
from nws.reporting.claims.claim import Claim, Unusable, Verdict, graded
from nws.reporting.claims.scale import Needs
from nws.reporting.results import Results
from nws.reporting.statistics import student

CORES, HOUR = 2, 3600.0  # of the mark for an hour
NATS = -27.6  # the paper's NRWS after 500 epochs: -27.606
MINUTES = {"race2": 5, "race3": 20, "race4": 60}
SAMPLES = 10_000
SAMPLES_AHEAD = 1_000  # for a difference: both scores err downwards, by about as much


def reaches(results: Results) -> Verdict:
    """The rival with the best validation score at the budget of an hour against the mark.

    With one core of the two it is harder.
    """
    groups = {}
    for run in _runs(results, "race4", HOUR):
        try:
            measure.likelihoods(results, "race4", run.name)
        except Unusable:
            continue  # another one may have reached it
        groups[run.name] = measure.finished(results, "race4", run.name)
    if not groups:
        raise Unusable("no run of race4 ended well")
    best = max(groups, key=lambda name: scores.columns(groups[name])["ll_valid"])
    estimate = student(list(_scores(results, "race4", best).values()))
    gap = estimate.mean - NATS
    verdict = graded(estimate.low >= NATS, gap >= 0)
    side = "above" if gap >= 0 else "below"
    why = f"{race.RIVALS.get(best, best)}, the best, is {abs(gap):.3f} nats {side} it."
    return Verdict(verdict, f"{estimate.mean:.3f}", why, estimate.n, measure.interval(estimate))


def leads(results: Results, experiment: str) -> Verdict:
    """NRWS mended against the better of RWS with plain steps and with Adam, seed by seed."""
    runs = _runs(results, experiment, 60.0 * MINUTES[experiment])
    names = [run.name for run in runs]
    if "nrws_mended" not in names or "rws" not in names:
        raise Unusable(f"{experiment} lacks rws or nrws_mended")
    found = {
        name: _scores(results, experiment, name)
        for name in ("nrws_mended", "rws", "rws_adam")
        if name in names
    }
    ours = found.pop("nrws_mended")
    rival = max(found, key=lambda name: student(list(found[name].values())).mean)
    shared = sorted(set(ours) & set(found[rival]))
    if not shared:
        raise Unusable(f"{experiment} has no seed of both nrws_mended and {rival}")
    lead = student([ours[seed] - found[rival][seed] for seed in shared])
    verdict = graded(lead.low > 0, lead.mean > 0)
    side = "above" if lead.mean > 0 else "below"
    why = f"NRWS, mended, is {abs(lead.mean):.3f} nats {side} {race.RIVALS[rival]}."
    return Verdict(verdict, f"{lead.mean:+.3f}", why, lead.n, measure.interval(lead))


def _scores(results: Results, experiment: str, run: str) -> dict[int, float]:
    """Test log-likelihoods by seed."""
    found = measure.likelihoods(results, experiment, run)
    return {seed: score["mean"] for seed, score in found.items()}


def _runs(results: Results, experiment: str, seconds: float) -> list[Run]:
    """The runs of a race that had this budget, all on as many cores, one or two.

    On one core each, others may run beside them; on two, a run must have had them for itself.
    """
    runs, entries = results.runs(experiment), results.entries(experiment)
    if other := next((run for run in runs if run.settings.budget != seconds), None):
        raise Unusable(f"{experiment}/{other.name} has {other.settings.budget} s, not {seconds:g}")
    if other := next((run for run in runs if race.rival(run) != race.called(run.name)), None):
        raise Unusable(f"{experiment}/{other.name} is {race.label(other)} by its settings")
    found = {entry.label: entry.metrics["machine"] for entry in entries if entry.metrics}
    for label, machine in found.items():
        if machine["device"] != "cpu" or machine["threads"] not in (1, CORES):
            where = f"{machine['threads']} threads on the {machine['device']}"
            raise Unusable(f"{label} had {where}, not 1 or {CORES} on the CPU")
    threads = {machine["threads"] for machine in found.values()}
    if len(threads) > 1:
        raise Unusable(f"the runs of {experiment} had different numbers of threads")
    if threads != {1} and not results.config.experiments[experiment].alone:
        raise Unusable(f"{experiment} was not trained alone")
    return runs


MARKS = [
    Claim(
        id="race-hour",
        text=f"miniMNIST B reaches {NATS} nats within an hour on two cores.",
        where="Ours",
        quantity="test log-likelihood of the best algorithm, 10,000 importance samples",
        paper=f"{NATS}",
        tolerance="interval above it; partly if the mean is",
        needs=Needs(("race4",), likelihood_samples=SAMPLES),
        check=reaches,
        evidence="tables/race_scores.csv",
    ),
    *(
        Claim(
            id=f"race-{minutes}-min",
            text=f"NRWS, mended, is ahead of RWS after {minutes} minutes of training.",
            where="Ours",
            quantity="its test log-likelihood minus the better one of RWS and RWS with Adam",
            paper="above 0",
            tolerance="interval above 0; partly if the mean is",
            needs=Needs((experiment,), likelihood_samples=SAMPLES_AHEAD),
            check=partial(leads, experiment=experiment),
            evidence="tables/race_scores.csv",
        )
        for experiment, minutes in MINUTES.items()
    ),
]
