"""Where a configuration departs from ``config/paper.yaml``, which is the paper as our choices
(:mod:`nws.reporting.page.choices`) read it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from nws import config as configuration
from nws.config import Config
from nws.reporting.page.choices import Deviation
from nws.reporting.wording import setting

NAMED = 6  # runs of an experiment that are named; more are counted


def reductions(config: Config) -> list[Deviation]:
    """Settings other than those of the paper's scale, grouped by what they change."""
    paper = configuration.load()
    found: dict[tuple[str, str, str], list[str]] = {}
    for where, key, theirs, ours in (*_runs(paper, config), *_datasets(paper, config)):
        found.setdefault((key, theirs, ours), []).append(where)
    whole = Counter(run.experiment for run in configuration.runs(config))
    return [
        Deviation(f"{key} of {', '.join(_places(places, whole))}", theirs, ours)
        for (key, theirs, ours), places in found.items()
    ] + _experiments(paper, config)


def _places(places: list[str], whole: Mapping[str, int]) -> list[str]:
    """An experiment by its name alone, if all its runs are among the places; else by those."""
    runs: dict[str, list[str]] = {}
    for place in places:
        experiment, _, run = place.partition("/")
        runs.setdefault(experiment, []).append(run)

    def said(name: str, some: list[str]) -> str:
        count = whole.get(name, len(some))
        if len(some) == count:
            return name
        which = ", ".join(some) if len(some) <= NAMED else f"{len(some)} of {count} runs"
        return f"{name} ({which})"

    return [said(*item) for item in runs.items()]


def _datasets(paper: Config, config: Config) -> Iterable[tuple[str, str, str, str]]:
    for name, settings in config.datasets.items():
        if name in paper.datasets:
            yield from _differences(name, paper.datasets[name], settings)


def _runs(paper: Config, config: Config) -> Iterable[tuple[str, str, str, str]]:
    theirs = {(run.experiment, run.name): run for run in configuration.runs(paper)}
    for run in configuration.runs(config):
        if (other := theirs.get((run.experiment, run.name))) is not None:
            where = f"{run.experiment}/{run.name}"
            yield from _differences(where, other.settings, run.settings)


def _differences(
    where: str, paper: configuration.Strict, ours: configuration.Strict
) -> Iterable[tuple[str, str, str, str]]:
    other = paper.model_dump()
    for key, value in ours.model_dump().items():
        if value != other[key]:
            yield where, key, setting(other[key], key), setting(value, key)


def _experiments(paper: Config, config: Config) -> list[Deviation]:
    """Runs that are more or fewer than at the paper's scale."""
    found = []
    for name, experiment in paper.experiments.items():
        theirs = {run.name for run in configuration.expand(name, experiment)}
        ours = _names(config, name)
        if theirs != ours:
            counts = f"{len(theirs)} runs", f"{len(ours)} runs, {len(ours & theirs)} in common"
            found.append(Deviation(f"runs of {name}", *counts))
    return found


def _names(config: Config, experiment: str) -> set[str]:
    found = config.experiments.get(experiment)
    return {run.name for run in configuration.expand(experiment, found)} if found else set()
