"""Experiments expanded into runs, and what is found in a configuration by name."""

import itertools
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from nws.config.merging import merge
from nws.config.settings import (
    BUILT_IN,
    ENUMERABLE,
    Config,
    DatasetSettings,
    Experiment,
    Growth,
    Name,
    RunSettings,
    Schedule,
    Strict,
)
from nws.config.validation import hint, validate
from nws.errors import NwsError

log = logging.getLogger(__name__)


class Run(BaseModel):
    """One cell of an experiment: its name and its complete settings. Seeds repeat it."""

    model_config = ConfigDict(frozen=True)
    experiment: str
    name: str
    settings: RunSettings


LONGEST = 64  # characters of a name
NOT_OF_A_VAE = (
    "exact",
    "activity",
    "averaging",
    "samples_later",
    "freeze",
    "weight_decay",
    "coding",
)
STANDSTILL = (
    "with samples: 1, the baseline and no sleep phase, q never moves: the weight of a single "
    "sample is 1, and the baseline 1/S takes it away; give more samples, baseline: false, or, with "
    "RWS, q_wake below 1"
)
SHORT = {
    "learning_rate": "lr",
    "damping": "a",
    "refresh": "k",
    "samples": "s",
    "algorithm": "",
    "learning_rate_schedule": "lrs-",
}


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
        empty = [
            key
            for grid in (experiment.grid, *experiment.grids.values())
            for key in grid
            if not grid[key]
        ]
        why = (
            f"its grid has no value for {', '.join(empty)}"
            if empty
            else "has neither runs nor a grid"
        )
        raise NwsError(f"{where}: {why}; give at least one")
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
    settings = validate(RunSettings, content, where)
    if why := impossible(settings):
        raise NwsError(f"{where}.{why}")
    if standstill(settings):
        log.warning("%s: %s", where, STANDSTILL)
    return settings


def impossible(settings: RunSettings) -> str:
    """Why there can be no such run, beginning with the key; empty if there can."""
    if settings.exact and (units := sum(settings.layers)) > ENUMERABLE:
        return f"exact: {units} hidden units have 2^{units} states; at most {ENUMERABLE} units"
    if settings.algorithm != "vae":
        return ""
    if settings.optimizer != "adam":
        return f"optimizer: found {settings.optimizer!r}; a vae is trained with adam"
    for key in NOT_OF_A_VAE:
        if (value := getattr(settings, key)) != RunSettings.model_fields[key].default:
            return f"{key}: found {value!r}; a vae has no such thing: leave it off"
    return ""


def standstill(settings: RunSettings) -> bool:
    """Whether q never moves: of a single sample the weight is 1, the baseline 1/S."""
    awake = settings.samples > 1 or settings.samples_later or not settings.baseline
    asleep = settings.q_sleep if settings.q_sleep is not None else 1 - settings.q_wake
    learns = bool(awake or (settings.reweighted and asleep))
    return not learns and settings.plain in ("rws", "bihm")


def find_run(config: Config, experiment: str, name: str) -> Run:
    """The run ``experiment/name``; an error that lists what there is."""
    if experiment not in config.experiments:
        raise NwsError(
            f"no experiment {experiment!r}{hint(experiment, config.experiments)}; "
            f"available: {', '.join(config.experiments)}"
        )
    found = {run.name: run for run in expand(experiment, config.experiments[experiment])}
    if name not in found:
        raise NwsError(
            f"no run {name!r} in experiment {experiment!r}{hint(name, found)}; "
            f"available: {', '.join(found)}"
        )
    return found[name]


def find_dataset(config: Config, name: str) -> DatasetSettings:
    """The settings of a data set; an error that lists what there is."""
    if name not in config.datasets:
        raise NwsError(
            f"no data set {name!r}{hint(name, config.datasets)}; "
            f"available: {', '.join(config.datasets)}"
        )
    return config.datasets[name]


def check_source(name: str, settings: DatasetSettings) -> None:
    """NwsError where a data set's images are neither built in nor a file."""
    if settings.source not in BUILT_IN and settings.file is None:
        raise NwsError(
            f"datasets.{name}.source: found {settings.source!r}{hint(settings.source, BUILT_IN)}; "
            f"allowed: {', '.join(BUILT_IN)}, or the path of an .npz file"
        )


def seeds(config: Config, experiment: str) -> list[int]:
    """The seeds of an experiment: its own, or the configuration's."""
    own = config.experiments[experiment].seeds
    return config.seeds if own is None else own


def check(config: Config) -> Config:
    """The configuration, if all its runs are valid and their data sets are there.

    Warns of runs that cannot do what they are named for.
    """
    for name, dataset in config.datasets.items():
        check_source(name, dataset)
    for run in runs(config):
        if why := impossible(run.settings):
            raise NwsError(f"experiments.{run.experiment}.runs.{run.name}.{why}")
        if standstill(run.settings):
            log.warning("experiments.%s: run %s: %s", run.experiment, run.name, STANDSTILL)
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
            varied = {key: point[key] for key in named}
            yield place, _grid_name(place, label, varied, experiment.settings), point


def _grid_name(where: str, label: str, point: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    parts = [label] if label else []
    for key, value in point.items():
        one = merge({k: v for k, v in shared.items() if k == key}, {key: value})
        valid = getattr(validate(RunSettings, one, where), key)
        if isinstance(valid, BaseModel) and not isinstance(valid, Schedule | Growth):
            raise NwsError(
                f"{where}.{key}: found {value!r}, by which no run can be named; name the runs "
                "under runs"
            )
        text = _text(valid)
        parts.append(f"{SHORT.get(key, key + '-')}{text}")
    name = "_".join(parts)
    if len(name) > LONGEST:
        raise NwsError(
            f"{where}: {name!r}, the name of a run, has {len(name)} characters; at most {LONGEST} "
            "are allowed: put keys of one value under settings, or name the runs under runs"
        )
    return validate(_GridName, {"name": name}, where).name


def _text(value: Any) -> str:
    """A value as a part of a name: layers as 100-50, a schedule as linear-0.1, growth as 8-50."""
    if isinstance(value, list):
        return "-".join(map(_text, value))
    if isinstance(value, Schedule):
        return value.kind if value.kind == "constant" else f"{value.kind}-{_text(value.end)}"
    if isinstance(value, Growth):
        return f"{value.after}-{value.samples}"
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}".replace("+", "")  # 1e+06: no sign is allowed in a name
    return str(int(value)) if isinstance(value, int) else str(value)


class _GridName(Strict):
    name: Name
