"""The hyperparameter search: what was chosen."""

import json

import fake_results

from nws.reporting.page import search
from nws.reporting.results import Results


def _loss(root, run, loss, status="finished"):
    fake_results.update(root, "search_rws", run, final_valid_loss=loss, status=status)


def _of(root):
    return {found.experiment: found for found in search.searches(Results(root))}["search_rws"]


def test_the_lowest_final_validation_loss_wins(tmp_path):
    root = fake_results.write(tmp_path)
    _loss(root, "lr0.05", 31.0)
    _loss(root, "lr0.2", 30.0)
    found = _of(root)
    assert (found.best.run.name, found.taken) == ("lr0.2", True)  # tuned has 0.2


def test_another_choice_than_the_tuned_runs_have_is_told(tmp_path):
    root = fake_results.write(tmp_path)
    _loss(root, "lr0.05", 29.0)
    _loss(root, "lr0.2", 30.0)
    found = _of(root)
    assert (found.best.run.name, found.taken) == ("lr0.05", False)


def test_what_diverged_is_never_chosen(tmp_path):
    root = fake_results.write(tmp_path)
    _loss(root, "lr0.05", 1.0, "diverged")
    _loss(root, "lr0.2", float("nan"))
    assert _of(root).best is None or _of(root).best.run.name == "lr0.2"
    assert not _of(root).taken


def test_a_configuration_without_searches_has_none(tmp_path):
    small = json.loads(json.dumps(fake_results.SMALL))
    for name in search.SEARCHES:
        del small["experiments"][name]
    root = fake_results.write(tmp_path, fake_results.configuration.resolve(small))
    assert search.searches(Results(root)) == []
