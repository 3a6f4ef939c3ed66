"""No result under a wrong label: whatever changes at any point of a workflow, a number that is
shown beside settings, a seed and images is of these settings, this seed and these images.

Trainings are not done here: a stand-in leaves one number that depends on all a run is made of, and
the score is another. So every number tells what it is of.
"""

import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from nws import cli
from nws import config as cfg
from nws.cli import work
from nws.config import Config, Run, RunSettings
from nws.data import datasets
from nws.evaluation import jobs as evaluation
from nws.files import code as code_module
from nws.files.record import SCORING
from nws.models.parameters import initial
from nws.reporting import tables
from nws.reporting.page import report
from nws.reporting.page.provenance import commits
from nws.reporting.results import DONE, Results
from nws.training import jobs as training
from nws.training.checkpoint import Progress
from nws.training.history import Row
from nws.training.run import Outcome

PAGE = jinja2.DictLoader({"report.html.j2": "a page"})
CODES = ("one", "two")
SEEDS = (0, 1)
RUNS = ("ws_b", "rws_b")
CELLS = [(run, seed) for run in RUNS for seed in SEEDS]
FILES = ("history.csv", "model.npz", "training.json", "metrics.json", "samples.npz")


def number(settings: RunSettings, seed: int, train: np.ndarray) -> float:
    """What a training leaves: one number for all that it depends on."""
    made_of = settings.model_dump_json(exclude=set(SCORING)) + str(seed)
    return 1 + zlib.crc32(made_of.encode() + np.ascontiguousarray(train).tobytes()) % 99991 / 8


def stand_in(run: Run, seed: int, data: datasets.Dataset, *_: Any) -> Outcome:
    value = number(run.settings, seed, data.train)
    rows = tuple(Row(e, e, 1.0 * e, value, value) for e in range(1, run.settings.epochs + 1))
    params = initial([data.train.shape[1], *run.settings.layers], 0)
    params = params._replace(prior=tf.fill(params.prior.shape, value))
    progress = Progress(epoch=len(rows), seconds=1.0, rows=rows)
    return Outcome(params, "finished", "", progress)


def scored(params: Any, settings: RunSettings, *_: Any) -> dict[str, dict[str, float]]:
    value = float(np.asarray(params.prior).flat[0])
    mean = score(value, settings)
    return {
        split: {"mean": mean, "standard_error": 1.0, "samples": settings.likelihood_samples}
        for split in ("test", "valid")
    }


def score(value: float, settings: RunSettings) -> float:
    return -value - settings.likelihood_samples / 64


def write_samples(path: Path, params: Any, *_: Any) -> None:
    np.savez(path, samples=np.asarray(params.prior))


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Stand-ins for what takes long; all that records, checks and reads is real."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NWS_MNIST_DIR", raising=False)
        patch.setattr(work, "_configure", lambda *_: None)
        patch.setattr(training, "_fit", stand_in)
        patch.setattr(evaluation, "likelihoods", scored)
        patch.setattr(evaluation, "_write_samples", write_samples)
        yield


def images(variant: int) -> np.ndarray:
    return np.random.default_rng(variant).integers(0, 2, (60, 4), dtype=np.uint8)


class World:
    """A folder with the user's images, a configuration and results, and all one can do to them."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.root, self.file = folder / "results", folder / "mine.json"
        self.source = folder / "letters.npz"
        self.content: dict[str, Any] = {
            "extends": None,
            "scale": "tiny",
            "seeds": list(SEEDS),
            "datasets": {"minimnist_b": {"source": str(self.source)}},
            "experiments": {
                "minimnist": {
                    "settings": {"layers": [2], "epochs": 2, "likelihood_samples": 5},
                    "runs": {name: {"algorithm": name.split("_")[0]} for name in RUNS},
                }
            },
        }
        self.put_images(0)
        self.configure()

    def put_images(self, variant: int) -> None:
        """Under the same name, of the same size, and as old as those before."""
        np.savez(self.source, images=images(variant))
        os.utime(self.source, (1e9, 1e9))

    def configure(self, **changes: Any) -> None:
        self.content["experiments"]["minimnist"]["settings"] |= changes
        self.file.write_text(json.dumps(self.content))

    def use(self, train: int | None) -> None:
        self.content["datasets"]["minimnist_b"]["train"] = train
        self.configure()

    def command(self, *words: str) -> int:
        return cli.main([*words, "--config", str(self.file), "--results", str(self.root)])

    def folder(self, run: str, seed: int) -> Path:
        return self.root / "runs" / "minimnist" / run / f"seed{seed}"

    @property
    def config(self) -> Config:
        return cfg.load(self.file)

    @property
    def results(self) -> Results:
        return Results(self.root, self.config)

    def wrong(self) -> list[str]:
        """Every number that is shown for a run and not its own."""
        data, _ = datasets.build("minimnist_b", self.config.datasets["minimnist_b"])
        results, found = self.results, []
        history = results.history("minimnist")
        for entry in results.entries("minimnist"):
            value = number(entry.run.settings, entry.seed, data.train)
            own = history[(history["run"] == entry.run.name) & (history["seed"] == entry.seed)]
            shown = {*own["train_loss"].dropna(), *own["valid_loss"].dropna()}
            about = entry.metrics if entry.status in DONE else {}
            shown |= {about.get("final_valid_loss", value)}
            if not shown <= {value}:
                found.append(f"{entry.label}: shows {shown}, not {value}")
            mean = ((about.get("log_likelihood") or {}).get("test") or {}).get("mean")
            if mean not in (None, score(value, entry.run.settings)):
                found.append(f"{entry.label}: the score {mean}")
        return found + self._wrong_cells(data.train)

    def _wrong_cells(self, train: np.ndarray) -> list[str]:
        runs = cfg.runs(self.config)
        rows = tables.data("table1", self.results).to_dict("records")
        found = []
        for run, row in zip(runs, rows, strict=True):
            right = {f"{score(number(run.settings, s, train), run.settings):.4f}" for s in SEEDS}
            if not {*row["ll_test_seeds"].split()} <= right:
                found.append(f"table1, {run.name}: {row['ll_test_seeds']}, not of {right}")
        return found


class Workflow(RuleBasedStateMachine):
    """Any commands in any order, and anything changed between them."""

    base = Path()

    @initialize()
    def begin(self) -> None:
        self.world = World(self.base / "world")
        self.world.command("train", "minimnist", "--evaluate")
        self.kept: Path | None = None

    @rule(rate=st.sampled_from([0.01, 0.02]), epochs=st.sampled_from([1, 2]))
    def other_settings(self, rate: float, epochs: int) -> None:
        self.world.configure(learning_rate=rate, epochs=epochs)

    @rule(samples=st.sampled_from([5, 6]))
    def other_scoring(self, samples: int) -> None:
        self.world.configure(likelihood_samples=samples)

    @rule(variant=st.sampled_from([0, 1]))
    def other_images(self, variant: int) -> None:
        self.world.put_images(variant)

    @rule(train=st.sampled_from([None, 20]))
    def fewer_images(self, train: int | None) -> None:
        self.world.use(train)

    @rule(
        cell=st.sampled_from(CELLS),
        other=st.sampled_from(CELLS),
        names=st.sets(st.sampled_from([*FILES, "manifest.json"]), min_size=1),
    )
    def files_of_another_run(self, cell: Any, other: Any, names: set[str]) -> None:
        for name in names:
            source = self.world.folder(*other) / name
            if source.is_file() and cell != other:
                shutil.copyfile(source, self.world.folder(*cell) / name)

    @rule(cell=st.sampled_from(CELLS), name=st.sampled_from(FILES))
    def lost(self, cell: Any, name: str) -> None:
        (self.world.folder(*cell) / name).unlink(missing_ok=True)

    @rule(cell=st.sampled_from(CELLS), what=st.sampled_from(["history", "mean", "loss"]))
    def edited(self, cell: Any, what: str) -> None:
        name = "history.csv" if what == "history" else "metrics.json"
        number = {
            "history": r"(?<=,)\d+\.\d+(?=,)",
            "mean": r'(?<="mean": )[-\d.]+',
            "loss": r'(?<="final_valid_loss": )[\d.]+',
        }[what]
        path = self.world.folder(*cell) / name
        if path.is_file():
            path.write_text(re.sub(number, "7.5", path.read_text()))

    @rule()
    def keep(self) -> None:
        self.kept = self.base / "kept"
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.world.root / "runs", self.kept)

    @rule()
    def put_back(self) -> None:
        if self.kept:
            shutil.copytree(self.kept, self.world.root / "runs", dirs_exist_ok=True)

    @rule()
    def data_lost(self) -> None:
        shutil.rmtree(self.world.root / "data", ignore_errors=True)

    @rule()
    def prepare(self) -> None:
        self.world.command("prepare")

    @rule(name=st.sampled_from(RUNS))
    def train(self, name: str) -> None:
        self.world.command("train", f"minimnist/{name}")

    @rule(name=st.sampled_from(RUNS))
    def evaluate(self, name: str) -> None:
        self.world.command("evaluate", f"minimnist/{name}")

    @rule(code=st.sampled_from(CODES))
    def all_again(self, code: str) -> None:
        """Nothing that happened keeps the next whole training from being shown, and its code."""
        with pytest.MonkeyPatch.context() as patch:
            for module in (training, code_module):
                patch.setattr(module, "source_hash", lambda of: code)
            assert self.world.command("train", "minimnist", "--evaluate") == 0
        found = self.world.results.entries("minimnist")
        assert [entry.status for entry in found] == ["finished"] * len(CELLS)
        assert {entry.metrics["code"] for entry in found} == {code}

    @invariant()
    def every_number_is_that_of_its_label(self) -> None:
        assert self.world.wrong() == []


def test_whatever_changes_no_number_is_under_a_wrong_label(tmp_path: Path) -> None:
    run_state_machine_as_test(
        type("Here", (Workflow,), {"base": tmp_path}),
        settings=settings(
            max_examples=15,
            stateful_step_count=10,
            deadline=None,
            phases=[Phase.generate],  # ten steps can be read as they are
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world")
    assert made.command("train", "minimnist", "--evaluate") == 0
    return made


def test_what_is_trained_and_scored_is_kept(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command does what is missing, and nothing else; --again does all of it."""
    folder = world.root / "runs" / "minimnist" / "ws_b" / "seed0"
    capsys.readouterr()

    def made() -> dict[Path, int]:
        files = sorted(world.root.glob("runs/*/*/*/*.npz"))
        return {path: path.stat().st_mtime_ns for path in files}

    def changed() -> set[str]:
        return {path.name for path, when in made().items() if when != before[path]}

    before = made()
    assert world.command("train", "minimnist") == 0
    assert world.command("train", "minimnist", "--evaluate") == 0
    assert changed() == set()
    assert (
        "minimnist/ws_b seed 0: already trained; --again trains it again" in capsys.readouterr().err
    )
    assert world.command("train", "minimnist/ws_b", "--again") == 0
    trained = (folder / "model.npz").stat().st_mtime_ns
    assert not (folder / "metrics.json").exists()
    assert world.command("train", "minimnist", "--evaluate") == 0
    assert (folder / "model.npz").stat().st_mtime_ns == trained
    assert (folder / "metrics.json").exists()
    (folder / "samples.npz").write_bytes(b"cut short")  # a score is made again, no training
    assert world.command("train", "minimnist", "--evaluate") == 0
    assert (folder / "model.npz").stat().st_mtime_ns == trained
    assert (folder / "samples.npz").read_bytes() != b"cut short"
    (folder / "model.npz").write_bytes(b"cut short")
    assert world.command("train", "minimnist") == 0
    assert not (folder / "metrics.json").exists()
    assert world.command("train", "minimnist", "--evaluate", "--again") == 0
    assert all(made()[path] != when for path, when in before.items())
    assert reasons(world) == {"finished: "}


def reasons(world: World) -> set[str]:
    return {f"{e.status}: {e.reason}" for e in world.results.entries("minimnist")}


def test_images_overwritten_under_their_name(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command trains on the new ones; until then the report shows none of the old."""
    assert world.wrong() == []
    world.put_images(1)
    assert all("its data set is not what is asked for" in text for text in reasons(world))
    assert world.command("evaluate", "minimnist") == 2
    assert "is not what the configuration asks for now" in capsys.readouterr().err
    assert world.command("train", "minimnist", "--evaluate") == 0
    assert "letters" in world.source.name
    assert "prepared again: content:" in capsys.readouterr().err
    assert reasons(world) == {"finished: "}
    assert world.wrong() == []


def test_a_job_trains_what_it_was_scheduled_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command writes another configuration to the results in the meantime."""
    scheduled = world.config
    world.configure(learning_rate=0.3)
    cfg.write(world.config, world.root)
    monkeypatch.setenv(cfg.carried("tiny"), cfg.pack(scheduled))
    root = world.root.rename(world.root.with_name("tiny"))
    assert cli.main(["train", "minimnist/ws_b", "--results", str(root)]) == 0
    made = json.loads((root / "runs/minimnist/ws_b/seed0/training.json").read_text())
    assert made["settings"]["learning_rate"] == 0.002


def test_old_results_under_new_settings(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Shown nowhere, and said why: run, key, both values. Scoring them is refused."""
    world.configure(learning_rate=0.3)
    assert all("learning_rate: 0.002 → 0.3" in text for text in reasons(world))
    row = tables.data("table1", world.results).iloc[0]
    assert (row["status"], row["seeds"], row["ll_test_seeds"]) == ("stale", 0, "")
    before = (world.folder("ws_b", 0) / "metrics.json").read_bytes()
    assert world.command("evaluate", "minimnist") == 2
    assert "learning_rate: 0.002 → 0.3" in capsys.readouterr().err
    assert (world.folder("ws_b", 0) / "metrics.json").read_bytes() == before


def test_a_report_is_beside_its_configuration(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page links to config.json, where another command may have left its own."""
    asked = world.config
    world.configure(learning_rate=0.3)
    cfg.write(world.config, world.root)
    monkeypatch.setattr(report, "content", lambda *_: {})
    monkeypatch.setattr(report, "environment", lambda: jinja2.Environment(loader=PAGE))
    report.make(Results(world.root, asked))
    assert cfg.load(world.root / "config.json") == asked


def test_a_score_of_other_settings(world: World) -> None:
    world.configure(likelihood_samples=6)
    assert all("likelihood_samples: 5 → 6" in text for text in reasons(world))
    assert world.command("evaluate", "minimnist") == 0
    assert reasons(world) == {"finished: "}


def test_a_score_of_another_training(world: World) -> None:
    """Its record is as asked for, but the history beside it is of another run; no manifests."""
    scores = {path: path.read_bytes() for path in world.root.glob("runs/*/*/*/metrics.json")}
    world.configure(learning_rate=0.3)
    assert world.command("train", "minimnist") == 0
    for path, content in scores.items():
        path.write_bytes(content)
        (path.parent / "manifest.json").unlink()
    world.configure(learning_rate=0.002)
    assert [text for text in reasons(world) if "score is of another training" not in text] == []


def test_a_data_set_of_other_settings_that_is_gone(world: World) -> None:
    """A run says itself what its images were: the prepared ones may be lost."""
    shutil.rmtree(world.root / "data")
    world.use(20)
    assert all("train: None → 20" in text for text in reasons(world))


def test_another_code_is_told_and_no_reason_to_refuse(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (training, code_module):
        monkeypatch.setattr(module, "source_hash", lambda of: "another")
    assert world.command("train", "minimnist/ws_b", "--evaluate") == 0
    assert reasons(world) == {"finished: "}
    counts = {code: count for _, _, code, count in commits(world.results.all_entries())}
    assert counts["another"] == 2
    assert sum(counts.values()) == 4
