"""The race: its rivals, its table and figure, and the marks that were set for it."""

import fake_results
import numpy as np
import pytest

from nws import config
from nws.files.top import SCALES
from nws.reporting import figures, race, search, tables
from nws.reporting.claims import MARKS, claim, judge
from nws.reporting.page import report
from nws.reporting.results import Results
from nws.reporting.statistics import student

SHIPPED = sorted(path.stem for path in SCALES.glob("*.yaml"))


@pytest.fixture
def root(tmp_path):
    return fake_results.write(tmp_path)


def shipped(scale: str) -> list[config.Run]:
    runs = config.runs(config.load(SCALES / f"{scale}.yaml"))
    return [run for run in runs if run.experiment.startswith("race")]


@pytest.mark.parametrize("scale", SHIPPED)
def test_rivals_are_what_their_names_say(scale):
    for run in shipped(scale):
        rival, settings = race.rival(run), run.settings
        assert rival in race.RIVALS, run
        assert settings.algorithm == rival.split("_")[0]
        if rival in ("rws", "rws_adam"):
            assert settings.optimizer == ("adam" if rival == "rws_adam" else "sgd")
        if rival in ("nws", "nrws"):
            plain = config.run_settings({"algorithm": rival}).unit_damping
            assert (settings.unit_damping, settings.optimizer) == (plain, "sgd")


@pytest.mark.parametrize("scale", SHIPPED)
def test_every_rival_has_the_same_search_and_the_same_chances(scale):
    """As many settings for as many seconds, averages, rates that do not know how long the run is
    to be, cores as many; on the paper's scale two for itself."""
    found = config.load(SCALES / f"{scale}.yaml")
    runs = [run for run in shipped(scale) if run.experiment == "race_search"]
    counts = {rival: 0 for run in runs for rival in [race.rival(run)]}
    for run in runs:
        counts[race.rival(run)] += 1
    assert len(set(counts.values())) <= 1, counts
    assert {race.rival(run) for run in shipped(scale)} == set(counts)
    settings = [run.settings for run in shipped(scale)]
    assert all(s.averaging.kind == "exponential" for s in settings)
    assert {s.learning_rate_schedule.kind for s in settings} <= {"constant", "inverse"}
    assert len({s.epochs for s in settings}) <= 1  # an inverse rate falls with the same steps
    assert len({(s.averaging.decay, s.dataset, tuple(s.layers)) for s in settings}) <= 1
    experiments = {run.experiment for run in shipped(scale)}
    cores = {
        (found.experiments[name].alone, found.experiments[name].threads) for name in experiments
    }
    assert cores == ({(False, 1)} if scale in ("reference", "race") else {(True, 2)})
    for name in experiments:
        assert len({r.settings.budget for r in shipped(scale) if r.experiment == name}) == 1


def test_the_longest_name_is_the_rival():
    names = {"rws_lr0.1": "rws", "rws_adam_lr0.1": "rws_adam", "mine": "mine"}
    for name, rival in names.items():
        assert race.rival(run(name, algorithm="rws", optimizer="adam")) == rival
    assert race.rival(run("nrws", algorithm="nrws")) == "nrws"


def run(name, **settings):
    return config.Run(experiment="race1", name=name, settings=config.run_settings(settings))


@pytest.mark.parametrize(
    ("name", "settings", "label"),
    [
        ("rws", {"algorithm": "ws"}, "WS"),
        ("rws_adam", {"algorithm": "rws"}, "RWS"),
        ("ws_1", {"algorithm": "rws", "optimizer": "adam"}, "RWS, Adam"),
        ("nrws_mended", {"algorithm": "nrws"}, "NRWS"),
        ("nrws_mended", {"algorithm": "rws", "q_wake": 0}, "RWS"),
        ("rws", {"algorithm": "nrws", "solver": "shared"}, "NRWS, mended"),
        ("rws", {"algorithm": "mws"}, "mws"),
        ("bihm_adam", {"algorithm": "bihm", "optimizer": "adam"}, "BiHM"),
        ("mine", {"algorithm": "rws"}, "mine"),
        *(
            ("nrws_mended", {"algorithm": "nrws", key: value}, "NRWS, mended")
            for key, value in (("solver", "shared"), ("unit_damping", 0.5), ("q_wake", 0))
        ),
    ],
)
def test_a_rival_is_not_called_what_it_is_not(name, settings, label):
    assert race.label(run(name, **settings)) == label


def test_table_figure_and_searches_call_a_misnamed_run_what_it_is(tmp_path):
    small = fake_results.small()
    small["experiments"]["race1"]["runs"]["rws"]["algorithm"] = "ws"
    small["experiments"]["race_search"]["grids"]["rws"]["algorithm"] = ["ws"]
    root = fake_results.write(tmp_path, config.resolve(small))
    table = tables.data("race_scores", Results(root)).set_index("run")
    assert table.loc["race1/rws", "rival"] == "WS"
    assert table.loc["race2/rws", "rival"] == "RWS"
    legend = figures.draw("race", figures.data("race", Results(root))).legends[0]
    assert legend.texts[0].get_text() == "WS"
    assert set(search.spaces(Results(root))) == {"rws (WS)", "NRWS", "NRWS, mended"}
    assert {choice.rival for choice in search.choices(Results(root))} == {
        "WS", "RWS", "NRWS", "NRWS, mended"
    }  # fmt: skip


def test_two_runs_of_one_rival_are_two_curves(tmp_path):
    small = fake_results.small()
    small["experiments"]["race4"]["runs"]["nrws"] = {"algorithm": "rws"}
    frame = figures.data("race", Results(fake_results.write(tmp_path, config.resolve(small))))
    _, right = figures.draw("race", frame).axes
    assert len(right.lines) == (2 + 1 + 1) * 3  # RWS twice, NRWS of the race before, and mended


def test_other_images_have_no_value_of_the_paper(tmp_path):
    small = fake_results.small()
    small["datasets"]["minimnist_b"]["pooling"] = "antialias"
    frame = figures.data("race", Results(fake_results.write(tmp_path, config.resolve(small))))
    assert "paper" not in set(frame["panel"])


def test_the_table_has_the_mean_of_the_seeds_and_what_was_chosen(root):
    fake_results.rescore(root, "race2", "nrws_mended", [-28.0, -27.5, -27.0])
    frame = tables.data("race_scores", Results(root))
    assert list(frame["budget"]) == [2] * 3 + [4] * 3 + [16] * 3
    row = frame[(frame["rival"] == "NRWS, mended") & (frame["budget"] == 4)].iloc[0]
    expected = student([-28.0, -27.5, -27.0])
    assert (row["ll_test_mean"], row["ci_low"]) == (expected.mean, expected.low)
    assert (row["settings"], row["seeds"]) == ("unit_damping 1, η 0.1", 3)
    assert row["run"] == "race2/nrws_mended"


def test_what_is_switched_off_is_not_told():
    chosen = {"learning_rate": 0.2, "samples_later": None, "damping_schedule": {"kind": "constant"}}
    settings = config.resolve({"experiments": {"race1": {"runs": {"rws": chosen}}}})
    run = next(r for r in config.runs(settings) if (r.experiment, r.name) == ("race1", "rws"))
    assert race.described(Results("nowhere", settings), run) == "η 0.2, η(t) inverse 5e-05"


def test_the_figure_draws_scores_intervals_and_the_papers_value(root):
    fake_results.rescore(root, "race2", "rws", [-30.0, -29.0, -28.0])
    frame = figures.data("race", Results(root))
    left, right = figures.draw("race", frame).axes
    drawn = [np.asarray(line.get_ydata(), float) for line in left.lines]
    scores = frame[(frame["panel"] == "score") & (frame["rival"] == "rws")].sort_values("budget")
    assert scores["ll_test"].iloc[1] == -29.0
    assert any(np.array_equal(y, scores["ll_test"]) for y in drawn)
    assert any((y == -27.606).all() for y in drawn)
    bars = [c for c in left.containers if c.has_yerr]
    assert len(bars) == 3
    # To the right every seed of the longest race, and of no other.
    assert len(right.lines) == 3 * 3
    assert {len(line.get_xdata()) for line in right.lines} == {16}


def test_a_variant_has_a_marker_of_its_own(root):
    figure = figures.draw("race", figures.data("race", Results(root)))
    markers = [handle.get_marker() for handle in figure.legends[0].legend_handles]
    assert len(set(markers)) == len(markers)


def at_scale(tmp_path, alone=True, **settings):
    """The races as a mark needs them: all images, enough samples, the paper's layers."""
    small = fake_results.small()
    small["datasets"]["minimnist_b"].pop("train")
    for name, budget in (("race2", 300), ("race4", 3600)):
        found = small["experiments"][name]
        found["settings"] = {"epochs": 6, "budget": budget, **settings}
        found["alone"] = alone
    return fake_results.write(tmp_path, config.resolve(small))


def verdict(root, name):
    return judge(next(mark for mark in MARKS if mark.id == name), Results(root))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-27.3, -27.31, -27.29], claim.REPRODUCED),
        ([-27.4, -27.9, -27.45], claim.PARTLY),
        ([-27.7, -27.7, -27.7], claim.NOT_REPRODUCED),
    ],
)
def test_the_mark_of_an_hour(tmp_path, values, expected):
    root = at_scale(tmp_path)
    for name in ("rws", "nrws", "nrws_mended"):
        fake_results.rescore(root, "race4", name, [-40.0] * 3, split="valid")
    fake_results.rescore(root, "race4", "nrws", [-29.0] * 3, split="valid")
    fake_results.rescore(root, "race4", "nrws", values)
    fake_results.rescore(root, "race4", "rws", [-20.0] * 3)  # better on the test images alone
    assert verdict(root, "race-hour").verdict == expected


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ([-28.0, -28.1, -27.9], claim.REPRODUCED),
        ([-28.0, -30.0, -28.0], claim.PARTLY),
        ([-29.5, -29.5, -29.5], claim.NOT_REPRODUCED),
    ],
)
def test_the_mark_against_rws(tmp_path, ours, expected):
    root = at_scale(tmp_path)
    fake_results.rescore(root, "race2", "rws", [-29.0, -29.1, -28.9])
    fake_results.rescore(root, "race2", "nrws_mended", ours)
    assert verdict(root, "race-5-min").verdict == expected
    assert verdict(root, "race-20-min").verdict == claim.NOT_RUN  # there is no race3


def test_the_rival_is_the_better_one_of_both_kinds_of_steps(tmp_path):
    small = fake_results.small()
    small["datasets"]["minimnist_b"].pop("train")
    race2 = small["experiments"]["race2"]
    race2["settings"] = {"epochs": 6, "budget": 300}
    race2["runs"]["rws_adam"] = {"algorithm": "rws", "optimizer": "adam"}
    root = fake_results.write(tmp_path, config.resolve(small))
    fake_results.rescore(root, "race2", "nrws_mended", [-28.0, -28.1, -27.9])
    for plain, adam, lead in ((-29.0, -27.0, "-1.000"), (-27.5, -29.0, "-0.500")):
        fake_results.rescore(root, "race2", "rws", [plain] * 3)
        fake_results.rescore(root, "race2", "rws_adam", [adam] * 3)
        found = verdict(root, "race-5-min")
        assert (found.verdict, found.ours) == (claim.NOT_REPRODUCED, lead)
        assert ("RWS, Adam" in found.why) == (adam > plain)


def test_marks_need_their_budget_and_the_machine_for_themselves(tmp_path):
    root = at_scale(tmp_path / "a", budget=200)
    assert "has 200.0 s, not 300" in verdict(root, "race-5-min").why
    root = at_scale(tmp_path / "b")
    fake_results.update(
        root, "race2", "rws", machine={"device": "gpu", "threads": 2, "cpu": "", "gpu": "x"}
    )
    assert "2 threads on the gpu" in verdict(root, "race-5-min").why


def test_a_mark_is_not_of_a_run_that_is_not_what_its_name_says(tmp_path):
    small = fake_results.small()
    small["datasets"]["minimnist_b"].pop("train")
    race2 = small["experiments"]["race2"]
    race2["settings"] = {"epochs": 6, "budget": 300}
    race2["runs"]["nrws_mended"] = {"algorithm": "nrws"}
    root = fake_results.write(tmp_path, config.resolve(small))
    assert "race2/nrws_mended is NRWS by its settings" in verdict(root, "race-5-min").why


def test_one_core_each_may_have_company_but_two_may_not(tmp_path):
    root = at_scale(tmp_path, alone=False)
    assert "race2 was not trained alone" in verdict(root, "race-5-min").why
    one = {"device": "cpu", "threads": 1, "cpu": "", "gpu": None}
    fake_results.update(root, "race2", "rws", machine=one)
    assert "different numbers of threads" in verdict(root, "race-5-min").why
    for name in ("race2", "race4"):
        for entry in Results(root).entries(name):
            fake_results.update(root, name, entry.run.name, entry.seed, machine=one)
    assert verdict(root, "race-5-min").verdict == claim.REPRODUCED  # as the invented scores are
    assert verdict(root, "race-hour").verdict == claim.NOT_REPRODUCED  # judged, as these are


def test_the_report_shows_the_race(root):
    page = fake_results.make(root).read_text(encoding="utf-8")
    for text in ("NRWS, mended", 'id="mark-race-hour"', "nothing beside them", "another one"):
        assert text in page
    assert "tables/race_scores.csv" in page


def test_without_a_race_the_report_is_made(tmp_path):
    small = fake_results.small()
    small["experiments"] = {"minimnist": small["experiments"]["minimnist"]}
    root = fake_results.write(tmp_path, config.resolve(small))
    assert "The configuration has no race" in report.make(Results(root)).read_text(encoding="utf-8")
