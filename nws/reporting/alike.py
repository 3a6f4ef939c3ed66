"""Whether runs, or images and the paper's, are so alike that they may be shown under one name, and
the seconds of seeds as one time."""

from collections.abc import Sequence
from functools import lru_cache

from nws import config as configuration
from nws.config import Config, DatasetSettings, Strict
from nws.reporting.results import Entry

COUNTS = ("train", "valid", "test")  # how many of the images, not which


def differing(settings: Sequence[Strict], *known: str) -> list[str]:
    """The keys in which settings differ, besides those that are ``known`` to."""
    keys = type(settings[0]).model_fields if settings else ()
    return [
        key
        for key in keys
        if key not in known and any(getattr(s, key) != getattr(settings[0], key) for s in settings)
    ]


def other_images(config: Config, experiment: str, dataset: str) -> str:
    """In what a data set is none of those that the paper has in an experiment; empty if it is one,
    however many of the images it takes."""
    ours = config.datasets[dataset]
    found = [
        ", ".join(
            f"{key} {getattr(ours, key)} instead of {getattr(theirs, key)}"
            for key in differing((ours, theirs), *COUNTS)
        )
        for theirs in _papers(experiment)
    ]
    return min(found, key=len, default="the paper has no such experiment")  # the nearest


def machine(entry: Entry) -> str:
    """What a run was trained on."""
    told = entry.metrics.get("machine") or {}
    kind, threads = told.get("gpu") or told.get("cpu") or "unknown", told.get("threads", "unknown")
    return f"{kind} with {threads} thread{'' if threads == 1 else 's'}"


def timed(entries: Sequence[Entry]) -> list[Entry]:
    """Of a run's seeds those that were trained on the machine of the first: on another one a second
    is another time."""
    trained = [entry for entry in entries if entry.trained]
    return [entry for entry in trained if machine(entry) == machine(trained[0])]


@lru_cache
def paper_config() -> Config:
    """The paper's scale."""
    return configuration.load()


@lru_cache
def _papers(experiment: str) -> list[DatasetSettings]:
    """The data sets of an experiment at the paper's scale."""
    config = paper_config()
    found = config.experiments.get(experiment)
    runs = configuration.expand(experiment, found) if found else ()
    return [config.datasets[name] for name in dict.fromkeys(run.settings.dataset for run in runs)]
