"""Result files in, data frames out.

What to expect comes from ``config.json``: every run and seed it asks for has an entry. A file that
is absent, cut short or unreadable gives an entry whose status says so, never a number. No
TensorFlow here: figures, tables and the report read through this module.
"""

import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nws import config as configuration
from nws.data.datasets import changed
from nws.errors import NwsError
from nws.files import npz, record
from nws.files.layout import data_file, run_folder
from nws.reporting.statistics import undisturbed_epoch

if TYPE_CHECKING:
    import pandas as pd

HISTORY = [
    "epoch",
    "step",
    "seconds",
    "train_loss",
    "valid_loss",
    "residual",
    "iterations",
    "exact_kl",
    "valid_loss_last",
    "ess",
    "gap",
]
UNDISTURBED = "undisturbed_seconds"  # training time as if no epoch had been disturbed
ACTIVE = "active_"  # and the number of a hidden layer, in the histories of runs that ask for it
SETTINGS = ["algorithm", "dataset", "learning_rate", "damping", "refresh", "solver"]
IDENTITY = ["experiment", "run", "seed", *SETTINGS]

# What the evaluation adds to a training's record.
SCORES = ("log_likelihood", "exact", "bihm", "evaluation_code", "evaluation_seconds")

REQUIRED = ["status", "epochs", "seconds", "seconds_per_epoch", "min_valid_loss"]
REQUIRED += ["settings", "seed"]  # what it was made of

MISSING, UNREADABLE, DIVERGED = "missing", "unreadable", "diverged"
STALE = "stale"  # not what the configuration asks for, or changed since it was made
DONE = ("finished", "converged")


@dataclass(frozen=True)
class Entry:
    """One run with one seed: its settings, where its files are, and what became of it.

    ``status``: finished, converged, diverged, missing, unreadable or stale; ``reason`` says why.
    A stale run is not what the configuration asks for: its numbers are shown nowhere.
    ``metrics``: ``metrics.json``, or the training's part of it where the evaluation has not run as
    it is asked for.
    """

    run: configuration.Run
    seed: int
    directory: Path
    status: str
    reason: str
    metrics: dict[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """Experiment, run, seed and the settings that tell runs apart."""
        settings = {key: getattr(self.run.settings, key) for key in SETTINGS}
        return {
            "experiment": self.run.experiment,
            "run": self.run.name,
            "seed": self.seed,
            **settings,
        }

    @property
    def trained(self) -> bool:
        """As it is asked for; that it diverged is a result too."""
        return self.status in (*DONE, DIVERGED)

    @property
    def scored(self) -> bool:
        """Trained and evaluated."""
        return self.trained and "evaluation_seconds" in self.metrics

    @property
    def label(self) -> str:
        """``experiment/run seed k``."""
        return f"{self.run.experiment}/{self.run.name} seed {self.seed}"


class Results:
    """The results of one scale, ``results/<scale>``, as a configuration asks for them.

    Without ``config``, as the one does that was used last: ``config.json``.
    """

    def __init__(self, root: Path | str, config: configuration.Config | None = None) -> None:
        self.root = Path(root)
        self._given = config
        self._entries: dict[str, list[Entry]] = {}
        self._histories: dict[str, pd.DataFrame] = {}
        self._compared: dict[str, str] = {}  # data sets with what would be made now

    @cached_property
    def config(self) -> configuration.Config:
        """What was asked for; NwsError where there is no ``config.json``."""
        if self._given is not None:
            return self._given
        path = self.root / "config.json"
        if not path.is_file():
            raise NwsError(
                f"{path}: not found; give the directory of a scale, such as results/quick, "
                "or write it with `nws plan --write`"
            )
        return configuration.resolve({"extends": None, **configuration.read(path)}, str(path))

    def runs(self, experiment: str) -> list[configuration.Run]:
        """The experiment's runs; none if the configuration does not have it."""
        found = self.config.experiments.get(experiment)
        return list(configuration.expand(experiment, found)) if found else []

    def entries(self, experiment: str) -> list[Entry]:
        """One per run and seed, in the order of the configuration."""
        if experiment not in self._entries:
            self._entries[experiment] = [
                self.entry(run, seed)
                for run in self.runs(experiment)
                for seed in configuration.seeds(self.config, experiment)
            ]
        return self._entries[experiment]

    def seeds_of(self, experiment: str, run: str) -> list[Entry]:
        """The entries of one run; none if the configuration does not have it."""
        return [entry for entry in self.entries(experiment) if entry.run.name == run]

    def all_entries(self) -> list[Entry]:
        """Those of every experiment."""
        return [entry for name in self.config.experiments for entry in self.entries(name)]

    def left(self) -> set[tuple[str, str, int]]:
        """What has no whole result as it is asked for: experiment, run and seed."""
        entries = self.all_entries()
        return {(e.run.experiment, e.run.name, e.seed) for e in entries if not e.scored}

    def metrics(self, experiment: str) -> list[dict[str, Any]]:
        """The content of each ``metrics.json`` with the run's identity, status and reason."""
        return [
            {**entry.metrics, **entry.identity, "status": entry.status, "reason": entry.reason}
            for entry in self.entries(experiment)
        ]

    def history(self, experiment: str) -> "pd.DataFrame":
        """Every epoch of every run and seed; one row without numbers where there is none.

        ``undisturbed_seconds``: the epoch times the seconds of an undisturbed one, which runs are
        compared by; ``seconds`` are those that were spent.
        """
        if experiment not in self._histories:
            self._histories[experiment] = self._read_histories(experiment)
        return self._histories[experiment]

    def seconds_per_epoch(self, entry: Entry) -> float:
        """Of an undisturbed epoch of a run and seed; nan without a history."""
        history = self.history(entry.run.experiment)
        own = history[(history["run"] == entry.run.name) & (history["seed"] == entry.seed)]
        return undisturbed_epoch(own["seconds"].to_numpy(float))

    def _read_histories(self, experiment: str) -> "pd.DataFrame":
        import pandas as pd

        frames: list[pd.DataFrame] = []
        for entry in self.entries(experiment):
            frame, status = self._history(entry)
            clock = frame["epoch"] * undisturbed_epoch(frame["seconds"].to_numpy(float))
            frames.append(frame.assign(**entry.identity, status=status, **{UNDISTURBED: clock}))
        active = sorted({name for frame in frames for name in activity(frame)})
        columns = [*HISTORY, UNDISTURBED, *active, *IDENTITY, "status"]
        frames = frames or [pd.DataFrame(columns=columns)]
        return pd.concat(frames, ignore_index=True)[columns]

    def samples(self, experiment: str, run: str, seed: int) -> dict[str, np.ndarray] | None:
        """The arrays of ``samples.npz``; None if it is absent, unreadable or stale."""
        for entry in self.seeds_of(experiment, run):
            if entry.seed == seed and entry.status in DONE and entry.scored:
                return read_npz(entry.directory / "samples.npz")
        return None

    def dataset(self, name: str) -> dict[str, Any]:
        """``data/<name>.json``; empty if absent or unreadable."""
        try:
            return read_json(data_file(self.root, name).with_suffix(".json"))
        except (NwsError, OSError):
            return {}

    def images(self, name: str) -> dict[str, np.ndarray] | None:
        """The arrays of ``data/<name>.npz``; None if it is absent or unreadable."""
        return read_npz(data_file(self.root, name))

    def entry(self, run: configuration.Run, seed: int) -> Entry:
        """What became of a run with a seed."""
        directory = run_folder(self.root, run.experiment, run.name, seed)
        content, unreadable = _first_readable(directory, "metrics.json", "training.json")
        if content is None:
            status = UNREADABLE if unreadable else MISSING
            return Entry(run, seed, directory, status, unreadable or "not run", {})
        if lacking := [key for key in REQUIRED if key not in content]:
            reason = f"its metrics lack {', '.join(lacking)}"
            return Entry(run, seed, directory, UNREADABLE, reason, {})
        if reason := self._stale(directory, content, run, seed):
            return Entry(run, seed, directory, STALE, reason, {})
        reason = str(content.get("reason") or "")
        other = record.otherwise_scored(content, run.settings.model_dump())
        if other := other or unreadable or record.damaged(directory):
            reason = "; ".join(filter(None, [reason, other]))
            content = {key: content[key] for key in content if key not in SCORES}
        return Entry(run, seed, directory, str(content["status"]), reason, content)

    def _stale(
        self, directory: Path, about: dict[str, Any], run: configuration.Run, seed: int
    ) -> str:
        """Why these files are not what the configuration asks for; empty if they are."""
        name = run.settings.dataset
        data = self.dataset(name)
        asked = record.record(run.settings.model_dump(), seed, data.get("sha256"))
        defaults = configuration.RunSettings().model_dump()
        if found := record.stale(directory, about, asked, defaults):
            return found
        prepared = data or about.get("dataset") or {}
        if "source" in prepared and (found := self._changed(name, prepared)):
            return f"its data set is not what is asked for ({found})"
        return ""

    def _changed(self, name: str, prepared: dict[str, Any]) -> str:
        """In what a data set is not what the configuration would make now; empty if it is."""
        asked = self.config.datasets[name]
        made = json.dumps([name, prepared.get("source"), prepared.get("origin")])
        if made not in self._compared:
            self._compared[made] = changed(prepared, asked, self.config.mnist_dir)
        return self._compared[made]

    def _history(self, entry: Entry) -> tuple["pd.DataFrame", str]:
        import pandas as pd

        nothing = pd.DataFrame({column: [np.nan] for column in HISTORY})
        if entry.status in (MISSING, UNREADABLE, STALE):
            return nothing, entry.status
        frame = read_history(entry.directory / "history.csv")
        if frame is None or frame.empty:
            return nothing, UNREADABLE
        # A diverged run stops before its last epoch; any other history must be complete.
        if entry.status in DONE and frame["epoch"].iloc[-1] != entry.metrics.get("epochs"):
            return frame, UNREADABLE
        return frame, entry.status


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, or an :class:`NwsError` that names the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise NwsError(f"{path}: is not readable JSON: {error}") from None
    if not isinstance(content, dict):
        raise NwsError(f"{path}: holds {type(content).__name__}, not an object")
    return content


def read_npz(path: Path) -> dict[str, np.ndarray] | None:
    """All arrays of a file; None if it is not there or not whole."""
    try:
        return npz.read_npz(path, path.name, npz.names(path, path.name))
    except NwsError:
        return None


def read_history(path: Path) -> "pd.DataFrame | None":
    """``history.csv``; a last line that was cut short is dropped, None if nothing can be read."""
    import pandas as pd

    try:
        text = path.read_text(encoding="utf-8")
        frame = pd.read_csv(io.StringIO(text[: text.rfind("\n") + 1]), dtype=float)
    except (OSError, ValueError):
        return None
    columns = [*HISTORY, *activity(frame)]
    return frame.reindex(columns=columns) if {"epoch", "train_loss"} <= set(frame) else None


def activity(frame: "pd.DataFrame") -> list[str]:
    """The columns of active units, one for each hidden layer."""
    return [str(column) for column in frame if str(column).startswith(ACTIVE)]


def _first_readable(directory: Path, *names: str) -> tuple[dict[str, Any] | None, str]:
    """The first file that is there and whole, and why those before it cannot be used."""
    unreadable = ""
    for name in names:
        path = directory / name
        if path.is_file():
            try:
                return read_json(path), unreadable
            except NwsError as error:
                unreadable = unreadable or str(error).replace(str(directory), directory.name)
    return None, unreadable
