"""Reading result files: complete ones as they are, everything else with a status and no number."""

import json

import numpy as np
import pytest
from fake_results import put, rewrite, write

from nws import config as configuration
from nws.errors import NwsError
from nws.files import manifest
from nws.reporting.results import HISTORY, IDENTITY, UNDISTURBED, Results, read_npz
from nws.reporting.statistics import undisturbed_epoch
from nws.training.history import COLUMNS


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / "fake")


def folder(root, experiment="minimnist", run="rws_b", seed=0):
    return root / "runs" / experiment / run / f"seed{seed}"


def entry(root, run="rws_b", seed=0):
    found = Results(root).entries("minimnist")
    return next(e for e in found if e.run.name == run and e.seed == seed)


def test_every_run_and_seed_has_an_entry_with_its_settings(root):
    results = Results(root)
    frame = results.history("minimnist")
    assert list(frame) == [*HISTORY, UNDISTURBED, *IDENTITY, "status"]
    assert len(frame) == 6 * 3 * 6  # runs, seeds, epochs
    row = results.metrics("grid_minimnist")[1]
    assert (row["learning_rate"], row["damping"], row["status"]) == (0.001, 0.1, "finished")


def test_values_are_those_of_the_file(root):
    lines = (folder(root) / "history.csv").read_text().splitlines()
    frame = Results(root).history("minimnist")
    rows = frame[(frame["run"] == "rws_b") & (frame["seed"] == 0)]
    assert rows["valid_loss"].tolist() == [float(line.split(",")[4]) for line in lines[1:]]


def test_absent_runs_are_missing_and_never_zero(tmp_path):
    root = write(tmp_path, missing=["minimnist/rws_b"])
    assert entry(root).status == "missing"
    rows = Results(root).history("minimnist").query("run == 'rws_b'")
    assert len(rows) == 3
    assert rows["train_loss"].isna().all()
    assert set(rows["status"]) == {"missing"}


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"status": "finis', '{"status": "finished"}'])
def test_unreadable_metrics_say_why(root, content):
    (folder(root) / "metrics.json").write_text(content)
    if content != '{"status": "finished"}':  # the training beside it stands in
        assert (entry(root).trained, entry(root).scored) == (True, False)
        assert "metrics.json" in entry(root).reason
        (folder(root) / "training.json").unlink()
    found = entry(root)
    assert found.status == "unreadable"
    assert "metrics" in found.reason
    assert found.metrics == {}


def test_training_stands_in_for_an_evaluation_not_made(root):
    (folder(root) / "metrics.json").unlink()
    assert entry(root).status == "finished"
    assert "log_likelihood" not in entry(root).metrics


def test_another_score_is_asked_for(root):
    """The training is as it is asked for; the score, also that there was none, is not."""
    config = Results(root).config
    assert entry(root).scored
    made = entry(root).run.settings.likelihood_samples
    for samples in (made + 1, 0):
        changed = config.model_dump()
        changed["experiments"]["minimnist"]["settings"]["likelihood_samples"] = samples
        results = Results(root, configuration.resolve({**changed, "extends": None}))
        found = next(e for e in results.entries("minimnist") if e.run.name == "rws_b")
        assert (found.status, found.trained, found.scored) == ("finished", True, False)
        assert f"likelihood_samples: {made} → {samples}" in found.reason
        assert "log_likelihood" not in found.metrics
    about = json.loads((folder(root) / "metrics.json").read_text())
    about["settings"]["likelihood_samples"] = 0
    put(folder(root) / "metrics.json", json.dumps(about | {"log_likelihood": None}))
    assert f"likelihood_samples: 0 → {made}" in entry(root).reason
    assert not entry(root).scored


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.95])
def test_a_truncated_history_is_not_used(root, kept):
    path = folder(root) / "history.csv"
    text = path.read_text()
    path.write_text(text[: int(len(text) * kept)])
    rows = Results(root).history("minimnist").query("run == 'rws_b' and seed == 0")
    assert set(rows["status"]) == {"stale"}


def test_a_history_shorter_than_its_run_is_not_used(root):
    """Whole lines, and a manifest that agrees; but the run has more epochs."""
    lines = (folder(root) / "history.csv").read_text().splitlines()
    put(folder(root) / "history.csv", "\n".join(lines[:-1]) + "\n")
    rows = Results(root).history("minimnist").query("run == 'rws_b' and seed == 0")
    assert set(rows["status"]) == {"unreadable"}


def test_a_diverged_run_keeps_its_history(tmp_path):
    root = write(tmp_path, diverged=["minimnist/rws_b"])
    rows = Results(root).history("minimnist").query("run == 'rws_b' and seed == 0")
    assert set(rows["status"]) == {"diverged"}
    assert np.isnan(rows["train_loss"].iloc[-1])
    assert np.isfinite(rows["train_loss"].iloc[0])


def test_samples_and_data_sets(root):
    results = Results(root)
    assert results.samples("minimnist", "rws_b", 0)["samples"].shape == (64, 196)
    (folder(root) / "samples.npz").write_bytes(b"PK\x03\x04 torn")
    assert results.samples("minimnist", "rws_b", 0) is None
    assert results.samples("minimnist", "rws_b", 9) is None
    assert results.dataset("minimnist_b")["counts"]["test"] == 12
    assert results.dataset("nothing") == {}
    assert results.images("threebythree")["patterns"].shape == (12, 9)


@pytest.mark.parametrize(("byte", "value"), [(8, 1), (10, 99)], ids=["encrypted", "compressed"])
def test_arrays_that_no_one_can_unpack_are_not_there(tmp_path, byte, value):
    """zipfile has errors of its own for them: RuntimeError, NotImplementedError."""
    path = tmp_path / "samples.npz"
    np.savez(path, samples=np.zeros(3))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + byte] = value
    path.write_bytes(content)
    assert read_npz(path) is None


def test_an_experiment_that_is_not_configured_is_empty(root):
    results = Results(root)
    assert results.entries("nothing") == []
    assert results.history("nothing").empty


def test_no_configuration_is_one_clear_error(tmp_path):
    with pytest.raises(NwsError, match=r"config\.json: not found"):
        Results(tmp_path).config  # noqa: B018


def test_a_changed_file_is_noticed(root):
    directory = folder(root)
    assert manifest.check(directory) == []
    metrics = json.loads((directory / "metrics.json").read_text())
    metrics["log_likelihood"]["test"]["mean"] += 1
    (directory / "metrics.json").write_text(json.dumps(metrics))
    (directory / "history.csv").unlink()
    problems = manifest.check(directory)
    assert any("metrics.json does not match" in p for p in problems)
    assert any("history.csv is in the manifest but not there" in p for p in problems)


def test_manifests_grow_and_survive_being_torn(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        manifest.write(tmp_path, [name])
    (tmp_path / "a").write_text("changed")
    assert len(manifest.check(tmp_path)) == 1
    (tmp_path / "manifest.json").write_text("{")
    assert manifest.check(tmp_path) == ["manifest.json is not readable"]


def test_an_undisturbed_epoch(root):
    """Two of six epochs were undisturbed and took a second; other work and a pause lengthened the
    others."""
    durations = [1.0, 1, 3, 700, 2, 5]
    rewrite(root, "minimnist", "ws_b", 1, seconds=np.cumsum(durations))
    results = Results(root)
    entry = next(e for e in results.entries("minimnist") if (e.run.name, e.seed) == ("ws_b", 1))
    assert results.seconds_per_epoch(entry) == pytest.approx(1)
    history = results.history("minimnist")
    own = history[(history["run"] == "ws_b") & (history["seed"] == 1)]
    np.testing.assert_allclose(own[UNDISTURBED], np.arange(1, 7))
    np.testing.assert_allclose(own["seconds"], np.cumsum(durations))  # what a budget is held to
    assert np.isnan(undisturbed_epoch([np.nan]))


def test_the_columns_read_are_those_written():
    assert list(COLUMNS) == HISTORY
