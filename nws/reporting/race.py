"""The race: test log-likelihood against seconds of training, every algorithm at its best setting
for that budget.

An experiment of the race gives all its runs one budget of seconds; a run is called by its rival.
Which settings a rival has is for :mod:`nws.reporting.search` to say.
"""

from typing import TYPE_CHECKING, Any

from nws.config import Run
from nws.reporting import scores, wording
from nws.reporting.results import Entry, Results

if TYPE_CHECKING:
    import pandas as pd

RIVALS = {
    "ws": "WS",
    "rws": "RWS",
    "rws_adam": "RWS, Adam",
    "nws": "NWS",
    "nrws": "NRWS",
    "nrws_mended": "NRWS, mended",
    "bihm": "BiHM",
    "nbihm": "NBiHM",
}
EXPERIMENTS = ("race1", "race2", "race3", "race4")  # the shortest first
SYMBOLS = {
    "learning_rate": "η",
    "learning_rate_schedule": "η(t)",
    "damping": "α",
    "damping_schedule": "α(t)",
    "refresh": "K",
    "samples_later": "S later",
}
COLUMNS = [
    "budget",
    "rival",
    "algorithm",
    "dataset",
    "settings",
    "seeds",
    "ll_test_mean",
    "ci_low",
    "ci_high",
    "standard_error",
    "ll_test_seeds",
    "ll_valid",
    "likelihood_samples",
    "seconds",
    "epochs",
    "status",
    "run",
]


def called(name: str) -> str:
    """Which rival a name is of: the longest that it begins with; itself if it is of none."""
    fits = [rival for rival in RIVALS if f"{name}_".startswith(f"{rival}_")]
    return max(fits, key=len, default=name)


def rival(run: Run) -> str:
    """Which rival a run of the race, or of its searches, is: that of its name, if its settings are
    what that says; else by its settings, the algorithm at least."""
    name, settings = called(run.name), run.settings
    if name not in RIVALS:
        return name
    mended = settings.solver == "shared" or settings.unit_damping > 0 or settings.q_wake == 0
    has = {"adam": settings.optimizer == "adam", "mended": mended, "": True}
    algorithm, _, variant = name.partition("_")
    if settings.algorithm == algorithm and has[variant]:
        return name
    variants = [f"{settings.algorithm}_{variant}" for variant, on in has.items() if on]
    return next((name for name in variants if name in RIVALS), settings.algorithm)


def label(run: Run) -> str:
    """Its rival, for reading."""
    name = rival(run)
    return RIVALS.get(name, name)


def budget(run: Run) -> float:
    """The seconds of a run; infinity if it has all it wants."""
    return run.settings.budget or float("inf")


def groups(results: Results) -> list[list[Entry]]:
    """The seeds of every run of the race that is configured."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for experiment in EXPERIMENTS:
        for entry in results.entries(experiment):
            found.setdefault((experiment, entry.run.name), []).append(entry)
    return list(found.values())


def table(results: Results) -> "pd.DataFrame":
    """One row for each budget and rival: mean and 95% interval over the seeds."""
    import pandas as pd

    rows = [_row(results, entries) for entries in groups(results)]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _row(results: Results, entries: list[Entry]) -> dict[str, Any]:
    run = entries[0].run
    return scores.columns(entries) | {
        "budget": run.settings.budget,
        "rival": label(run),
        "algorithm": run.settings.algorithm,
        "dataset": run.settings.dataset,
        "settings": described(results, run),
        "likelihood_samples": run.settings.likelihood_samples,
        "seconds": scores.average(entries, "seconds"),
        "epochs": scores.average(entries, "epochs"),
        "run": f"{run.experiment}/{run.name}",
    }


def described(results: Results, run: Run) -> str:
    """What a run of the race has of its own, for reading: what its search chose, without what says
    that there is nothing, such as ``samples_later: null``."""
    written = results.config.experiments[run.experiment].runs.get(run.name, {})
    return ", ".join(
        f"{SYMBOLS.get(key, key)} {wording.brief(value)}"
        for key, value in written.items()
        if key != "algorithm" and not _nothing(value)
    )


def _nothing(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.get("kind") == "constant")
