"""Results that were changed or are not whole are flagged."""

import shutil
from pathlib import Path

import pytest
import tiny
from tiny_job import CONFIG, RUN, train

from nws.errors import NwsError
from nws.evaluation.jobs import evaluate
from nws.files import manifest
from nws.planning import plan
from nws.reporting.results import Results


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scored")
    train(root)
    evaluate(CONFIG, tiny.prepare(CONFIG, root), 0, root)
    return root / "runs" / RUN


@pytest.mark.parametrize(
    "name", ["metrics.json", "training.json", "history.csv", "model.npz", "samples.npz"]
)
def test_tampered_results_are_flagged(scored: Path, name: str) -> None:
    path = scored / name
    whole = path.read_bytes()
    assert manifest.check(scored) == []
    path.write_bytes(whole.replace(b"1", b"2"))
    assert manifest.check(scored) == [
        f"{name} does not match its manifest: changed after it was made"
    ]
    path.write_bytes(whole)


@pytest.mark.parametrize("name", ["metrics.json", "samples.npz"])
@pytest.mark.parametrize("what", ["torn", "of another time"])
def test_a_score_that_is_not_whole_costs_no_training(
    scored: Path, tmp_path: Path, name: str, what: str
) -> None:
    """As where the scoring was cut before its last write: scored again, to the same bits."""
    shutil.copytree(scored.parents[3], tmp_path / "r")
    folder = tmp_path / "r" / "runs" / RUN
    whole = (folder / name).read_bytes()
    torn = whole[: len(whole) // 2]
    (folder / name).write_bytes(torn if what == "torn" else whole + b"\n")
    results = Results(tmp_path / "r", CONFIG)
    (found,) = results.all_entries()
    assert (found.status, found.trained, found.scored) == ("finished", True, False), found.reason
    assert name in found.reason
    assert "evaluation_seconds" not in found.metrics
    assert results.samples("tiny", "one", 0) is None
    assert plan.plan(CONFIG, Results(tmp_path / "r", CONFIG).left()).left == {"tiny": 1}
    evaluate(CONFIG, found.run, 0, tmp_path / "r")
    assert Results(tmp_path / "r", CONFIG).all_entries()[0].scored
    assert manifest.check(folder) == []
    if name == "samples.npz":
        assert (folder / name).read_bytes() == whole


@pytest.mark.parametrize("name", ["training.json", "history.csv", "model.npz"])
def test_a_training_that_is_not_whole_is_stale(scored: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(scored.parents[3], tmp_path / "r")
    path = tmp_path / "r" / "runs" / RUN / name
    path.write_bytes(path.read_bytes() + b"\n")
    (found,) = Results(tmp_path / "r", CONFIG).all_entries()
    assert found.status == "stale"
    with pytest.raises(NwsError, match=name):
        evaluate(CONFIG, found.run, 0, tmp_path / "r")


def test_a_copy_without_its_training_shows_no_changed_number(scored: Path, tmp_path: Path) -> None:
    shutil.copytree(scored.parents[3], tmp_path / "r")
    folder = tmp_path / "r" / "runs" / RUN
    for name in ("training.json", "model.npz"):
        (folder / name).unlink()
    assert Results(tmp_path / "r", CONFIG).all_entries()[0].scored
    text = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(text.replace("finished_at", "finished_then"))
    (found,) = Results(tmp_path / "r", CONFIG).all_entries()
    assert (found.status, found.metrics) == ("stale", {})


@pytest.mark.parametrize("content", [None, "", "{", "[1]"])
def test_an_evaluation_without_its_training(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "runs" / RUN / "training.json"
    if content is not None:
        path.parent.mkdir(parents=True)
        path.write_text(content)
    said = "not found; train the run first" if content is None else "cannot be read: .* again"
    with pytest.raises(NwsError, match=rf"training\.json: {said}"):
        evaluate(CONFIG, tiny.prepare(CONFIG, tmp_path), 0, tmp_path)


def test_a_damaged_manifest_is_no_obstacle(tmp_path: Path, unbroken: tuple[bytes, str]) -> None:
    path = tmp_path / "runs" / RUN / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"history.csv": ')
    assert train(tmp_path) == unbroken
    assert manifest.check(path.parent) == []
