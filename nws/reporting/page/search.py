"""The hyperparameter search: what each algorithm's search chose, and whether `tuned` has it.

A search is an experiment whose runs share an algorithm. The run with the lowest final validation
loss wins; runs that diverged take no part.
"""

import math
from typing import NamedTuple

from nws.config import RunSettings
from nws.reporting.results import DONE, Entry, Results

SEARCHES = ("search_ws", "search_rws", "search_nrws")


class Search(NamedTuple):
    """The runs of a search from best to worst, and whether `tuned` has the settings of the best."""

    experiment: str
    entries: list[Entry]
    taken: bool

    @property
    def best(self) -> Entry | None:
        """The run with the lowest validation loss; None if none ended well."""
        return self.entries[0] if self.entries and self.entries[0].status in DONE else None


def searches(results: Results) -> list[Search]:
    """Those that the configuration has."""
    return [_search(results, name) for name in SEARCHES if results.runs(name)]


def _search(results: Results, name: str) -> Search:
    entries = sorted(results.entries(name), key=_loss)
    tuned = [_searched(run.settings) for run in results.runs("tuned")]
    best = entries[0].run.settings
    return Search(name, entries, math.isfinite(_loss(entries[0])) and _searched(best) in tuned)


def _loss(entry: Entry) -> float:
    loss = entry.metrics.get("final_valid_loss") if entry.status in DONE else None
    return math.inf if loss is None or not math.isfinite(loss) else float(loss)


def _searched(settings: RunSettings) -> tuple[str, float, float | None]:
    return (
        settings.algorithm,
        settings.learning_rate,
        settings.damping if settings.natural else None,
    )
