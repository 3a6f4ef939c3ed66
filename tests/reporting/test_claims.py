"""Claims: known inputs give the known verdict, and their reverse the other one."""

import copy
import json
import re
import shutil

import numpy as np
import pytest
from fake_results import SMALL, put, rescore, rewrite, update, write

from nws import config as configuration
from nws.reporting import claims
from nws.reporting import fisher_enumeration as enumeration
from nws.reporting.claims import (
    claim,
    damping,
    grids,
    ksteps,
    learning,
    likelihood,
    sooner,
    structure,
)
from nws.reporting.claims.claim import (
    NOT_AT_SCALE,
    NOT_REPRODUCED,
    NOT_RUN,
    PARTLY,
    REPRODUCED,
    Claim,
    Unusable,
    Verdict,
    judge,
)
from nws.reporting.claims.scale import Needs
from nws.reporting.results import Results


@pytest.fixture
def root(tmp_path):
    return write(tmp_path)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([-27.6, -27.7, -27.5], REPRODUCED),
        ([-28.2, -28.4, -28.3], PARTLY),
        ([-29.5, -29.6, -29.4], NOT_REPRODUCED),
        ([-26.0, -26.1, -26.2], NOT_REPRODUCED),  # better is not the same either
    ],
)
def test_values(root, values, verdict):
    rescore(root, "minimnist", "nrws_b", values)
    found = likelihood.value(Results(root), "minimnist", "B", "nrws", -27.606)
    assert found.verdict == verdict
    assert found.seeds == 3


@pytest.mark.parametrize(
    ("ws", "rws", "nrws", "verdict"),
    [
        (-30, -29, -28, REPRODUCED),
        (-29, -30, -28, PARTLY),
        (-30, -28, -29, NOT_REPRODUCED),
        (-28.02, -28.01, -28, PARTLY),  # in order, but within the noise of the seeds
    ],
)
def test_ordering(root, ws, rws, nrws, verdict):
    for run, mean in (("ws_b", ws), ("rws_b", rws), ("nrws_b", nrws)):
        rescore(root, "minimnist", run, [mean - 0.1, mean, mean + 0.1])
    assert likelihood.ordering(Results(root), "minimnist", "B").verdict == verdict


def test_leads_from():
    leader = np.array([5.0, 4, 3, 2])
    assert sooner.leads_from(leader, np.array([4.0, 3.9, 3.5, 3])) == 3
    assert sooner.leads_from(leader, leader + 1) == 1
    assert sooner.leads_from(leader, leader - 1) == float("inf")
    assert sooner.leads_from(leader, np.array([6.0, 6, 6, 1])) == float("inf")


def test_longest_lead():
    leader = np.array([5.0, 4, 3, 2, 1])
    assert sooner.longest_lead(leader, np.array([6.0, 4, 4, 3, 0])) == (3, 4, 5)
    assert sooner.longest_lead(leader, leader + 1) == (1, 5, 5)
    assert sooner.longest_lead(leader, leader + 1, leader) == (0, 0, 5)


def test_crossover_by_epoch(root):
    falling = np.array([40.0, 38, 36, 34, 32, 30])
    for seed in range(3):
        rewrite(root, "minimnist", "ws_b", seed, train_loss=falling + 9)
        rewrite(root, "minimnist", "rws_b", seed, train_loss=falling)
        slow = falling + np.array([2, 1, 1, -1, -2, -3])
        rewrite(root, "minimnist", "nrws_b", seed, train_loss=slow)
    results = Results(root)
    assert sooner.crossover(results, "B", 4, 8).verdict == REPRODUCED
    assert sooner.crossover(results, "B", 1, 2).verdict == PARTLY
    for seed in range(3):
        rewrite(root, "minimnist", "nrws_b", seed, train_loss=falling + 1)
    found = sooner.crossover(Results(root), "B", 4, 8)
    assert (found.verdict, found.why) == (NOT_REPRODUCED, "Seed 0: below both at no epoch, of 6.")


@pytest.mark.parametrize(
    ("first", "last", "verdict"), [(1, 2, PARTLY), (4, 8, NOT_REPRODUCED)], ids=["early", "late"]
)
def test_a_lead_that_is_lost_again_is_part_of_one(root, first, last, verdict):
    """However long the run goes on after it."""
    falling = np.array([40.0, 38, 36, 34, 32, 30])
    for seed in range(3):
        for run, loss in (("ws_b", falling + 9), ("rws_b", falling), ("nrws_b", falling - 1)):
            rewrite(root, "minimnist", run, seed, train_loss=loss)
    rewrite(root, "minimnist", "nrws_b", 1, train_loss=falling - np.array([1, 1, 1, 1, -1, -1]))
    found = sooner.crossover(Results(root), "B", first, last)
    assert (found.verdict, found.ours) == (verdict, "epoch 1, not to the end")
    assert found.why.endswith("Seed 1: from epoch 1 to 4, not after, of 6.")


def test_an_epoch_ahead_is_no_lead(tmp_path):
    experiments = copy.deepcopy(SMALL["experiments"])
    experiments["minimnist"]["settings"]["epochs"] = 30
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    falling = np.linspace(40.0, 30.0, 30)
    for lucky, verdict in ((1, NOT_REPRODUCED), (3, PARTLY)):
        ahead = np.r_[1, -np.ones(lucky), np.ones(29 - lucky)]
        for seed in range(3):
            for run, loss in (("ws_b", falling + 9), ("rws_b", falling)):
                rewrite(root, "minimnist", run, seed, train_loss=loss)
            rewrite(root, "minimnist", "nrws_b", seed, train_loss=falling + ahead)
        found = sooner.crossover(Results(root), "B", 1, 4)
        assert found.verdict == verdict, found.why
        assert ("A lead of 1 epochs of 30 is none." in found.why) == (lucky == 1)


def test_sooner_in_epochs_and_seconds(root):
    plain = np.array([40.0, 38, 36, 34, 32, 30])
    quick = np.array([35.0, 29, 28, 27, 26, 25])
    for factor, in_time in ((1.5, True), (9.0, False)):
        for seed in range(3):
            for run in ("ws_b", "rws_b"):
                rewrite(root, "minimnist", run, seed, train_loss=plain, seconds=np.arange(1, 7))
            seconds = factor * np.arange(1, 7)
            rewrite(root, "minimnist", "nrws_b", seed, train_loss=quick, seconds=seconds)
        for faster in (True, False):
            found = sooner.reaches_sooner(Results(root), "minimnist", "B", faster)
            assert found.verdict == (REPRODUCED if faster == in_time else PARTLY)
            assert "stay" not in found.why
            assert "rises" not in found.why
    passing = np.array([35.0, 30, 31, 31, 31, 31.25])
    rewrite(root, "minimnist", "nrws_b", 1, train_loss=passing, seconds=np.arange(1, 7))
    found = sooner.reaches_sooner(Results(root), "minimnist", "B", True)
    assert (found.verdict, found.ours[:9]) == (PARTLY, "RWS ×0.33")
    for rival in ("RWS", "WS"):
        text = f"not stay at {rival}’s level: seed 1 is there in 1 of 6 epochs and ends 1.25 above."
        assert text in found.why
    risen = np.array([40.0, 31, 30, 32, 32, 32])
    for seed in range(3):
        rewrite(root, "minimnist", "nrws_b", seed, train_loss=[33.0, 33, 31, 29, 28, 27])
        rewrite(root, "minimnist", "rws_b", seed, train_loss=risen, seconds=np.arange(1, 7))
    found = sooner.reaches_sooner(Results(root), "minimnist", "B", True)
    assert found.ours.startswith("RWS ×1.50 epochs")
    assert "seed 0 has its final 32.00 in epoch 2 and its lowest 30.00 in epoch 3" in found.why
    assert "With the lowest in place of the final one: RWS ×1.33 epochs" in found.why
    for seed in range(3):
        rewrite(root, "minimnist", "rws_b", seed, train_loss=plain)
        rewrite(root, "minimnist", "nrws_b", seed, train_loss=plain + 1)
    found = sooner.reaches_sooner(Results(root), "minimnist", "B", True)
    assert (found.verdict, found.ours) == (NOT_REPRODUCED, "RWS not reached; WS not reached")


@pytest.mark.parametrize(
    ("extra", "verdict"), [(2.0, REPRODUCED), (0.7, PARTLY), (0.1, NOT_REPRODUCED)]
)
def test_gap(root, extra, verdict):
    train = np.full(6, 90.0)
    for seed in range(3):
        for run, gap in (("ws", 1.0), ("rws", 0.5), ("nrws", extra)):
            rewrite(root, "mnist", run, seed, train_loss=train, valid_loss=train + gap)
    assert learning.gap(Results(root)).verdict == verdict


UNRAISED = {name: found for name, found in SMALL["experiments"].items() if name != "rates"}


def test_learning_rate_needs_an_experiment_that_raises_it(tmp_path):
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": UNRAISED}))
    assert learning.learning_rate(Results(root)).verdict == NOT_RUN


@pytest.mark.parametrize(("loss", "verdict"), [(70.0, NOT_REPRODUCED), (200.0, REPRODUCED)])
def test_learning_rate(root, loss, verdict):
    for seed in range(3):
        for run, level in (("ws", 100.0), ("rws", 95.0), ("nrws", 90.0)):
            rewrite(root, "mnist", run, seed, train_loss=np.full(6, level))
    for run in ("ws_lr0.05", "rws_lr0.05"):
        rewrite(root, "rates", run, 0, train_loss=np.full(6, 99.0))
    rewrite(root, "rates", "rws_lr0.05", 0, train_loss=np.full(6, loss))
    found = learning.learning_rate(Results(root))
    assert (found.verdict, "RWS η 0.05 caught up" in found.why) == (verdict, loss < 90)


def test_learning_rate_is_about_speed_and_not_the_end(root):
    """A larger η that is ahead early has caught up, wherever it ends."""
    for seed in range(3):
        for run, loss in (("ws", np.full(6, 150.0)), ("rws", np.full(6, 140.0))):
            rewrite(root, "mnist", run, seed, train_loss=loss)
        rewrite(root, "mnist", "nrws", seed, train_loss=np.array([160.0, 120, 100, 91, 90, 90]))
    rewrite(root, "rates", "ws_lr0.05", 0, train_loss=np.full(6, 150.0))
    early = np.array([100.0, 95, 95, 95, 95, 95])
    rewrite(root, "rates", "rws_lr0.05", 0, train_loss=early)
    assert learning.learning_rate(Results(root)).verdict == NOT_REPRODUCED
    rewrite(root, "rates", "rws_lr0.05", 0, train_loss=early[::-1] + 20)
    assert learning.learning_rate(Results(root)).verdict == REPRODUCED


def test_a_larger_learning_rate_that_diverged_did_not_catch_up(tmp_path):
    root = write(tmp_path, diverged=["rates/ws_lr0.05", "rates/rws_lr0.05"])
    for seed in range(3):
        for run, level in (("ws", 100.0), ("rws", 95.0), ("nrws", 90.0)):
            rewrite(root, "mnist", run, seed, train_loss=np.full(6, level))
    assert learning.learning_rate(Results(root)).verdict == REPRODUCED


def test_without_a_curve_no_learning_rate_is_faster(tmp_path):
    small = configuration.resolve(SMALL)
    names = [f"{r.experiment}/{r.name}" for r in configuration.runs(small)]
    lost = [name for name in names if name.startswith(("mnist/", "rates/"))]
    with pytest.raises(Unusable, match="diverged") as error:
        learning.learning_rate(Results(write(tmp_path, diverged=lost)))
    assert error.value.diverged


def test_a_larger_learning_rate_is_larger_than_another_one(tmp_path):
    experiments = copy.deepcopy(SMALL["experiments"])
    experiments["rates"]["grid"]["algorithm"] = ["nws"]
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    with pytest.raises(Unusable, match="mnist has no run of NWS"):
        learning.learning_rate(Results(root))


def test_who_is_ahead_at_the_papers_rate_need_not_catch_up(root):
    for seed in range(3):
        for run, level in (("ws", 100.0), ("rws", 80.0), ("nrws", 90.0)):
            rewrite(root, "mnist", run, seed, train_loss=np.full(6, level))
    found = learning.learning_rate(Results(root))
    assert (found.verdict, found.ours) == (NOT_REPRODUCED, "nothing to catch up with")
    assert found.why == "RWS: below NRWS’s 90.000 at the paper’s η already, over 6 epochs."


@pytest.mark.parametrize(("shift", "verdict"), [(50, REPRODUCED), (-50, NOT_REPRODUCED)])
def test_adam(root, shift, verdict):
    for seed in range(3):
        for run, loss in (("ws", 100), ("rws", 100), ("nws", 100 + shift), ("nrws", 100 + shift)):
            rewrite(root, "adam", run, seed, valid_loss=np.full(4, loss))
    assert learning.adam(Results(root)).verdict == verdict


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(5, REPRODUCED), (2, PARTLY), (0.5, NOT_REPRODUCED)]
)
def test_cost(root, seconds, verdict):
    for seed in range(3):
        rewrite(root, "mnist", "nrws", seed, seconds=seconds * np.arange(1, 7))
        rewrite(root, "mnist", "rws", seed, seconds=np.arange(1, 7))
    found = learning.cost(Results(root))
    assert (found.verdict, "median epoch" in found.why) == (verdict, False)
    rewrite(root, "mnist", "rws", 1, seconds=[1, 2, 4, 6, 8, 10])
    told = "The median epoch over an undisturbed one: ×2.00 in mnist/rws seed 1."
    assert learning.cost(Results(root)).why.endswith(told)


def test_cost_is_of_a_few_epochs_where_the_whole_is_missing(tmp_path):
    experiments = {**SMALL["experiments"], "mnist_short": SMALL["experiments"]["mnist"]}
    small = configuration.resolve({**SMALL, "experiments": experiments})
    for missing, expected in ((("mnist/nrws",), "×7.00"), ((), "×3.00")):
        root = write(tmp_path / str(len(missing)), small, missing=missing)
        for seed in range(3):
            rewrite(root, "mnist_short", "nrws", seed, seconds=7 * np.arange(1, 7))
            rewrite(root, "mnist_short", "rws", seed, seconds=np.arange(1, 7))
            if not missing:
                rewrite(root, "mnist", "nrws", seed, seconds=3 * np.arange(1, 7))
                rewrite(root, "mnist", "rws", seed, seconds=np.arange(1, 7))
        assert learning.cost(Results(root)).ours == expected


def disturbed(seconds, epochs=6):
    """Cumulative seconds, most epochs beside other work and one through a pause."""
    return seconds * np.cumsum([1.0, 1, 4, 4, 700, 5][:epochs])


def test_other_work_beside_a_run_changes_no_verdict_on_time(root):
    plain = np.array([40.0, 38, 36, 34, 32, 30])
    quick = np.array([35.0, 34, 33, 32, 29, 28])
    for seed in range(3):
        for run in ("ws", "rws"):
            seconds = np.arange(1, 7)
            rewrite(root, "mnist", run, seed, train_loss=plain, seconds=seconds)
            rewrite(root, "minimnist", f"{run}_b", seed, train_loss=plain, seconds=seconds)
        rewrite(root, "mnist", "nrws", seed, train_loss=quick, seconds=disturbed(5))
        rewrite(root, "minimnist", "nrws_b", seed, train_loss=quick, seconds=disturbed(1.1))
    results = Results(root)
    assert learning.cost(results).ours == "×5.00"
    found = sooner.reaches_sooner(results, "minimnist", "B", True)
    assert (found.verdict, found.ours.count("×0.92 seconds")) == (REPRODUCED, 2)
    assert "undisturbed" in found.why
    assert "not of one machine" not in found.why


@pytest.mark.parametrize("change", [{"threads": 1}, {"cpu": "another one"}])
def test_times_of_different_machines_are_said_to_be(root, change):
    folder = root / "runs" / "mnist" / "nrws" / "seed0"
    machine = json.loads((folder / "metrics.json").read_text())["machine"] | change
    for seed in range(3):
        update(root, "mnist", "nrws", seed, machine=machine)
    for found in (
        learning.cost(Results(root)),
        sooner.reaches_sooner(Results(root), "mnist", "static", False),
    ):
        assert "not of one machine and thread count: " in found.why
        assert f"{machine['cpu']} with {machine['threads']} thread" in found.why


def curves_by_damping(root, kl, loss):
    for run in ("vanilla", "a1e-05", "a0.001", "a0.1", "a10"):
        rewrite(root, "damping", run, exact_kl=np.full(20, kl[run]), valid_loss=loss[run])


def test_damping(root):
    kl = {"vanilla": 0.1, "a1e-05": 0.3, "a0.001": 0.02, "a0.1": 0.03, "a10": 0.09}
    slow = np.linspace(5, 2.6, 20)
    fast = np.linspace(3, 2.45, 20)
    noisy = np.full(20, 2.5) + 0.2 * (-1.0) ** np.arange(20)
    loss = {"vanilla": slow, "a1e-05": noisy, "a0.001": fast, "a0.1": fast, "a10": slow + 0.01}
    curves_by_damping(root, kl, loss)
    checks = (damping.useful_damping, damping.low_damping, damping.high_damping)
    assert [check(Results(root)).verdict for check in checks] == [REPRODUCED] * 3
    found = damping.low_damping(Results(root))
    assert found.ours.startswith("faster with 1 of 1 seeds, slower with 0; noise ")
    assert found.why.endswith("level: α 1e-05: 1, α 0.001: 3, α 0.1: 3, α 10: 18.")
    kl |= {"a0.001": 0.5, "a0.1": 0.5}
    loss |= {"a1e-05": slow, "a10": fast - 1, "a0.001": slow, "a0.1": slow}
    curves_by_damping(root, kl, loss)
    assert damping.useful_damping(Results(root)).verdict == NOT_REPRODUCED
    assert damping.high_damping(Results(root)).verdict == NOT_REPRODUCED


def test_damping_compares_the_epochs_that_all_have_had(tmp_path):
    """One run is shorter, and of another one only a seed."""
    experiments = copy.deepcopy(SMALL["experiments"])
    experiments["damping"] |= {"seeds": [0, 1]}
    experiments["damping"]["settings"]["patience"] = 2
    experiments["damping"]["runs"]["vanilla"]["epochs"] = 15
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    loss = {"vanilla": 5.0, "a1e-05": 2.5, "a0.001": 3.0, "a0.1": 3.0, "a10": 4.9}
    for run, level in loss.items():
        for seed in (0, 1):
            epochs = 15 if run == "vanilla" else 20
            values = np.r_[np.full(15, level), np.full(epochs - 15, 9.0)]
            rewrite(root, "damping", run, seed, valid_loss=values)
    folder = root / "runs/damping/a0.1/seed1"
    shorter = (folder / "history.csv").read_text().splitlines()[:13]
    put(folder / "history.csv", "\n".join(shorter) + "\n")
    update(root, "damping", "a0.1", 1, status="converged", epochs=12)
    found = damping.high_damping(Results(root))
    assert (found.verdict, found.ours[:13]) == (REPRODUCED, "α 10: 0.1000;")
    assert "of 2 seeds" in damping.low_damping(Results(root)).ours


def test_of_two_runs_of_one_damping_none_is_judged(tmp_path):
    experiments = copy.deepcopy(SMALL["experiments"])
    experiments["damping"]["grid"]["samples"] = [2, 20]
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    with pytest.raises(Unusable, match="damping has several runs of one damping value"):
        damping.useful_damping(Results(root))


def grid(root, experiment, loss):
    for run in Results(root).runs(experiment):
        s = run.settings
        update(root, experiment, run.name, min_valid_loss=loss(s.learning_rate, s.damping))


def test_best_cells(root):
    def valley(rate, damping):
        return abs(np.log(rate / 0.01)) + abs(np.log(damping / 0.1))

    grid(root, "grid_minimnist", valley)
    assert grids.region(Results(root), "grid_minimnist").verdict == REPRODUCED
    grid(root, "grid_minimnist", lambda rate, damping: -rate - damping)
    found = grids.region(Results(root), "grid_minimnist")
    assert found.verdict == NOT_REPRODUCED
    assert "the best inside, η 0.01, α 0.1, is 0.990 above it" in found.why
    assert "2 other cells are within 0.1 of it" in found.why
    assert "the best one’s η is the largest and α is the largest of the grid" in found.why
    grid(root, "grid_minimnist", lambda rate, damping: -0.1 * (rate + damping))
    assert grids.region(Results(root), "grid_minimnist").verdict == PARTLY  # .099: a seed's
    grid(root, "grid_minimnist", lambda rate, damping: 9 * (rate < 0.1) + damping)
    assert "One other cell is within 0.1 of it" in grids.region(Results(root), "grid_minimnist").why


def test_image_size(root):
    grid(root, "grid_minimnist", lambda rate, damping: damping)  # best: .01
    for loss, verdict in ((lambda r, a: -a, REPRODUCED), (lambda r, a: a, PARTLY)):
        grid(root, "grid_mnist", loss)
        assert grids.image_size(Results(root)).verdict == verdict


@pytest.mark.parametrize(("power", "verdict"), [(1, REPRODUCED), (0, NOT_REPRODUCED)])
def test_linear(tmp_path, power, verdict):
    values = [0.001, 0.01, 0.1, 1.0]
    experiment = {"seeds": [0], "grid": {"learning_rate": values, "damping": values}}
    config = {**SMALL, "experiments": {"grid_minimnist": experiment}}
    root = write(tmp_path, configuration.resolve(config))
    grid(root, "grid_minimnist", lambda rate, damping: abs(np.log(rate / damping**power)))
    assert grids.linear(Results(root)).verdict == verdict


def test_a_grid_with_holes_is_not_judged(tmp_path):
    root = write(tmp_path, missing=["grid_minimnist/lr0.001_a1"])
    with pytest.raises(Unusable, match="missing"):
        grids.region(Results(root), "grid_minimnist")


@pytest.fixture
def steps(tmp_path):
    experiment = {"seeds": [0], "settings": {"dataset": "mnist_bst", "epochs": 5}}
    experiment["grid"] = {"refresh": [0, 50, 100, 500, 1000]}
    config = {**SMALL, "experiments": {"ksteps": experiment}}
    config["experiments"]["inversion"] = experiment | {"grid": {"refresh": [1, 50]}}
    return write(tmp_path, configuration.resolve(config))


def test_ksteps(steps):
    calm, rough = np.array([99.0, 98, 97, 96, 95]), np.array([99.0, 97, 99, 96, 98])
    for run, loss in (
        ("k0", calm),
        ("k50", calm),
        ("k100", calm),
        ("k500", rough),
        ("k1000", rough + np.array([0, 0, 1, 0, 1])),
    ):
        rewrite(steps, "ksteps", run, valid_loss=loss)
    rewrite(steps, "inversion", "k1", seconds=disturbed(9.0, 5))
    rewrite(steps, "inversion", "k50", seconds=np.arange(1, 6))
    checks = (ksteps.up_to_100, ksteps.stability, ksteps.speed)
    assert [check(Results(steps)).verdict for check in checks] == [REPRODUCED] * 3
    rewrite(steps, "ksteps", "k100", valid_loss=calm - 2)  # that is an impact, too
    found = ksteps.up_to_100(Results(steps))
    assert found.verdict == PARTLY
    assert found.why.endswith("which ends at 95.0; 0 are worse by more.")
    rewrite(steps, "ksteps", "k100", valid_loss=calm + 2)
    for run in ("k500", "k1000"):
        rewrite(steps, "ksteps", run, valid_loss=calm)
    rewrite(steps, "inversion", "k1", seconds=np.arange(1, 6))
    rewrite(steps, "ksteps", "k0", seconds=2 * np.arange(1, 6))
    rewrite(steps, "ksteps", "k50", seconds=3 * np.arange(1, 6))
    found = [check(Results(steps)) for check in checks]
    assert [v.verdict for v in found] == [PARTLY, NOT_REPRODUCED, NOT_REPRODUCED]
    assert "nothing to invert: ×1.50, 3.00 s per undisturbed epoch at K = 50, 2.00" in found[2].why


def test_a_diverged_k_is_unstable(tmp_path):
    experiment = {
        "settings": {"dataset": "mnist_bst", "epochs": 5},
        "grid": {"refresh": [1, 500, 1000]},
    }
    config = configuration.resolve({**SMALL, "experiments": {"ksteps": experiment}})
    root = write(tmp_path, config, diverged=["ksteps/k500", "ksteps/k1000"])
    assert ksteps.stability(Results(root)).verdict == REPRODUCED


def test_structure_is_always_judged(root, monkeypatch):
    results = Results(root)
    assert structure.block_diagonal(results).verdict == REPRODUCED
    assert structure.plus_minus_one(results).verdict == REPRODUCED
    assert structure.block_diagonal(results).ours == "<1e-14"  # alike on every machine
    right, shift = enumeration.fisher, 1e-3 * np.arange(31)
    monkeypatch.setattr(enumeration, "fisher", lambda *args: right(*args) + shift)
    assert structure.block_diagonal(results).verdict == NOT_REPRODUCED
    assert structure.plus_minus_one(results).verdict == NOT_REPRODUCED
    assert structure.plus_minus_one(results).ours == "3.0e-02"


def small_claim(check, **needs):
    return Claim("id", "text", "where", "quantity", "1", "none", Needs(**needs), check, "a.csv")


def test_below_the_scale_nothing_is_judged(root):
    def check(results):
        return Verdict(REPRODUCED, "1", "why")

    found = judge(small_claim(check, experiments=("minimnist",), epochs=6), Results(root))
    assert found.verdict == NOT_AT_SCALE  # 320 training images
    assert found.ours == "1"
    assert "320 training images" in found.why
    found = judge(small_claim(check, experiments=("minimnist",), epochs=500), Results(root))
    assert "6 of the 500 epochs" in found.why


def test_every_claim_of_small_runs_is_left_open_but_the_exact_ones(root):
    for stated, found in claims.check(Results(root)):
        expected = REPRODUCED if not stated.needs.experiments else NOT_AT_SCALE
        assert found.verdict == expected, stated.id


def test_missing_is_not_run_and_diverged_is_not_reproduced(root):
    def check(diverged):
        def fails(results):
            raise Unusable("because", diverged)

        return small_claim(fails)

    assert judge(check(False), Results(root)).verdict == NOT_RUN
    assert judge(check(True), Results(root)).verdict == NOT_REPRODUCED
    absent = small_claim(lambda results: None, experiments=("nothing",))
    assert "no experiment nothing" in judge(absent, Results(root)).why


def test_at_the_papers_scale_claims_are_judged():
    config = configuration.load()
    assert {c.id for c in claims.ALL if c.needs.shortfall(config)} == set()


def test_claims_are_well_formed_and_written(root):
    ids = [c.id for c in claims.ALL]
    assert len(set(ids)) == len(ids)
    judged = claims.check(Results(root))
    claims.write(judged, root / "claims.csv")
    assert len((root / "claims.csv").read_text().splitlines()) == len(ids) + 1
    assert {v.verdict for _, v in judged} <= set(claim.VERDICTS)


def whole(tmp_path, missing=(), **settings):
    """Twelve layers on all images, at the epochs given: what Table 2's claims are about."""
    layers = [300, 200, 100, 75, 50, 35, 30, 25, 20, 15, 10, 10]
    mnist = {"settings": {"dataset": "mnist_static", "layers": layers, **settings}}
    mnist["runs"] = {name: {"algorithm": name} for name in ("ws", "rws", "nrws")}
    data = {"mnist_static": {"source": "mnist", "binarization": "static"}}
    content = {"extends": None, "seeds": [0, 1], "datasets": data, "experiments": {"mnist": mnist}}
    return write(tmp_path, configuration.resolve(content), missing=missing)


@pytest.mark.parametrize(
    ("epochs", "values", "verdict", "scale"),
    [
        (300, [-89.8, -89.9], REPRODUCED, "at 300 of 2000 epochs, 2 seeds"),
        (300, [-99.8, -99.9], NOT_REPRODUCED, "within 300 of 2000 epochs, 2 seeds"),
        (199, [-89.8, -89.9], NOT_AT_SCALE, ""),
        (2000, [-99.8, -99.9], NOT_REPRODUCED, "at 2000 of 2000 epochs, 2 seeds"),
    ],
)
def test_a_shorter_run_is_judged_at_its_scale(tmp_path, epochs, values, verdict, scale):
    root = whole(tmp_path, epochs=epochs)
    rescore(root, "mnist", "ws", values)
    stated = next(c for c in claims.ALL if c.id == "table2-static-ws")
    found = judge(stated, Results(root))
    assert (found.verdict, found.scale) == (verdict, scale)


def test_a_run_that_converged_is_judged_by_the_epochs_it_had(tmp_path):
    root = whole(tmp_path, epochs=300, patience=20)
    stated = next(c for c in claims.ALL if c.id == "gap")
    assert "300 of 2000 epochs" in judge(stated, Results(root)).scale
    for seed in (0, 1):
        for run in ("ws", "rws", "nrws"):
            update(root, "mnist", run, seed, status="converged")
    found = judge(stated, Results(root))
    assert found.shorter
    assert found.scale.endswith(
        "300 of 2000 epochs, stopped where 20 brought no better validation loss, 2 seeds"
    )
    update(root, "mnist", "ws", 1, status="finished")  # one that was cut off is enough
    assert judge(stated, Results(root)).scale.endswith("300 of 2000 epochs, 2 seeds")


def test_a_value_is_judged_by_the_epochs_of_its_own_run(tmp_path):
    root = whole(tmp_path, epochs=300, patience=20)
    for seed in (0, 1):
        update(root, "mnist", "rws", seed, status="converged")
    stated = {c.id: c for c in claims.ALL}
    for name in ("rws", "nrws", "order"):
        scale = judge(stated[f"table2-static-{name}"], Results(root)).scale
        assert "300 of 2000 epochs" in scale
        assert ("stopped" in scale) == (name == "rws"), name


def test_a_loss_that_still_falls_where_a_run_was_stopped_is_told(tmp_path):
    root = whole(tmp_path, epochs=300, patience=20)
    rng = np.random.default_rng(0)
    flat, falling = (90 + s * np.arange(300) + 0.1 * rng.normal(size=300) for s in (0.0, -0.01))
    for seed, loss in ((0, flat), (1, falling)):
        rewrite(root, "mnist", "rws", seed, valid_loss=loss, train_loss=loss - 1)
    stated = next(c for c in claims.ALL if c.id == "table2-static-rws")
    assert "stopped" not in judge(stated, Results(root)).why
    update(root, "mnist", "rws", 1, status="converged")
    why = judge(stated, Results(root)).why
    told = re.search(r"Where seed 1 was stopped, .* by (\S+) ± (\S+) nats and its training", why)
    assert (float(told[1]), float(told[2])) == pytest.approx((-1, 0.2), abs=0.2)
    assert "seed 0" not in why


def test_seeds_that_are_missing_are_left_out_and_counted(tmp_path):
    root = whole(tmp_path, epochs=2000)
    shutil.rmtree(root / "runs/mnist/ws/seed1")
    ids = ("table2-static-ws", "table2-static-order", "table2-static-rws")
    found = [judge(next(c for c in claims.ALL if c.id == i), Results(root)) for i in ids]
    assert [v.seeds for v in found] == [1, 1, 2]
    assert found[0].scale == "at 2000 of 2000 epochs, 1 seed"
    shutil.rmtree(root / "runs/mnist/ws/seed0")
    assert judge(next(c for c in claims.ALL if c.id == ids[0]), Results(root)).verdict == NOT_RUN


def test_runs_without_a_common_seed_are_not_compared(tmp_path):
    root = whole(tmp_path, epochs=2000)
    for run, seed in (("ws", 0), ("nrws", 1)):
        shutil.rmtree(root / f"runs/mnist/{run}/seed{seed}")
    results = Results(root)
    with pytest.raises(Unusable, match="no seed in common"):
        likelihood.ordering(results, "mnist", "static")
    with pytest.raises(Unusable, match="no seed in common"):
        sooner.reaches_sooner(results, "mnist", "static", True)


def test_a_missing_larger_learning_rate_has_not_failed_to_catch_up(root):
    shutil.rmtree(root / "runs/rates/ws_lr0.05")
    with pytest.raises(Unusable, match="missing"):
        learning.learning_rate(Results(root))
