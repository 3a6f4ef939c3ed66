"""Results that were changed or are not whole are flagged."""

from pathlib import Path

import pytest
import tiny
from tiny_job import CONFIG, RUN, train

from nws.errors import NwsError
from nws.evaluation.jobs import evaluate
from nws.files import manifest


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
