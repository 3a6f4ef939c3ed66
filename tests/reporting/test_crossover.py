"""The crossover of NRWS and RWS, by their settings."""

import fake_results
import numpy as np
import pytest

from nws import config
from nws.reporting.page import crossover, report
from nws.reporting.results import Results


@pytest.fixture
def root(tmp_path):
    """Searches with the paper's rate and another; NRWS at 0.2 leads its rivals from epoch 2."""
    root = fake_results.write(tmp_path, configuration())
    for run, loss in (("race_search/rws_lr0.05", [40, 38]), ("race_search/rws_lr0.2", [39, 34])):
        _curve(root, run, loss)
    _curve(root, "race_search/nrws_lr0.05", [50, 36])
    _curve(root, "race_search/nrws_lr0.2", [38, 33])
    return root


def configuration():
    small = fake_results.small()
    small["experiments"]["minimnist"]["runs"]["rws_b"]["learning_rate"] = 0.05
    small["experiments"]["race_search"]["settings"]["epochs"] = 2
    return config.resolve(small)


def _curve(root, run, losses):
    experiment, name = run.split("/")
    fake_results.rewrite(root, experiment, name, train_loss=losses, valid_loss=losses)


def test_the_papers_pair_then_the_search_against_two_of_rws(root):
    paper, *search = crossover.leads(Results(root))
    assert (paper.experiment, paper.rws.learning_rate) == ("minimnist", 0.05)
    found = {(x.nrws.learning_rate, x.rws.learning_rate): (x.epoch, x.nats) for x in search}
    assert found == {
        (0.05, 0.05): (2, 2),
        (0.2, 0.05): (1, 5),
        (0.05, 0.2): (np.inf, -2),
        (0.2, 0.2): (1, 1),
    }


def test_what_diverged_or_is_missing_is_left_out(tmp_path):
    gone = ("race_search/nrws_lr0.05",)
    missing = ("race_search/rws_lr0.2",)
    root = fake_results.write(tmp_path, configuration(), diverged=gone, missing=missing)
    rates = {(x.nrws.learning_rate, x.rws.learning_rate) for x in crossover.leads(Results(root))}
    assert (0.05, 0.05) not in rates
    assert (0.2, 0.05) in rates
    assert all(theirs != 0.2 for _, theirs in rates)


def test_the_report_shows_it(root):
    page = report.make(Results(root)).read_text(encoding="utf-8")
    assert "stays ahead from epoch" in page
    assert "<td>never</td>" in page
