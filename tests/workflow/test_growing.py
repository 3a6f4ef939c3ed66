"""The reference run grows: what is finished is taken, by content, and the rest is trained."""

import json
import shutil
from pathlib import Path
from threading import Barrier
from time import sleep
from types import ModuleType

import numpy as np
import pytest
import yaml
from fake_results import SMALL, write

from nws import config as configuration
from nws.files.code import source_hash
from nws.reporting.results import Results

ROOT = Path(__file__).resolve().parents[2]
ASKED = {
    **SMALL,
    "seeds": [0, 1],
    "experiments": {
        name: SMALL["experiments"][name] for name in ("grid_minimnist", "minimnist", "damping")
    },
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import reference

    return reference


def changed(**settings: int) -> configuration.Config:
    """The configuration with other settings of the miniMNIST runs."""
    old = ASKED["experiments"]["minimnist"]
    new = {**old, "settings": {**old["settings"], **settings}}
    return configuration.resolve(
        {**ASKED, "experiments": {**ASKED["experiments"], "minimnist": new}}
    )


def test_all_is_to_do_in_the_order_of_the_paper_and_seed_by_seed(tool, tmp_path: Path) -> None:
    cells = list(tool.todo(changed(), tmp_path))
    names = [(cell.runs[0].split("/")[0], cell.seed) for cell in cells]
    order = [("minimnist", 0), ("minimnist", 1), ("damping", 0), ("grid_minimnist", 0)]
    assert list(dict.fromkeys(names)) == order
    assert {cell.command for cell in cells} == {"train"}


def test_some_experiments_may_be_asked_for_alone(tool, tmp_path: Path) -> None:
    cells = tool.todo(changed(), tmp_path, ["grid_minimnist", "damping", "damping"])
    cells = list(cells)
    assert len({(*cell.runs, cell.seed) for cell in cells}) == len(cells)
    names = [cell.runs[0].split("/")[0] for cell in cells]
    assert list(dict.fromkeys(names)) == ["grid_minimnist", "damping"]


@pytest.fixture
def cells(tool, monkeypatch: pytest.MonkeyPatch) -> list:
    """What is to do, in the place of what :func:`tool.todo` finds."""
    found = [tool.Cell("train", [f"a/{i}"], 0) for i in range(4)]
    found.insert(1, tool.Cell("evaluate", ["alone/0"], 0, alone=True))
    monkeypatch.setattr(tool, "todo", lambda *args: iter(found))
    return found


def test_trainings_run_side_by_side_but_for_those_alone(
    tool, tmp_path: Path, cells: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, under_way, told = Barrier(2, timeout=30), set(), []

    def nws(file: Path, root: Path, *words: str) -> None:
        run = words[1]
        under_way.add(run)
        if run != "alone/0":
            pair.wait()  # until another is under way
        told.append((words, len(under_way)))
        under_way.remove(run)

    monkeypatch.setattr(tool, "_nws", nws)
    tool.train(changed(), tmp_path / "file", tmp_path, jobs=2)
    assert {words[1] for words, _ in told} == {cell.runs[0] for cell in cells}
    last = ("evaluate", "alone/0", "--seed", "0")
    assert told[-1] == (last, 1)
    assert all(words[-1] == "--evaluate" for words, _ in told[:-1])


def test_after_one_that_fails_no_other_is_begun(
    tool, tmp_path: Path, cells: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def nws(file: Path, root: Path, *words: str) -> None:
        begun.append(words[1])
        if words[1] == "a/1":
            raise SystemExit(3)
        sleep(0.2)

    monkeypatch.setattr(tool, "_nws", nws)
    with pytest.raises(SystemExit, match="3"):
        tool.train(changed(), tmp_path / "file", tmp_path)
    assert begun[:2] == ["a/0", "a/1"]
    assert "a/3" not in begun
    assert "alone/0" not in begun


@pytest.mark.parametrize(
    ("words", "said"),
    [(["minst"], "found 'minst'; experiments: minimnist"), (["--jobs", "0"], "1")],
)
def test_words_it_does_not_know_are_refused(
    tool, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("sys.argv", ["reference.py", *words])
    with pytest.raises(SystemExit, match="2"):
        tool.main()
    assert said in capsys.readouterr().err


def test_what_is_finished_elsewhere_is_taken_and_not_done_again(tool, tmp_path: Path) -> None:
    config, there, here = changed(), tmp_path / "there", tmp_path / "here"
    write(there, config, missing=["minimnist/rws_b"], diverged=["minimnist/ws_b"])
    count = len(Results(there, config).all_entries())
    assert tool.take(there, here, config) == count - 2
    left = [(cell.command, cell.runs, cell.seed) for cell in tool.todo(config, here)]
    assert left == [("train", ["minimnist/rws_b"], seed) for seed in (0, 1)]
    assert tool.take(there, here, config) == 0


def test_a_run_with_other_settings_or_another_seed_is_not_taken(tool, tmp_path: Path) -> None:
    there, here = write(tmp_path / "there", changed()), tmp_path / "here"
    for name in ("training.json", "metrics.json"):  # a run of seed 5 in the folder of seed 1
        path = there / "runs/minimnist/ws_b/seed1" / name
        path.write_text(json.dumps(json.loads(path.read_text()) | {"seed": 5}))
    (path.parent / "manifest.json").unlink()
    longer = changed(epochs=7)
    tool.take(there, here, longer)
    left = {cell.runs[0].split("/")[0] for cell in tool.todo(longer, here)}
    assert left == {"minimnist"}
    shutil.rmtree(here)
    tool.take(there, here, changed())
    assert [(c.runs, c.seed) for c in tool.todo(changed(), here)] == [(["minimnist/ws_b"], 1)]


def test_a_run_of_an_older_commit_without_a_younger_key_is_taken(tool, tmp_path: Path) -> None:
    config, there = changed(), write(tmp_path / "there", changed())
    folder = there / "runs/minimnist/ws_b/seed0"
    for name in ("training.json", "metrics.json"):
        about = json.loads((folder / name).read_text())
        del about["settings"]["evaluation_batch"]
        (folder / name).write_text(json.dumps(about))
    (folder / "manifest.json").unlink()
    tool.take(there, tmp_path / "here", config)
    assert list(tool.todo(config, tmp_path / "here")) == []


def test_a_run_that_is_trained_but_not_scored_is_scored(tool, tmp_path: Path) -> None:
    config, here = changed(), write(tmp_path / "here", changed())
    (here / "runs/minimnist/ws_b/seed1/metrics.json").unlink()
    assert list(tool.todo(config, here)) == [tool.Cell("train", ["minimnist/ws_b"], 1)]  # no model
    (here / "runs/minimnist/ws_b/seed1/model.npz").write_bytes(b"as if")
    assert list(tool.todo(config, here)) == [tool.Cell("evaluate", ["minimnist/ws_b"], 1)]


def test_a_run_that_is_to_be_scored_otherwise_is_not_trained(tool, tmp_path: Path) -> None:
    there, here = write(tmp_path / "there", changed()), tmp_path / "here"
    other = changed(likelihood_samples=7)
    for folder in there.glob("runs/minimnist/*/seed0"):
        (folder / "model.npz").write_bytes(b"as if")
    tool.take(there, here, other)
    left = {
        (c.command, c.seed) for c in tool.todo(other, here) if c.runs[0].startswith("minimnist")
    }
    assert left == {("evaluate", 0), ("train", 1)}


def test_the_kept_files_are_small_whole_and_only_grow(tool, tmp_path: Path) -> None:
    config, kept = changed(), tmp_path / "kept"
    one = write(tmp_path / "one", config, missing=["minimnist/rws_b"])
    tool.keep(one, kept, config)
    two = write(tmp_path / "two", config, missing=["minimnist/ws_b"])
    tool.keep(two, kept, config)
    results = Results(kept, config)
    assert all(entry.scored for entry in results.all_entries())
    names = {p.name for p in next(kept.glob("runs/grid_minimnist/*/seed0")).iterdir()}
    assert names == {"history.csv", "metrics.json", "manifest.json"}
    tool.keep(two, kept, changed(epochs=7))  # other runs now: the old ones go
    assert not list(kept.glob("runs/minimnist/*/seed*"))


def begun(root: Path, step: int, size: int = 10, code: str = "") -> Path:
    """A checkpoint of rws_b's seed 0, by today's code or another."""
    path = root / f"work/minimnist/rws_b/seed0/step{step:010d}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"fingerprint": {"code": code or source_hash("training")}}
    np.savez(path, t0=np.zeros(size, np.uint8), about=np.array(json.dumps(about)))
    return path


def held(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_a_run_that_is_begun_goes_on_on_the_next_machine(tool, tmp_path: Path) -> None:
    config = changed()
    here = write(tmp_path / "here", config, missing=["minimnist/rws_b"])
    kept, next_machine = tmp_path / "kept", tmp_path / "next"
    begun(here, 100)
    begun(here, 120, tool.LIGHT + 1)  # with its Fisher
    begun(here, 90)
    tool.keep(here, kept, config)
    tool.keep_unfinished(here, kept, config)
    light = "work/minimnist/rws_b/seed0/step0000000100.npz"
    assert held(kept / "unfinished") == [light]
    begun(tmp_path / "behind", 50)
    tool.keep_unfinished(tmp_path / "behind", kept, config)
    assert held(kept / "unfinished") == [light]
    assert tool.go_on(kept / "unfinished", next_machine, config) == 1
    assert held(next_machine) == [light]
    begun(tmp_path / "older", 140, code="another")  # goes on nowhere
    (tmp_path / "older/work/minimnist/rws_b/seed0/step0000000145.npz").write_bytes(b"torn")
    tool.keep_unfinished(tmp_path / "older", kept, config)
    assert held(kept / "unfinished") == [light]
    begun(next_machine, 150)  # of its own, and never overwritten
    assert tool.go_on(kept / "unfinished", next_machine, config) == 0
    tool.keep_unfinished(next_machine, kept, config)
    assert held(kept / "unfinished") == [light.replace("100", "150")]


def test_a_run_that_is_trained_is_scored_on_the_next_machine(tool, tmp_path: Path) -> None:
    config = changed()
    here, kept, there = write(tmp_path / "here", config), tmp_path / "kept", tmp_path / "there"
    folder = here / "runs/minimnist/rws_b/seed0"
    scores = (folder / "metrics.json").read_bytes()
    (folder / "metrics.json").unlink()
    (folder / "model.npz").write_bytes(b"as if")
    begun(kept / "unfinished", 100)
    tool.keep(here, kept, config)
    tool.keep_unfinished(here, kept, config)
    assert not (kept / "runs/minimnist/rws_b/seed0").exists()
    trained = {f"runs/minimnist/rws_b/seed0/{name}" for name in ("manifest.json", *tool.TRAINED)}
    assert set(held(kept / "unfinished")) == trained
    tool.take(kept, there, config)
    assert tool.go_on(kept / "unfinished", there, config) == 1
    assert list(tool.todo(config, there)) == [tool.Cell("evaluate", ["minimnist/rws_b"], 0)]
    (folder / "metrics.json").write_bytes(scores)
    tool.keep(here, kept, config)
    tool.keep_unfinished(here, kept, config)
    assert held(kept / "unfinished") == []


def test_what_is_no_longer_asked_for_is_not_kept_unfinished(tool, tmp_path: Path) -> None:
    begun(tmp_path / "kept" / "unfinished", 100)
    fewer = {name: e for name, e in ASKED["experiments"].items() if name != "minimnist"}
    config = configuration.resolve({**ASKED, "experiments": fewer})
    tool.keep_unfinished(tmp_path / "nothing", tmp_path / "kept", config)
    assert held(tmp_path / "kept") == []


def test_it_trains_what_is_missing_and_then_nothing(tool, tmp_path: Path, capfd) -> None:
    """Really, on 3by3: stopped after one seed, taken elsewhere, it goes on with the other."""
    runs = {"a": {"damping": 0.1}, "b": {"damping": 1}}
    settings = {"dataset": "threebythree", "layers": [3], "epochs": 2, "likelihood_samples": 5}
    content = {
        "extends": None,
        "datasets": {"threebythree": {"source": "3by3", "train": 180}},
        "experiments": {"damping": {"share": 2, "settings": settings, "runs": runs}},
    }
    file, here, there = tmp_path / "grow.yaml", tmp_path / "here", tmp_path / "there"
    for seeds in ([0], [0, 1]):
        file.write_text(yaml.safe_dump({**content, "seeds": seeds}))
        config = configuration.load(file)
        tool.prepare(config, file, here)
        assert [c.seed for c in tool.todo(config, here)] == seeds[-1:]
        tool.train(config, file, here)
        tool.keep(here, there, config)
    shutil.rmtree(here)
    tool.prepare(config, file, here)
    assert tool.take(there, here, config) == 4
    capfd.readouterr()
    tool.train(config, file, here)
    assert capfd.readouterr().out == ""
