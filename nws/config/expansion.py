"""Experiments expanded into runs, and what is found in a configuration by name."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from nws.config.merging import merge
from nws.config.settings import Config, DatasetSettings, Experiment, Name, RunSettings, Strict
from nws.config.validation import hint, validate
from nws.errors import NwsError


class Run(BaseModel):
    """One cell of an experiment: its name and its complete settings. Seeds repeat it."""

    model_config = ConfigDict(frozen=True)
    experiment: str
    name: str
    settings: RunSettings


SHORT = {"learning_rate": "lr", "damping": "a", "refresh": "k", "samples": "s", "algorithm": ""}


def expand(name: str, experiment: Experiment) -> Iterator[Run]:
    """The experiment's named runs, then its grid, then its grids, in the order of the file."""
    where = f"experiments.{name}"
    cells = dict(experiment.runs)
    for key in experiment.settings:
        _known(f"{where}.settings", key)
    for place, run, point in _points(where, experiment):
        if run in cells:
            raise NwsError(f"{place}: two runs are called {run!r}; give different values")
        cells[run] = point
    if not cells:
        raise NwsError(f"{where}: has neither runs nor a grid; give at least one")
    for run, overrides in cells.items():
        settings = merge(experiment.settings, overrides)
        yield Run(
            experiment=name,
            name=run,
            settings=validate(RunSettings, settings, f"{where}.runs.{run}"),
        )


def runs(config: Config) -> list[Run]:
    """Every run of every experiment."""
    return [run for name, exp in config.experiments.items() for run in expand(name, exp)]


def run_settings(content: Mapping[str, Any], where: str = "settings") -> RunSettings:
    """The settings of a run from some of its keys; the others take their defaults."""
    return validate(RunSettings, content, where)


def find_run(config: Config, experiment: str, name: str) -> Run:
    """The run ``experiment/name``; an error that lists what there is."""
    if experiment not in config.experiments:
        raise NwsError(
            f"no experiment {experiment!r}{hint(experiment, config.experiments)}; "
            f"there is: {', '.join(config.experiments)}"
        )
    found = {run.name: run for run in expand(experiment, config.experiments[experiment])}
    if name not in found:
        raise NwsError(
            f"no run {name!r} in experiment {experiment!r}{hint(name, found)}; "
            f"there is: {', '.join(found)}"
        )
    return found[name]


def find_dataset(config: Config, name: str) -> DatasetSettings:
    """The settings of a data set; an error that lists what there is."""
    if name not in config.datasets:
        raise NwsError(
            f"no data set {name!r}{hint(name, config.datasets)}; "
            f"there is: {', '.join(config.datasets)}"
        )
    return config.datasets[name]


def seeds(config: Config, experiment: str) -> list[int]:
    """The seeds of an experiment: its own, or the configuration's."""
    own = config.experiments[experiment].seeds
    return config.seeds if own is None else own


def check(config: Config) -> Config:
    """The configuration, if all its runs are valid and their data sets are there."""
    for run in runs(config):
        if run.settings.dataset not in config.datasets:
            raise NwsError(
                f"experiments.{run.experiment}: run {run.name} asks for the data set "
                f"{run.settings.dataset!r}{hint(run.settings.dataset, config.datasets)}; "
                f"datasets has: {', '.join(config.datasets)}"
            )
    return config


def _known(where: str, key: str) -> None:
    if key not in RunSettings.model_fields:
        raise NwsError(
            f"{where}.{key}: unknown key{hint(key, RunSettings.model_fields)}; "
            f"allowed: {', '.join(RunSettings.model_fields)}"
        )


def _points(where: str, experiment: Experiment) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Where each point of the grids is written, the name of its run, and its settings."""
    for label, grid in (("", experiment.grid), *experiment.grids.items()):
        place = f"{where}.grids.{label}" if label else f"{where}.grid"
        for key in grid:
            _known(place, key)
        named = [key for key, values in grid.items() if not label or len(values) > 1]
        for values in itertools.product(*grid.values()) if grid else ():
            point = dict(zip(grid, values, strict=True))
            yield place, _grid_name(place, label, {key: point[key] for key in named}), point


def _grid_name(where: str, label: str, point: Mapping[str, Any]) -> str:
    parts = [label] if label else []
    for key, value in point.items():
        coerced = getattr(validate(RunSettings, {key: value}, where), key)
        text = f"{coerced:g}" if isinstance(coerced, int | float) else str(coerced)
        parts.append(f"{SHORT.get(key, key + '-')}{text}")
    name = "_".join(parts)
    return validate(_GridName, {"name": name}, where).name


class _GridName(Strict):
    name: Name
