"""Tables: means and intervals over the seeds, beside the paper's values."""

import csv
import json
import math

import numpy as np
import pytest
from fake_results import put, rescore, update, write
from scipy import stats

from nws.errors import NwsError
from nws.reporting import paper, tables
from nws.reporting.page import candidates
from nws.reporting.results import Results
from nws.reporting.statistics import image_error, student

SINGLE = {
    "mean": -28.0,
    "standard_error": None,
    "effective_sample_size": 9.0,
    "samples": 10,
    "images": 1,
}


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_interval_is_students(n):
    values = np.random.default_rng(n).normal(-28, 0.2, n)
    estimate = student(values)
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), rel=1e-10)


def test_one_seed_has_no_interval():
    estimate = student([-28.0])
    assert estimate.mean == -28.0
    assert math.isnan(estimate.low)
    assert math.isnan(student([]).mean)


def test_one_image_has_no_standard_error(tmp_path):
    root = write(tmp_path)
    update(root, "minimnist", "ws_b", log_likelihood={"test": SINGLE, "valid": SINGLE})
    (path,) = tables.make("table1", Results(root))
    row = next(csv.DictReader(path.open()))
    assert math.isnan(float(row["standard_error"] or "nan"))
    assert math.isnan(image_error(SINGLE))
    assert image_error({"standard_error": 0.5}) == 0.5


def test_table1_has_the_mean_of_the_files_and_the_papers_value(tmp_path):
    root = write(tmp_path)
    (path,) = tables.make("table1", Results(root))
    rows = list(csv.DictReader(path.open()))
    assert [row["algorithm"] for row in rows] == ["ws", "rws", "nrws"] * 2
    row = rows[2]
    means = []
    for seed in range(3):
        metrics = root / "runs" / "minimnist" / "nrws_b" / f"seed{seed}" / "metrics.json"
        means.append(json.loads(metrics.read_text())["log_likelihood"]["test"]["mean"])
    assert float(row["ll_test_mean"]) == pytest.approx(np.mean(means))
    assert float(row["ci_low"]) < np.mean(means) < float(row["ci_high"])
    assert (row["seeds"], row["paper_ll"], row["paper_seconds_per_epoch"]) == ("3", "-27.606", "69")
    assert rows[0]["damping"] == ""  # WS has none


def test_runs_that_did_not_end_well_have_no_number(tmp_path):
    root = write(tmp_path, missing=["minimnist/ws_b"], diverged=["minimnist/rws_b"])
    rows = tables.data("table1", Results(root)).set_index(["dataset", "algorithm"])
    for name, status in (("ws", "missing"), ("rws", "diverged")):
        row = rows.loc[("minimnist_b", name)]
        assert row["status"] == status
        assert row["seeds"] == 0
        assert math.isnan(row["ll_test_mean"])


def test_mixed_ends_are_counted(tmp_path):
    root = write(tmp_path)
    folder = root / "runs" / "minimnist" / "ws_b"
    for path in (folder / "seed2").iterdir():
        path.unlink()
    (folder / "seed1" / "metrics.json").unlink()
    row = tables.data("table1", Results(root)).iloc[0]
    assert row["status"] == "2 finished, 1 missing; 1 not evaluated"
    assert row["seeds"] == 1


def test_table2_quotes_the_literature(tmp_path):
    frame = tables.data("table2", Results(write(tmp_path)))
    quoted = frame[frame["status"].str.startswith("literature")]
    assert len(quoted) == len(paper.LITERATURE)
    assert quoted["ll_test_mean"].isna().all()


def test_unknown_tables_are_a_clear_error(tmp_path):
    with pytest.raises(NwsError, match="no table 'table3'"):
        tables.make("table3", Results(write(tmp_path)))


def test_table2_has_our_runs_of_what_the_paper_quotes(tmp_path):
    root = write(tmp_path)
    frame = tables.data("table2", Results(root)).set_index("algorithm")
    for name, quoted in (("BiD [9]", -85.0), ("RWS [10]", -86.0)):
        ours = frame.loc[name].dropna(subset=["dataset"]).iloc[0]
        assert (ours["paper_ll"], ours["seeds"], ours["epochs"]) == (quoted, 3, 2)
        assert ours["images"] == 12  # of the invented data set
    row = frame.loc["nbihm"]
    assert row["log_p_star"] == pytest.approx(row["ll_test_mean"] + 1.0)
    assert row["log_p_star_error"] == pytest.approx(0.15)
    assert row["standard_error"] == pytest.approx(0.2)
    assert frame.loc["nrws", ["log_p_star", "paper_ll"]].tolist()[1] == -86.138
    assert math.isnan(frame.loc["nrws", "log_p_star"])


def test_metrics_from_before_there_was_a_bidirectional_machine(tmp_path):
    root = write(tmp_path)
    for path in root.glob("runs/*/*/*/metrics.json"):
        content = json.loads(path.read_text())
        content.pop("bihm")
        put(path, json.dumps(content))
    frame = tables.data("table2", Results(root))
    assert frame["ll_test_mean"].notna().any()
    assert frame["log_p_star"].isna().all()


def test_the_nearest_candidate_comes_first(tmp_path):
    root = write(tmp_path)
    runs = {a: f"{a}_dataset-minimnist_b_antialias" for a in ("ws", "rws", "nrws")}
    paper_s = {row.algorithm: row.log_likelihood for row in paper.TABLE1["B"]}
    for algorithm, run in runs.items():
        rescore(root, "candidates", run, [paper_s[algorithm] + 0.1] * 3)
    first, second = candidates.nearest(Results(root))
    assert (first.dataset, first.pooling) == ("minimnist_b_antialias", "antialias")
    assert first.distance == pytest.approx(0.1)
    assert first.gaps == pytest.approx(dict.fromkeys(runs, 0.1))
    assert second.distance > 0.1


def test_a_candidate_that_was_not_scored_is_left_out(tmp_path):
    root = write(tmp_path, diverged=["candidates/ws_dataset-minimnist_b"])
    assert [c.dataset for c in candidates.nearest(Results(root))] == ["minimnist_b_antialias"]


def test_the_clip_is_compared_with_the_same_seeds_of_table_1(tmp_path):
    root = write(tmp_path, missing=["clip/ws_b"])
    rescore(root, "minimnist", "rws_b", [-30.0, -10.0, -10.0])  # the others have no partner
    for seed, loss in enumerate([31.0, 99.0, 99.0]):
        update(root, "minimnist", "rws_b", seed, final_train_loss=loss)
    rescore(root, "clip", "rws_b", [-28.5])
    frame = tables.data("clip", Results(root)).set_index("algorithm")
    row = frame.loc["rws"]
    assert (row["table1_clip"], row["less_clip"], row["binarization"]) == (1e-3, 1e-6, "B")
    assert (row["table1_ll"], row["less_ll"], row["gained"]) == (-30.0, -28.5, 1.5)
    assert row["table1_train_loss"] == 31.0
    assert (row["paper_ll"], row["seeds"], row["run"]) == (-28.695, 1, "clip/rws_b")
    assert frame.loc["ws", "status"] == "missing"
    assert math.isnan(frame.loc["ws", "gained"])


def test_sensitivity_is_the_gain_on_the_unchanged_run(tmp_path):
    root = write(tmp_path, missing=["sensitivity/nrws_k1"])
    for run, value in (("rws", -30), ("rws_double", -29), ("nrws", -28), ("nrws_double", -28.5)):
        rescore(root, "sensitivity", run, [value])
    base, doubled, fresh = tables.data("sensitivity", Results(root)).to_dict("records")
    assert (base["rws_ll"], base["nrws_ll"], base["rws_difference"]) == (-30, -28, None)
    assert doubled["change"] == "learning rate ×2"
    assert (doubled["rws_difference"], doubled["nrws_difference"]) == (1, -0.5)
    assert (doubled["rws_seeds"], doubled["nrws_seeds"]) == (1, 1)
    assert (fresh["change"], fresh["nrws_seeds"], fresh["status"]) == ("refresh 1", 0, "missing")
    assert np.isnan(fresh["nrws_difference"])


@pytest.mark.parametrize("missing", ["rws_double", "nrws_double"])
def test_the_standard_error_is_that_of_the_runs_that_have_one(tmp_path, missing):
    root = write(tmp_path, missing=[f"sensitivity/{missing}"])
    assert tables.data("sensitivity", Results(root))["standard_error"][1] == 0.2
