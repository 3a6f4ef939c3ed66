"""No number under a label that is another's: own images, other settings, keys a figure ignores."""

import re

import fake_results
import numpy as np
import pytest
from fake_results import SMALL, rescore, rewrite, update, write

from nws import config as configuration
from nws.files.top import SCALES
from nws.reporting import alike, cells, claims, figures, tables
from nws.reporting.claims import measure
from nws.reporting.claims.claim import NOT_AT_SCALE, NOT_RUN
from nws.reporting.page import candidates, report
from nws.reporting.results import Results

TWELVE = [300, 200, 100, 75, 50, 35, 30, 25, 20, 15, 10, 10]
BOTH = {"minimnist": [100, 50, 20, 10, 10], "mnist": TWELVE}  # experiments with values of the paper


def changed(experiment, **values):
    """The small configuration with these keys of one experiment."""
    experiments = SMALL["experiments"]
    return configuration.resolve(
        {**SMALL, "experiments": {**experiments, experiment: experiments[experiment] | values}}
    )


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """The runs of both tables on the user's own images, with the paper's layers and enough epochs,
    and a candidate."""
    source = str(tmp_path / "faces.npz")
    for known in (fake_results.FLOOR, fake_results.SIDE):
        monkeypatch.setitem(known, source, known["minimnist"])
    runs = {name: {"algorithm": name} for name in ("ws", "rws", "nrws")}
    content = {
        "extends": None,
        "datasets": {"faces": {"source": source}},
        "experiments": {
            name: {"settings": {"dataset": "faces", "layers": layers, "epochs": 200}, "runs": runs}
            for name, layers in (*BOTH.items(), ("candidates", [8]), ("others", [8]))
        },
    }
    return Results(write(tmp_path / "r", configuration.resolve(content)))


def test_a_claim_is_not_judged_on_own_images(faces):
    judged = {c.id: v for c, v in claims.check(faces) if c.needs.experiments}
    assert {v.verdict for v in judged.values()} == {NOT_AT_SCALE, NOT_RUN}
    source = faces.config.datasets["faces"].source
    for claim in ("table1-b-rws", "sooner-b"):
        why = f"data set faces: source {source} instead of minimnist (minimnist)."
        assert judged[claim].why.endswith(why)
    assert "instead of mnist, binarization round instead of static" in judged["cost"].why


def test_beside_own_images_the_report_says_that_titles_do_not_speak_of_them(faces):
    shown = report.content(faces, [])
    by_name = {item["name"]: item for item in [*shown["tables"].values(), *shown["figures"]]}
    source = faces.config.datasets["faces"].source
    for name in ("table1", "table2", "fig3", "fig4", "candidates"):
        assert f"faces: source {source} instead of" in by_name[name]["images"][0]
    assert "speak of the paper’s images; these are others: faces: source" in report.make(
        faces
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("scale", sorted(SCALES.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_scales_show_the_papers_images(scale):
    config = configuration.load(scale)
    assert report._own_images(config, list(configuration.runs(config))) == []


def test_seconds_of_another_machine_are_not_those_of_a_run(tmp_path):
    root = write(tmp_path / "r")
    for run in ("rws_b", "nrws_b"):
        for seed, cpu in enumerate(("slow", "fast", "slow")):
            update(root, "minimnist", run, seed, machine={"cpu": cpu, "threads": 2})
            pace = 1.0 if cpu == "fast" else 9.0
            rewrite(root, "minimnist", run, seed, seconds=pace * np.arange(1, 7))
    results = Results(root)
    table = tables.data("table1", results)
    kept = table[table["run"].isin(["minimnist/rws_b", "minimnist/nrws_b"])]
    assert kept["seconds_per_epoch"].tolist() == [9, 9]
    assert measure.seconds_per_epoch(results, "minimnist", "rws_b") == 9
    drawn = figures.data("fig3", results)
    drawn = drawn[drawn["run"] == "rws_b"].set_index("seed")
    assert drawn["seconds"].notna().groupby("seed").all().to_dict() == {0: True, 1: False, 2: True}
    assert drawn["epoch"].notna().all()
    text = report.make(results).read_text(encoding="utf-8")
    assert re.search("seconds are not the same: .*4 on slow with 2 threads, 2 on fast with 2", text)
    # Each seed's runs were on one machine: ratios by seed are of that machine.
    assert not measure.other_machines(results, "minimnist", "rws_b", "nrws_b")
    assert "fast with 2 threads" in measure.other_machines(results, "minimnist", "rws_b", "ws_b")


def test_no_value_of_the_paper_stands_beside_own_images(faces):
    for name in ("table1", "table2", "candidates"):
        frame = tables.data(name, faces)
        ours = frame[frame["dataset"] == "faces"]
        assert len(ours) >= 3
        assert ours[["paper_ll", "paper_seconds_per_epoch"]].isna().all(axis=None)
        assert set(ours["algorithm"]) == {"ws", "rws", "nrws"}  # no name of the literature either
    assert candidates.nearest(faces) == []
    for name, panel in (("fig3", "faces, B"), ("fig4", "faces, SGD")):
        frame = figures.data(name, faces)
        assert set(frame["panel"]) == {panel}
        assert "reference" not in set(frame["status"])
    assert "value" not in set(figures.data("answer", faces)["panel"])


@pytest.mark.parametrize(
    ("key", "value", "other"),
    [
        ("pooling", "antialias", "pooling antialias instead of mean"),
        ("pooled", "static", "pooled static instead of grey"),
        ("binarization", "static", "binarization static instead of round"),
        ("train", 100, ""),  # fewer of the same images
        ("valid", 100, ""),
        ("binarization", "stochastic", ""),  # the paper's BSt
    ],
)
def test_images_are_the_papers_by_all_but_their_number(key, value, other):
    images = {"source": "minimnist", key: value}
    config = configuration.resolve({**SMALL, "datasets": {**SMALL["datasets"], "same": images}})
    assert alike.other_images(config, "minimnist", "same") == other


def test_the_clip_is_not_what_runs_gain_that_differ_in_more(tmp_path):
    settings = SMALL["experiments"]["clip"]["settings"]
    config = changed("clip", settings={**settings, "epochs": 2, "learning_rate": 0.05})
    root = write(tmp_path, config)
    rescore(root, "clip", "rws_b", [-90.0])
    row = tables.data("clip", Results(root)).set_index("algorithm").loc["rws"]
    assert (row["less_ll"], row["gained"]) == (-90.0, None)
    assert row["status"] == "finished; not alike in epochs, learning_rate"


def test_the_clip_has_no_value_of_the_paper_for_other_images(tmp_path):
    settings = {**SMALL["experiments"]["clip"]["settings"], "dataset": "minimnist_b_antialias"}
    root = write(tmp_path, changed("clip", settings=settings))
    assert tables.data("clip", Results(root))["paper_ll"].isna().all()


def test_a_grid_of_another_key_too_is_not_averaged_over_it(tmp_path):
    grid = {"learning_rate": [0.1], "damping": [0.01], "samples": [2, 20]}
    results = Results(write(tmp_path, changed("grid_minimnist", grid=grid)))
    frame = figures.data("fig7", results)
    assert set(frame["status"]) == {"not alike in samples"}
    assert cells.cells(frame)["loss"].isna().all()
    figure = figures.draw("fig7", frame)
    assert figure.get_supxlabel().startswith("Not alike in samples: lr0.1_a0.01_s2 (seed 0), ")
    judged = {c.id: v for c, v in claims.check(results)}
    for claim in ("region-minimnist", "linear", "image-size"):
        found = judged[claim]
        assert found.verdict == NOT_AT_SCALE
        assert found.why.endswith("runs not alike in samples (grid_minimnist).")
    assert cells.mixed(results.runs("grid_mnist")) == ""


def test_metrics_that_differ_in_another_key_are_curves_of_their_own(tmp_path):
    runs = SMALL["experiments"]["exactness"]["runs"]
    config = changed(
        "exactness",
        runs={**runs, "slow": {"learning_rate": 1e-4}, "fast": {"learning_rate": 0.1}},
    )
    frame = figures.data("exactness", Results(write(tmp_path, config)))
    assert frame.groupby("metric")["run"].nunique().eq(1).all()
    labels = dict(zip(frame["run"], frame["metric"], strict=True))
    assert labels["slow"] == "exact, K = 50, learning rate 0.0001"
    assert labels["fast"] == "exact, K = 50, learning rate 0.1"
    assert labels["shared_50"] == "shared, K = 50"
    assert len(figures.draw("exactness", frame).axes[0].lines) == 6
