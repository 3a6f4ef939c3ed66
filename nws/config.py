"""Configuration: what each key means, its default, and the errors for what is not allowed.

A configuration is a YAML (or JSON) mapping. It *extends* another one (``extends: paper``, the
default) and changes some of its keys: mappings are merged key by key, everything else is replaced.
An experiment is a name with ``settings`` shared by its runs; ``runs`` names single runs and
``grid`` spans a product of values. Keys not given take the defaults written here, which are the
paper's (or, where the paper is silent, its authors' code's).
"""

import difflib
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from nws.errors import NwsError
from nws.files.whole import write_text

SCALES = Path(__file__).resolve().parent.parent / "config"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
M = TypeVar("M", bound=BaseModel)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) != len(seeds):
        raise ValueError("seeds must differ from each other")
    return seeds


Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(_distinct)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Schedule(Strict):
    """How a value changes over the training: constant, or from its start to ``end`` times it."""

    kind: Literal["constant", "linear", "exponential"] = Field(
        "constant", description="how the value changes, step by step, over the epochs"
    )
    end: Positive = Field(0.1, description="final value as a fraction of the initial one")


class DatasetSettings(Strict):
    """A data set: where its images come from and how they become binary."""

    source: str = Field(
        description="mnist, minimnist (14x14 by 2x2 mean pooling), 3by3, or the path of an .npz "
        "with images in [0, 1] (array `images`, or `train`, `valid`, `test`)"
    )
    binarization: Literal["round", "static", "stochastic"] = Field(
        "round",
        description="round at 0.5 (the paper's B), static: each pixel drawn once, "
        "stochastic: redrawn at every step (BSt)",
    )
    train: Count | None = Field(None, description="images to train on; null: all (MNIST: 50,000)")
    valid: Count | None = Field(None, description="validation images; null: all (MNIST: 10,000)")
    test: Count | None = Field(None, description="test images; null: all (MNIST: 10,000)")
    seed: int = Field(0, ge=0, description="seed of the static draw and of the evaluation draws")


class RunSettings(Strict):
    """One training run. The symbols are the paper's: S, K, α, η."""

    dataset: Name = Field("minimnist_b", description="a name under `datasets`")
    layers: list[Count] = Field(
        [100, 50, 20, 10, 10], min_length=1, description="hidden layer sizes, top last"
    )
    algorithm: Literal["ws", "rws", "nws", "nrws"] = Field(
        "nrws", description="wake-sleep, reweighted wake-sleep, and the natural gradient of either"
    )
    epochs: Count = Field(500, description="epochs to train, at most")
    patience: Count | None = Field(
        None, description="stop after so many epochs without a better validation loss; null: never"
    )
    batch: Count = Field(32, description="images per step (B)")
    samples: Count = Field(10, description="samples of q(h|x) per image (S)")
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="what turns gradients into steps")
    adam_beta1: float = Field(0.9, ge=0, lt=1, description="decay of Adam's mean")
    adam_beta2: float = Field(0.999, ge=0, lt=1, description="decay of Adam's second moment")
    adam_epsilon: Positive = Field(1e-8, description="Adam's ε")
    learning_rate: float = Field(0.002, ge=0, allow_inf_nan=False, description="η")
    learning_rate_schedule: Schedule = Field(
        Schedule(), description="how η changes over the training"
    )
    damping: Positive = Field(0.05, description="α of Eq. 16 (natural algorithms)")
    damping_schedule: Schedule = Field(Schedule(), description="how α changes over the training")
    refresh: int = Field(50, ge=0, description="K: steps between refreshes of the Fisher; 0 is 1")
    solver: Literal["auto", "cholesky", "woodbury", "cg"] = Field(
        "auto", description="how the damped Fisher is solved; auto: the cheapest for each layer"
    )
    cg_tolerance: Positive = Field(1e-2, description="relative residual at which cg stops")
    cg_iterations: Count = Field(100, description="iterations of cg, at most")
    baseline: bool = Field(True, description="subtract 1/S from the weights of q-wake")
    q_wake: float = Field(
        0.5, ge=0, le=1, description="weight of q-wake in the q update; q-sleep gets the rest"
    )
    gradient_convention: Literal["argo", "canonical"] = Field(
        "argo", description="argo: h - E[h] on ±1 units, twice the canonical derivative"
    )
    clip: float = Field(1e-3, gt=0, lt=0.5, description="probabilities are kept in [c, 1-c]")
    initial_bias: float = Field(
        0.1, allow_inf_nan=False, description="of every unit, the prior's too"
    )
    coding: Literal["pm1", "01"] = Field("pm1", description="values of a unit: ±1 or {0,1}")
    evaluation_batch: Count = Field(100, description="images per evaluation block")
    likelihood_samples: int = Field(
        10_000, ge=0, description="importance samples per image after training; 0: no estimate"
    )
    likelihood_images: Annotated[int, Field(ge=2)] | None = Field(
        None, description="test (and validation) images scored; null: all"
    )
    exact: bool = Field(False, description="also the exact log p(x) and KL, by enumeration")

    @property
    def natural(self) -> bool:
        return self.algorithm in ("nws", "nrws")

    @property
    def reweighted(self) -> bool:
        return self.algorithm in ("rws", "nrws")


class Experiment(Strict):
    """Runs that belong together: single ones by name, and a grid of values."""

    settings: dict[str, Any] = Field({}, description="what all runs of the experiment share")
    runs: dict[Name, dict[str, Any]] = Field({}, description="name: settings of a single run")
    grid: dict[str, list[Any]] = Field({}, description="key: values; one run per combination")
    seeds: Seeds | None = Field(None, description="seeds, if not the configuration's")
    share: Count = Field(1, description="short runs trained one after the other in one process")
    threads: Count = Field(2, description="CPU threads of one training process")


class Config(Strict):
    """Everything a scale fixes."""

    extends: str | None = Field(
        None, description="configuration this one changes: paper, quick, smoke, or a path"
    )
    scale: Name = Field("paper", description="results go to results/<scale>")
    seeds: Seeds = Field([0], description="one repetition of every run per seed")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="auto: a GPU when there is one; gpu: fail without one"
    )
    mnist_dir: str | None = Field(
        None, description="directory holding the four MNIST files (also: $NWS_MNIST_DIR)"
    )
    datasets: dict[Name, DatasetSettings] = Field(
        min_length=1, description="name: settings of a data set"
    )
    experiments: dict[Name, Experiment] = Field(
        min_length=1, description="name: runs that belong together"
    )

    @model_validator(mode="after")
    def _runs_are_valid(self) -> "Config":
        for name, experiment in self.experiments.items():
            for run in expand(name, experiment):
                if run.settings.dataset not in self.datasets:
                    raise NwsError(
                        f"experiments.{name}: run {run.name} asks for the data set "
                        f"{run.settings.dataset!r}{_hint(run.settings.dataset, self.datasets)}; "
                        f"datasets has: {', '.join(self.datasets)}"
                    )
        return self


class Run(BaseModel):
    """One cell of an experiment: its name and its complete settings. Seeds repeat it."""

    model_config = ConfigDict(frozen=True)
    experiment: str
    name: str
    settings: RunSettings


SHORT = {"learning_rate": "lr", "damping": "a", "refresh": "k", "samples": "s", "algorithm": ""}


def expand(name: str, experiment: Experiment) -> Iterator[Run]:
    """The experiment's named runs, then its grid, in the order of the file."""
    where = f"experiments.{name}"
    cells = dict(experiment.runs)
    for part in ("settings", "grid"):
        for key in getattr(experiment, part):
            _known(f"{where}.{part}", key)
    for values in itertools.product(*experiment.grid.values()) if experiment.grid else ():
        point = dict(zip(experiment.grid, values, strict=True))
        run = _grid_name(f"{where}.grid", point)
        if run in cells:
            raise NwsError(f"{where}.grid: two runs are called {run!r}; give different values")
        cells[run] = point
    if not cells:
        raise NwsError(f"{where}: has neither runs nor a grid; give at least one")
    for run, overrides in cells.items():
        settings = merge(experiment.settings, overrides)
        yield Run(
            experiment=name,
            name=run,
            settings=_validate(RunSettings, settings, f"{where}.runs.{run}"),
        )


def runs(config: Config) -> list[Run]:
    """Every run of every experiment."""
    return [run for name, exp in config.experiments.items() for run in expand(name, exp)]


def run_settings(content: Mapping[str, Any], where: str = "settings") -> RunSettings:
    """The settings of a run from some of its keys; the others take their defaults."""
    return _validate(RunSettings, content, where)


def find_run(config: Config, experiment: str, name: str) -> Run:
    """The run ``experiment/name``; an error that lists what there is."""
    if experiment not in config.experiments:
        raise NwsError(
            f"no experiment {experiment!r}{_hint(experiment, config.experiments)}; "
            f"there is: {', '.join(config.experiments)}"
        )
    found = {run.name: run for run in expand(experiment, config.experiments[experiment])}
    if name not in found:
        raise NwsError(
            f"no run {name!r} in experiment {experiment!r}{_hint(name, found)}; "
            f"there is: {', '.join(found)}"
        )
    return found[name]


def find_dataset(config: Config, name: str) -> DatasetSettings:
    """The settings of a data set; an error that lists what there is."""
    if name not in config.datasets:
        raise NwsError(
            f"no data set {name!r}{_hint(name, config.datasets)}; "
            f"there is: {', '.join(config.datasets)}"
        )
    return config.datasets[name]


def seeds(config: Config, experiment: str) -> list[int]:
    """The seeds of an experiment: its own, or the configuration's."""
    own = config.experiments[experiment].seeds
    return config.seeds if own is None else own


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """``top`` over ``base``: mappings key by key, everything else replaced."""
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        merged[key] = (
            merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def read(path: Path) -> dict[str, Any]:
    """One configuration file, as written."""
    # JSON is YAML too, but YAML reads JSON's 1e-06 as text.
    kind, parse = ("JSON", json.loads) if path.suffix == ".json" else ("YAML", yaml.safe_load)
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NwsError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise NwsError(f"{path}: is not {kind}: {error}") from None
    if not isinstance(content, dict):
        raise NwsError(f"{path}: holds {type(content).__name__}, not a mapping of keys")
    return content


def resolve(config: Mapping[str, Any], where: str = "configuration") -> Config:
    """Follow ``extends`` (``paper`` unless said otherwise; null: nothing) and validate."""
    seen: list[str] = []
    below: dict[str, Any] = {}
    content = dict(config)
    parent = content.pop("extends", "paper")
    while parent is not None:
        if not isinstance(parent, str):
            raise NwsError(f"{where}.extends: found {parent!r}; give a name or a path, or null")
        if parent in seen:
            raise NwsError(f"{where}: extends goes in a circle: {' -> '.join([*seen, parent])}")
        seen.append(parent)
        base = read(_scale_file(parent, where))
        parent = base.pop("extends", None if parent == "paper" else "paper")
        content, below = merge(base, content), merge(base, below)
    _remove(content, below)
    return _validate(Config, {**content, "extends": None}, where)


def _remove(content: dict[str, Any], below: Mapping[str, Any]) -> None:
    """Take away the data sets, experiments and runs of ``below`` that are set to null on top."""
    for part in ("datasets", "experiments", "runs"):
        own, old = content.get(part), below.get(part)
        if isinstance(own, Mapping) and isinstance(old, Mapping):
            content[part] = {k: v for k, v in own.items() if v is not None or k not in old}
            for name, value in content[part].items():
                if isinstance(value, dict) and isinstance(old.get(name), Mapping):
                    _remove(value, old[name])


def load(path: Path | None = None) -> Config:
    """The configuration in a file; the paper's if none is given."""
    return resolve(read(path) if path else {}, str(path) if path else "configuration")


def dump(config: Config) -> str:
    """JSON that :func:`load` reads back to an equal configuration."""
    return json.dumps(config.model_dump(), indent=1) + "\n"


def write(config: Config, root: Path) -> Path:
    """``config.json`` in the results folder, where every later step reads it."""
    path = root / "config.json"
    content = dump(config)
    if not path.is_file() or path.read_text(encoding="utf-8") != content:
        write_text(path, content)
    return path


def _scale_file(name: str, where: str) -> Path:
    known = sorted(path.stem for path in SCALES.glob("*.yaml"))
    for path in (SCALES / f"{name}.yaml", Path(name)):
        if path.is_file():
            return path
    raise NwsError(
        f"{where}: extends {name!r}{_hint(name, known)}; allowed: {', '.join(known)} or a path"
    )


def _known(where: str, key: str) -> None:
    if key not in RunSettings.model_fields:
        raise NwsError(
            f"{where}.{key}: unknown key{_hint(key, RunSettings.model_fields)}; "
            f"allowed: {', '.join(RunSettings.model_fields)}"
        )


def _grid_name(where: str, point: Mapping[str, Any]) -> str:
    parts = []
    for key, value in point.items():
        coerced = getattr(_validate(RunSettings, {key: value}, where), key)
        text = f"{coerced:g}" if isinstance(coerced, int | float) else str(coerced)
        parts.append(f"{SHORT.get(key, key + '-')}{text}")
    name = "_".join(parts)
    return _validate(_GridName, {"name": name}, where).name


class _GridName(Strict):
    name: Name


def _hint(word: str, known: Any) -> str:
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _validate(model: type[M], content: Mapping[str, Any], where: str) -> M:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise NwsError("\n".join(_explain(e, model, where) for e in error.errors())) from None


def _explain(error: Any, model: type[BaseModel], where: str) -> str:
    path = ".".join([where, *(str(part) for part in error["loc"])])
    if error["type"] == "extra_forbidden":
        fields = _fields_at(model, error["loc"][:-1])
        hint = _hint(error["loc"][-1], fields)
        return f"{path}: unknown key{hint}; allowed: {', '.join(fields)}"
    if error["type"] == "missing":
        return f"{path}: is missing"
    return f"{path}: found {error['input']!r}; {error['msg']}"


def _fields_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Field names of the model found by walking ``loc`` (names of mapping entries are skipped)."""
    current = model
    for part in loc:
        field = current.model_fields.get(str(part))
        if field is None:
            continue
        for candidate in (Schedule, DatasetSettings, Experiment, RunSettings):
            if candidate.__name__ in str(field.annotation):
                current = candidate
    return list(current.model_fields)
