"""The crossover of NRWS and RWS, by their settings."""

import json

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
    for run, loss in (("search_rws/lr0.05", [40, 38]), ("search_rws/lr0.2", [39, 34])):
        _curve(root, run, loss)
    _curve(root, "search_nrws/lr0.05", [50, 36])
    _curve(root, "search_nrws/lr0.2", [38, 33])
    return root


def configuration():
    small = json.loads(json.dumps(fake_results.SMALL))
    small["experiments"]["minimnist"]["runs"]["rws_b"]["learning_rate"] = 0.05
    return config.resolve(small)


def _curve(root, run, losses):
    folder = root / "runs" / run / "seed0"
    lines = (folder / "history.csv").read_text().splitlines()
    head, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    for row, loss in zip(rows, losses, strict=True):
        for column in ("train_loss", "valid_loss"):
            row[head.index(column)] = str(float(loss))
    fake_results.put(folder / "history.csv", "\n".join([lines[0], *map(",".join, rows)]) + "\n")
    experiment, _, name = run.partition("/")
    fake_results.update(root, experiment, name, final_valid_loss=losses[-1])


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
    gone = ("search_nrws/lr0.05",)
    missing = ("search_rws/lr0.2",)
    root = fake_results.write(tmp_path, configuration(), diverged=gone, missing=missing)
    rates = {(x.nrws.learning_rate, x.rws.learning_rate) for x in crossover.leads(Results(root))}
    assert (0.05, 0.05) not in rates
    assert (0.2, 0.05) in rates
    assert all(theirs != 0.2 for _, theirs in rates)


def test_the_report_shows_it(root):
    page = report.make(root).read_text(encoding="utf-8")
    assert "stays ahead from epoch" in page
    assert "<td>never</td>" in page
