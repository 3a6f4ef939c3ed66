"""The searches of the race: what they chose, for each budget, and how it gets into the race."""

import math

import fake_results
import pytest
import yaml

from nws import config
from nws.reporting import choose, search, tables
from nws.reporting.results import Results

ALL = ("rws_lr0.05", "rws_lr0.2")


def losses(root, run, values, experiment="race_search"):
    """One epoch a second, with these validation losses."""
    fake_results.rewrite(
        root, experiment, run, seconds=range(1, len(values) + 1), valid_loss=values
    )


def choice(root, experiment, rival="rws"):
    found = {(c.run.experiment, c.run.name): c for c in search.choices(Results(root))}
    return found[experiment, rival]


@pytest.fixture
def root(tmp_path):
    """RWS: 0.05 is the better one after two seconds, 0.2 after four; 0.05 again after eight."""
    root = fake_results.write(tmp_path)
    losses(root, "rws_lr0.05", [40, 38, 37, 36])
    losses(root, "rws_lr0.2", [50, 39, 36, 35])
    losses(root, "rws_1", [50, 39, 36, 35, 34, 34, 34, 34], "race_search_long")
    losses(root, "rws_2", [40, 38, 37, 36, 35, 34, 33, 32], "race_search_long")
    return root


def test_each_budget_has_the_best_when_so_much_was_spent(root):
    short, middle, long = (choice(root, name) for name in ("race1", "race2", "race4"))
    # The runs of the longer search pass through the smaller budgets, too: the same settings again.
    assert [loss for _, loss in short.ranking.losses] == [38, 39]
    assert (short.ranking.seconds, short.best.settings.learning_rate) == (2, 0.05)
    assert (middle.ranking.seconds, middle.best.settings.learning_rate) == (4, 0.2)
    assert (long.ranking.seconds, long.best.name) == (8, "rws_2")  # no search took sixteen
    assert [c.taken for c in (short, middle, long)] == [False, True, False]


def test_a_budget_is_spent_at_the_end_of_an_epoch(tmp_path):
    """Of three and a half seconds, with epochs of one: in the fourth, as a run with that budget."""
    small = fake_results.small()
    small["experiments"]["race1"]["settings"]["budget"] = 3.5
    root = fake_results.write(tmp_path, config.resolve(small), missing=["race_search_long/rws_1"])
    losses(root, "rws_lr0.05", [40, 38, 37, 31])
    losses(root, "rws_lr0.2", [50, 39, 30, 32])
    assert choice(root, "race1").best.name == "rws_lr0.05"


@pytest.mark.parametrize("bad", ["diverged", "missing"])
def test_what_did_not_get_there_is_not_chosen(tmp_path, bad):
    both = [f"race_search/{name}" for name in ALL] + [f"race_search_long/rws_{i}" for i in (1, 2)]
    root = fake_results.write(tmp_path, **{bad: both})
    found = choice(root, "race4")
    assert found.best is None
    assert not found.taken
    assert (
        "rws"
        not in yaml.safe_load(choose.text(Results(root), "fake")[0])["experiments"]["race4"]["runs"]
    )


def test_what_diverged_later_was_good_before(root):
    """Its history says what it had when the smaller budget was spent."""
    for name in ("rws_1", "rws_2"):
        fake_results.update(root, "race_search_long", name, status="diverged")
        losses(root, name, [30, 29, 36, 35, 34, 34, 34, math.nan], "race_search_long")
    assert choice(root, "race1").best.name in ("rws_1", "rws_2")
    assert choice(root, "race4").best is None


def test_the_likelihood_decides_where_a_search_was_scored(tmp_path):
    """If it is as long as the budget: of shorter ones nothing was scored on the way."""
    small = fake_results.small()
    small["experiments"]["race_search"]["settings"]["likelihood_samples"] = 100
    root = fake_results.write(tmp_path, config.resolve(small), missing=["race_search_long/rws_1"])
    losses(root, "rws_lr0.05", [38, 37, 36, 35])  # better by the bound
    losses(root, "rws_lr0.2", [40, 39, 38, 37])
    losses(root, "rws_2", [50] * 8, "race_search_long")
    fake_results.rescore(root, "race_search", "rws_lr0.05", [-34.5], split="valid")
    fake_results.rescore(root, "race_search", "rws_lr0.2", [-34.0], split="valid")
    middle = choice(root, "race2")
    assert (middle.best.name, middle.ranking.scored) == ("rws_lr0.2", True)
    assert [loss for _, loss in middle.ranking.losses] == [34.0, 34.5]
    early = choice(root, "race1")
    assert (early.best.name, early.ranking.scored) == ("rws_lr0.05", False)
    rows = tables.data("race_search", Results(root))
    of_rws = rows[rows["rival"] == "RWS"].set_index("budget")["criterion"]
    assert set(of_rws[4]) == {"log p̂"}
    assert set(of_rws[2]) == {"bound"}


def test_how_a_search_was_scored_is_not_written_for_the_race(tmp_path):
    small = fake_results.small()
    grid = {"likelihood_samples": [100], "likelihood_images": [20]}
    small["experiments"]["race_search"]["grids"]["rws"] |= grid
    root = fake_results.write(tmp_path, config.resolve(small))
    written = yaml.safe_load(choose.text(Results(root), "fake")[0])["experiments"]
    assert set(written["race2"]["runs"]["rws"]) == {"algorithm", "learning_rate"}


def test_what_a_scored_search_did_not_score_is_not_chosen(tmp_path):
    small = fake_results.small()
    small["experiments"]["race_search"]["settings"]["likelihood_samples"] = 100
    both = [f"race_search/{name}" for name in ALL]
    root = fake_results.write(tmp_path, config.resolve(small), missing=both)
    assert choice(root, "race2").best is None


@pytest.mark.parametrize("bad", ["diverged", "missing", "unscored"])
def test_the_luck_of_one_seed_is_not_chosen(tmp_path, bad):
    """Of a scored search: all seeds of the settings must have ended well and been scored."""
    small = fake_results.small()
    small["experiments"]["race_search"] |= {"seeds": [0, 1]}
    small["experiments"]["race_search"]["settings"]["likelihood_samples"] = 100
    root = fake_results.write(tmp_path, config.resolve(small), missing=["race_search_long/rws_1"])
    fake_results.rescore(root, "race_search", "rws_lr0.05", [-20.0, -20.0], split="valid")
    fake_results.rescore(root, "race_search", "rws_lr0.2", [-34.0, -34.0], split="valid")
    assert choice(root, "race2").best.name == "rws_lr0.05"
    if bad == "diverged":
        fake_results.update(root, "race_search", "rws_lr0.05", 1, status="diverged")
    elif bad == "missing":
        fake_results.remove(root, "race_search", "rws_lr0.05", 1)
    else:
        fake_results.update(root, "race_search", "rws_lr0.05", 1, log_likelihood=None)
    found = choice(root, "race2")
    assert (found.best.name, found.ranking.scored) == ("rws_lr0.2", True)


def test_settings_are_the_same_whatever_the_length_and_the_scoring(root):
    run = choice(root, "race2").run
    assert not search.same(
        run, run.model_copy(update={"settings": run.settings.model_copy(update={"damping": 1.0})})
    )
    longer = run.settings.model_copy(update={"budget": 9.0, "likelihood_samples": 5})
    assert search.same(run, run.model_copy(update={"settings": longer}))


def test_what_was_chosen_is_written_and_then_taken(root):
    """As a configuration over the one that was searched: then the race has the searches' choices,
    and the longer search the best of the shorter, in their order."""
    losses(root, "nrws_mended_lr0.2", [30, 30, 30, 30])
    content = yaml.safe_load(choose.text(Results(root), "fake")[0])
    assert (content["extends"], content["scale"]) == ("fake", "fake")
    written = content["experiments"]
    assert written["race_search_long"]["runs"] == {
        "rws_1": {"algorithm": "rws", "learning_rate": 0.2},
        "rws_2": {"algorithm": "rws", "learning_rate": 0.05},
    }
    assert written["race1"]["runs"]["nrws_mended"] == {
        "algorithm": "nrws",
        "unit_damping": 1.0,
        "learning_rate": 0.2,
    }
    small = config.merge(fake_results.small(), {"experiments": written})
    again = Results(root, config.resolve(small))
    assert all(c.taken for c in search.choices(again))


def test_the_table_ranks_every_setting(root):
    frame = tables.data("race_search", Results(root))
    rows = frame[(frame["rival"] == "RWS") & (frame["budget"] == 4)]
    assert list(rows["rank"]) == [1, 2]
    assert list(rows["valid_loss"]) == [35, 36]
    assert list(rows["in_race"]) == ["yes", "no"]


def test_what_was_tried_can_be_read(root):
    assert search.spaces(Results(root)) == {
        "RWS": "η 0.05, 0.2",
        "NRWS": "η 0.05, 0.2",
        "NRWS, mended": "unit_damping 1; η 0.1, 0.2",
    }


def test_a_configuration_without_searches_has_none(tmp_path):
    small = fake_results.small()
    for name in search.EXPERIMENTS:
        del small["experiments"][name]
    root = fake_results.write(tmp_path, config.resolve(small))
    assert search.choices(Results(root)) == []
