"""Every tolerance at its edges, and every claim checked by what its text says."""

import fake_results
import numpy as np
import pytest
from fake_results import SMALL, rescore, rewrite, update, write
from scipy.stats import linregress, t

from nws import config as configuration
from nws.reporting import claims, paper
from nws.reporting.claims import damping, grids, ksteps, learning, likelihood, measure, sooner
from nws.reporting.claims.claim import NOT_REPRODUCED, PARTLY, REPRODUCED, Unusable
from nws.reporting.claims.scale import Needs
from nws.reporting.results import Results
from nws.reporting.statistics import line, undisturbed_epoch


@pytest.fixture
def root(tmp_path):
    return write(tmp_path)


def checked(name):
    """How a claim is checked, and with what."""
    check = next(found.check for found in claims.ALL if found.id == name)
    return getattr(check, "func", check), getattr(check, "keywords", {})


# From the paper, typed once more.
TABLE1 = {
    "b": {"ws": -29.337, "rws": -28.695, "nrws": -27.606},
    "bst": {"ws": -38.232, "rws": -37.811, "nrws": -36.578},
}
TABLE2 = {"static": {"ws": -89.840, "rws": -86.168, "nrws": -86.138}}


@pytest.mark.parametrize(
    ("table", "experiment", "values"),
    [("table1", "minimnist", TABLE1), ("table2", "mnist", TABLE2)],
)
def test_values_are_compared_with_their_own_line_of_the_paper(table, experiment, values):
    for images, row in values.items():
        for algorithm, value in row.items():
            check, given = checked(f"{table}-{images}-{algorithm}")
            assert check is likelihood.value
            assert given["binarization"].lower() == images
            assert (given["experiment"], given["algorithm"]) == (experiment, algorithm)
            assert given["expected"] == value
        check, given = checked(f"{table}-{images}-order")
        assert check is likelihood.ordering
        assert (given["experiment"], given["binarization"].lower()) == (experiment, images)


@pytest.mark.parametrize(
    ("name", "check", "given"),
    [
        ("crossover-b", sooner.crossover, {"binarization": "B", "first": 6, "last": 24}),
        ("crossover-bst", sooner.crossover, {"binarization": "BSt", "first": 1, "last": 2}),
        ("sooner-b", sooner.reaches_sooner, {"binarization": "B", "faster_in_time": True}),
        ("sooner-bst", sooner.reaches_sooner, {"binarization": "BSt", "faster_in_time": True}),
        ("sooner-mnist", sooner.reaches_sooner, {"experiment": "mnist", "faster_in_time": False}),
        ("gap", learning.gap, {}),
        ("learning-rate", learning.learning_rate, {}),
        ("adam", learning.adam, {}),
        ("cost", learning.cost, {}),
        ("damping-useful", damping.useful_damping, {}),
        ("damping-low", damping.low_damping, {}),
        ("damping-high", damping.high_damping, {}),
        ("linear", grids.linear, {}),
        ("region-minimnist", grids.region, {"experiment": "grid_minimnist"}),
        ("region-mnist", grids.region, {"experiment": "grid_mnist"}),
        ("image-size", grids.image_size, {}),
        ("k-up-to-100", ksteps.up_to_100, {}),
        ("k-stability", ksteps.stability, {}),
        ("k-speed", ksteps.speed, {}),
    ],
)
def test_claims_are_checked_by_what_they_say(name, check, given):
    found, keywords = checked(name)
    assert found is check
    assert keywords.items() >= given.items()


def test_seconds_of_the_paper_are_those_of_its_tables():
    typed = {"B": (34, 43, 69), "BSt": (38, 45, 70)}
    for rows, seconds in (
        *((paper.TABLE1[k], v) for k, v in typed.items()),
        (paper.TABLE2, (37, 50, 250)),
    ):
        assert [row.algorithm for row in rows] == ["ws", "rws", "nrws"]
        assert tuple(row.seconds_per_epoch for row in rows) == seconds


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(
    ("off", "verdict"),
    [(0.49, REPRODUCED), (0.51, PARTLY), (0.99, PARTLY), (1.01, NOT_REPRODUCED)],
)
def test_values(root, off, side, verdict):
    rescore(root, "minimnist", "nrws_b", [-27.606 + side * off] * 3)
    found = likelihood.value(Results(root), "minimnist", "B", "nrws", -27.606)
    assert found.verdict == verdict


@pytest.mark.parametrize(("gap", "verdict"), [(0.27, PARTLY), (0.29, REPRODUCED)])
def test_gaps_of_one_seed_must_exceed_the_error_over_images(tmp_path, gap, verdict):
    """Standard errors of .1 each: 1.96 √2 · .1 = .277."""
    root = write(tmp_path, configuration.resolve({**SMALL, "seeds": [0]}))
    for run, mean in (("ws_b", -30 - gap), ("rws_b", -30.0), ("nrws_b", -30 + gap)):
        scores = {s: {"mean": mean, "standard_error": 0.1} for s in ("test", "valid")}
        update(root, "minimnist", run, 0, log_likelihood=scores)
    assert likelihood.ordering(Results(root), "minimnist", "B").verdict == verdict


def test_only_seeds_that_all_have_are_ordered(root):
    """A seed of RWS alone is no better than no seed."""
    for run, values in (("ws_b", [-31.0] * 3), ("rws_b", [-30.0] * 3), ("nrws_b", [-29.0] * 3)):
        rescore(root, "minimnist", run, values)
    rescore(root, "minimnist", "rws_b", [-30.0, -30.0, -5.0])
    for run in ("ws_b", "nrws_b"):
        fake_results.remove(root, "minimnist", run, 2)
    assert likelihood.ordering(Results(root), "minimnist", "B").verdict == REPRODUCED


def test_sooner_than_one_of_both_is_not_sooner(root):
    plain = np.array([40.0, 38, 36, 34, 32, 30])
    for seed in range(3):
        rewrite(root, "minimnist", "ws_b", seed, train_loss=plain - 20, seconds=np.arange(1, 7))
        rewrite(root, "minimnist", "rws_b", seed, train_loss=plain, seconds=np.arange(1, 7))
        quick = plain - np.array([0, 0, 9, 9, 9, 9])
        rewrite(root, "minimnist", "nrws_b", seed, train_loss=quick, seconds=np.arange(1, 7))
    found = sooner.reaches_sooner(Results(root), "minimnist", "B", True)
    assert found.verdict == NOT_REPRODUCED


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (0.99, NOT_REPRODUCED),
        (1.01, PARTLY),
        (2.49, PARTLY),
        (2.51, REPRODUCED),
        (9.9, REPRODUCED),
        (10.1, NOT_REPRODUCED),
    ],
)
def test_cost(root, ratio, verdict):
    for seed in range(3):
        rewrite(root, "mnist", "nrws", seed, seconds=ratio * np.arange(1, 7))
        rewrite(root, "mnist", "rws", seed, seconds=np.arange(1, 7))
    assert learning.cost(Results(root)).verdict == verdict


@pytest.mark.parametrize("which", ["nws", "nrws"])
def test_adam_that_serves_one_of_two(root, which):
    for seed in range(3):
        for run in ("ws", "rws", "nws", "nrws"):
            loss = {which: 150.0}.get(run, 50.0 if run.startswith("n") else 100.0)
            rewrite(root, "adam", run, seed, valid_loss=np.full(4, loss))
    found = learning.adam(Results(root))
    assert found.verdict == PARTLY
    for natural, plain in (("NWS", "WS"), ("NRWS", "RWS")):
        difference = 50 if natural.lower() == which else -50
        assert f"{natural} − {plain}: {difference:+.3f}" in found.ours


@pytest.fixture
def steps(tmp_path):
    """K of 0, 50, 100, 500, 1000 and, beside them, a fresh metric by cg."""
    experiment = {
        "seeds": [0],
        "settings": {"dataset": "mnist_bst", "epochs": 5},
        "grid": {"refresh": [0, 50, 100, 500, 1000]},
        "runs": {"cg": {"solver": "cg", "refresh": 1}},
    }
    inverted = {"settings": {"dataset": "mnist_bst", "epochs": 5}, "grid": {"refresh": [1, 50]}}
    both = {"ksteps": experiment, "inversion": inverted}
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": both}))
    for run in ("k1", "k50"):
        for seed in range(3):
            rewrite(root, "inversion", run, seed, seconds=np.arange(1, 6))
    for run in ("k0", "k50", "k100", "k500", "k1000"):
        rewrite(root, "ksteps", run, valid_loss=CALM, seconds=np.arange(1, 6))
    rewrite(root, "ksteps", "cg", valid_loss=CALM - 50, seconds=100.0 * np.arange(1, 6))
    return root


CALM = np.array([99.0, 98, 97, 96, 95])


@pytest.mark.parametrize(
    ("off", "verdict"), [(0.49, REPRODUCED), (-0.49, REPRODUCED), (0.51, PARTLY), (-0.51, PARTLY)]
)
def test_k_up_to_100(steps, off, verdict):
    """The run of ours by cg is none of the K."""
    rewrite(steps, "ksteps", "k50", valid_loss=CALM + off)
    assert ksteps.up_to_100(Results(steps)).verdict == verdict


@pytest.mark.parametrize(
    ("five_hundred", "thousand", "verdict"),
    [
        (0.3, 0.5, REPRODUCED),
        (0.5, 0.3, PARTLY),  # the other way round
        (0.05, 0.5, PARTLY),
        (0.05, 0.05, NOT_REPRODUCED),
    ],
)
def test_k_stability(steps, five_hundred, thousand, verdict):
    """Both rise by more than .1, for no K up to 100 rises, and 1000 by no less than 500."""
    for run, rise in (("k500", five_hundred), ("k1000", thousand)):
        rewrite(
            steps,
            "ksteps",
            run,
            valid_loss=CALM + rise * np.array([0, 0, 0, 0, 1]) + [0, 0, 0, 0, 1],
        )
    assert ksteps.stability(Results(steps)).verdict == verdict


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [(0.79, REPRODUCED), (0.81, PARTLY), (0.99, PARTLY), (1.01, NOT_REPRODUCED)],
)
def test_k_speed(steps, seconds, verdict):
    for seed in range(3):
        rewrite(steps, "inversion", "k50", seed, seconds=seconds * np.arange(1, 6))
    rewrite(steps, "ksteps", "k50", seconds=5.0 * np.arange(1, 6))  # told, not judged
    assert ksteps.speed(Results(steps)).verdict == verdict


RATES = [0.001, 0.01, 0.1, 1.0]


@pytest.mark.parametrize(
    ("best", "slope", "verdict"),
    [
        ([0.001, 0.01, 0.1, 1.0], 1.0, REPRODUCED),
        ([0.01, 0.01, 0.1, 0.1], 0.4, PARTLY),
        ([0.01, 0.01, 0.01, 0.1], 0.3, PARTLY),
        ([0.1, 0.1, 0.1, 0.1], 0.0, NOT_REPRODUCED),
        ([1.0, 0.1, 0.01, 0.001], -1.0, NOT_REPRODUCED),
    ],
)
def test_linear(tmp_path, best, slope, verdict):
    experiment = {"seeds": [0], "grid": {"learning_rate": RATES, "damping": RATES}}
    config = {**SMALL, "experiments": {"grid_minimnist": experiment}}
    root = write(tmp_path, configuration.resolve(config))
    wanted = dict(zip(RATES, best, strict=True))
    lay(root, "grid_minimnist", lambda rate, a: abs(np.log(rate / wanted[a])))
    found = grids.linear(Results(root))
    assert (found.verdict, float(found.ours)) == (verdict, pytest.approx(slope, abs=0.006))


@pytest.mark.parametrize(
    ("power", "noise", "verdict"),
    [(0.7, 0, PARTLY), (0.7, 1, REPRODUCED), (0.4, 2, PARTLY), (1, 0, REPRODUCED)],
)
def test_a_fit_that_excludes_a_power_of_one_is_not_proportional(tmp_path, power, noise, verdict):
    """A wide interval does not, and the slope must be within .5 of it all the same."""
    off = noise * np.array([1.0, -1, -1, 1, 1, -1, -1, 1])
    rates = [float(f"{10 ** (power * k + o):g}") for k, o in enumerate(off)]
    grid = {"learning_rate": rates, "damping": [10.0**k for k in range(8)]}
    config = {**SMALL, "experiments": {"grid_minimnist": {"seeds": [0], "grid": grid}}}
    root = write(tmp_path, configuration.resolve(config))
    wanted = dict(zip(grid["damping"], rates, strict=True))
    lay(root, "grid_minimnist", lambda rate, a: abs(np.log(rate / wanted[a])))
    assert grids.linear(Results(root)).verdict == verdict


def test_a_line_and_its_interval() -> None:
    """As scipy has them."""
    x, y = np.array([1.0, 2, 4, 7]), np.array([0.0, 3, 2, 9])
    found = linregress(x, y)
    assert line(x, y) == pytest.approx((found.slope, t.ppf(0.975, 2) * found.stderr))


def lay(root, experiment, loss):
    """Give every cell of a grid its lowest validation loss."""
    for run in Results(root).runs(experiment):
        s = run.settings
        update(root, experiment, run.name, min_valid_loss=loss(s.learning_rate, s.damping))


@pytest.mark.parametrize(
    ("small", "large", "verdict"),
    [(0.01, 1, REPRODUCED), (0.01, 0.01, PARTLY), (1, 0.01, NOT_REPRODUCED)],
)
def test_image_size(root, small, large, verdict):
    lay(root, "grid_minimnist", lambda rate, a: abs(np.log(a / small)))
    lay(root, "grid_mnist", lambda rate, a: abs(np.log(a / large)))
    assert grids.image_size(Results(root)).verdict == verdict


@pytest.mark.parametrize(
    ("rate", "alpha", "verdict"),
    [
        (0.005, 0.005, REPRODUCED),
        (0.02, 0.1, REPRODUCED),
        (0.004, 0.1, PARTLY),
        (0.03, 0.005, PARTLY),
        (0.02, 0.2, PARTLY),
        (0.005, 0.004, PARTLY),
        (0.03, 0.2, NOT_REPRODUCED),
    ],
)
def test_the_region_has_the_papers_bounds(tmp_path, rate, alpha, verdict):
    grid = {"learning_rate": [rate, 5.0], "damping": [alpha, 50.0]}
    experiment = {"seeds": [0], "grid": grid}
    config = {**SMALL, "experiments": {"grid_minimnist": experiment}}
    root = write(tmp_path, configuration.resolve(config))
    lay(root, "grid_minimnist", lambda r, a: r + a)
    assert grids.region(Results(root), "grid_minimnist").verdict == verdict


def test_a_useless_low_damping(root):
    """Neither as fast nor twice as noisy: nothing of the claim holds."""
    slow, fast = np.linspace(5, 2.6, 20), np.linspace(3, 2.45, 20)
    for run in ("vanilla", "a1e-05", "a0.001", "a0.1", "a10"):
        rewrite(root, "damping", run, valid_loss=slow if run == "a1e-05" else fast)
    assert damping.low_damping(Results(root)).verdict == NOT_REPRODUCED


def test_final_is_the_last_tenth():
    assert measure.final(np.arange(20.0)) == 18.5
    assert measure.final(np.arange(6.0)) == 5
    assert measure.final(np.arange(100.0)) == 94.5


def test_an_undisturbed_epoch_is_the_tenth_percentile():
    """Of eleven epochs the second shortest."""
    durations = np.array([9, 2, 8, 7, 6, 5, 4, 3, 1, 9, 9.0])
    assert undisturbed_epoch(np.cumsum(durations)) == 2


def test_a_seed_that_diverged_is_not_left_out(tmp_path):
    root = write(tmp_path, diverged=["adam/nws"])
    fake_results.remove(root, "adam", "ws", 1)
    assert len(measure.finished(Results(root), "adam", "ws")) == 2
    with pytest.raises(Unusable, match="diverged") as found:
        measure.finished(Results(root), "adam", "nws")
    assert found.value.diverged


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"likelihood_samples": 9_999}, "9,999 of 10,000 importance samples"),
        ({"likelihood_images": 5_000}, "only some of the test images scored"),
        ({"layers": [100, 50]}, "layers [100, 50] instead of"),
        ({"epochs": 49}, "49 of the 500 epochs"),
        ({}, ""),
    ],
)
def test_what_is_too_little_to_be_judged(change, said):
    config = configuration.resolve({"experiments": {"minimnist": {"settings": change}}})
    found = Needs(("minimnist",), 500, 10_000).shortfall(config)
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_images_are_counted_as_the_paper_s_scale_has_them():
    """Seconds of an epoch are of few images there, too."""
    few = {"datasets": {"mnist_bst_few": {"train": 64}}}
    needs = Needs(("inversion",))
    assert needs.shortfall(configuration.load()) == ""
    found = needs.shortfall(configuration.resolve(few))
    assert found == "64 training images instead of 3,200 (inversion)"


def test_fewer_test_images_are_too_few():
    data = {name: {"test": 5_000} for name in ("minimnist_b", "minimnist_bst")}
    config = configuration.resolve({"datasets": data})
    assert "only some" in Needs(("minimnist",), 500, 10_000).shortfall(config)


@pytest.mark.parametrize(("effective", "told"), [(2.5, True), (450.0, False)])
def test_a_loose_bound_is_told(root, effective, told):
    for seed in range(3):
        score = {"mean": -30.0, "standard_error": 0.1, "effective_sample_size": effective}
        update(root, "minimnist", "ws_b", seed, log_likelihood={"test": score, "valid": score})
    why = likelihood.value(Results(root), "minimnist", "B", "ws", -29.337).why
    assert ("loose one: 2.5 of its samples" in why) == told
