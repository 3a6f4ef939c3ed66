"""The searches of the race: which settings are best for each rival and budget.

All settings of a rival are trained for the same seconds, once. Where a search was scored and is as
long as the budget, the highest log-likelihood of the validation images wins, which is what the race
is about; else the lowest validation loss. Learning rates are constant or fall with the steps alone,
so a longer run passes through what a shorter one would end with: its history says how good it was
when a smaller budget was spent. A budget longer than any search is given what was best at the end
of the longest.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from nws.config import Run, expand
from nws.reporting import race, scores, wording
from nws.reporting.results import DONE, Results

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENTS = ("race_search", "race_search_long")  # the settings, and the best of them for longer
# What the race may set anew: how long it trains and how it is scored.
FREE = {"budget", "epochs", "likelihood_samples", "likelihood_images", "evaluation_batch"}
COLUMNS = ["budget", "rival", "experiment", "run", "searched", "valid_loss", "criterion"]
COLUMNS += ["rank", "in_race"]


class Ranking(NamedTuple):
    """The settings of a rival's search, each once, as runs with their losses on the validation
    images when ``seconds`` were spent, from best to worst: −log p̂ if they were ``scored``, else the
    bound; infinity: it did not get there."""

    seconds: float
    losses: list[tuple[Run, float]]
    scored: bool = False

    def best(self) -> list[Run]:
        """Those that got there."""
        return [run for run, loss in self.losses if math.isfinite(loss)]


class Choice(NamedTuple):
    """A run of the race, its budget, and the ranking by which it should have its settings."""

    run: Run
    budget: float
    ranking: Ranking

    @property
    def rival(self) -> str:
        return race.label(self.run)

    @property
    def best(self) -> Run | None:
        """None if no run of the search got that far."""
        return next(iter(self.ranking.best()), None)

    @property
    def taken(self) -> bool:
        """Whether the run of the race has the settings of the best."""
        return self.best is not None and same(self.best, self.run)


def choices(results: Results) -> list[Choice]:
    """One for each run of the race whose rival has a search."""
    slots = [run for experiment in race.EXPERIMENTS for run in results.runs(experiment)]
    found = [
        Choice(run, budget, ranking(results, race.rival(run), budget))
        for run in slots
        for budget in [race.budget(run)]
    ]
    return [choice for choice in found if choice.ranking.losses]


def ranking(
    results: Results,
    rival: str,
    budget: float = math.inf,
    experiments: tuple[str, ...] = EXPERIMENTS,
) -> Ranking:
    """By the runs that were searched for as long as the budget, or else for the longest."""
    runs = [run for name in experiments for run in results.runs(name) if race.rival(run) == rival]
    seconds = min(budget, max(map(race.budget, runs), default=0.0))
    there = [run for run in runs if race.budget(run) >= seconds]
    ended = [run for run in there if race.budget(run) == seconds]
    scored = bool(ended) and all(run.settings.likelihood_samples for run in ended)
    if scored:
        losses = [(run, -_likelihood(results, run)) for run in ended]
    else:
        losses = [(run, _loss(results, run, seconds)) for run in there]
    losses.sort(key=lambda pair: pair[1])
    once = [
        (run, loss)
        for i, (run, loss) in enumerate(losses)
        if not any(same(run, better) for better, _ in losses[:i])
    ]
    return Ranking(seconds, once, scored)


def spaces(results: Results) -> dict[str, str]:
    """What each grid of the shorter search tries, for reading, by its rival's name, and by its own
    where that says another one."""
    experiment = results.config.experiments.get(EXPERIMENTS[0])
    grids = experiment.grids if experiment else {}
    return {
        _titled(results, label): "; ".join(
            f"{race.SYMBOLS.get(key, key)} {', '.join(map(wording.brief, values))}"
            for key, values in grid.items()
            if key not in {"algorithm", *FREE}
        )
        for label, grid in grids.items()
    }


def _titled(results: Results, grid: str) -> str:
    found = results.config.experiments[EXPERIMENTS[0]]
    alone = found.model_copy(update={"runs": {}, "grid": {}, "grids": {grid: found.grids[grid]}})
    runs = list(expand(EXPERIMENTS[0], alone))
    if {race.rival(run) for run in runs} == {race.called(grid)}:
        return race.RIVALS.get(grid, grid)
    return f"{grid} ({', '.join(dict.fromkeys(map(race.label, runs)))})"


def same(one: Run, other: Run) -> bool:
    """Whether two runs have the same settings, but for how long they train and are scored."""
    return one.settings.model_dump(exclude=FREE) == other.settings.model_dump(exclude=FREE)


def _likelihood(results: Results, run: Run) -> float:
    """Of the validation images, mean over the seeds; -infinity where it is not known of each: none
    is to be chosen for the luck of the others."""
    entries = results.seeds_of(run.experiment, run.name)
    known = [e.status in DONE and scores.score(e.metrics, "valid") is not None for e in entries]
    found: float = scores.columns(entries)["ll_valid"]
    return found if known and all(known) else -math.inf


def _loss(results: Results, run: Run, seconds: float) -> float:
    """Mean over the seeds of the validation loss at the end of the epoch in which so many seconds
    were spent, as a run with that budget ends."""
    history = results.history(run.experiment)
    history = history[history["run"] == run.name]
    losses = []
    for _, rows in history.groupby("seed"):
        there = rows["seconds"] >= seconds
        ended = not there.any() and rows["status"].isin(DONE).all()
        row = rows.iloc[-1] if ended else rows[there].iloc[0] if there.any() else None
        loss = math.inf if row is None else float(row["valid_loss"])
        losses.append(loss if math.isfinite(loss) else math.inf)
    return sum(losses) / len(losses) if losses else math.inf


def table(results: Results) -> "pd.DataFrame":
    """One row for each run of a search and each budget that it tells something about."""
    import pandas as pd

    return pd.DataFrame(list(_rows(results)), columns=COLUMNS, dtype=object)


def _rows(results: Results) -> Iterator[dict[str, Any]]:
    for choice in choices(results):
        for rank, (run, loss) in enumerate(choice.ranking.losses, 1):
            yield {
                "budget": choice.budget,
                "rival": choice.rival,
                "experiment": run.experiment,
                "run": run.name,
                "searched": choice.ranking.seconds,
                "valid_loss": loss if math.isfinite(loss) else math.nan,
                "criterion": "log p̂" if choice.ranking.scored else "bound",
                "rank": rank,
                "in_race": "yes" if same(run, choice.run) else "no",
            }
