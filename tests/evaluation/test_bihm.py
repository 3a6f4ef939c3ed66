"""log p*(x) of a bidirectional machine and its normaliser, against enumeration."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from machines import all_hidden, joint, posterior_proposal, random_model

from nws.evaluation import bihm, exact, jobs
from nws.models.helmholtz import Coding
from nws.models.parameters import from_arrays
from nws.training.jobs import train

CODING = Coding("pm1", 1e-6)
LAYERS = [4, 3, 2]
IMAGES = exact.states(4)
MODEL = random_model(LAYERS, 0, scale=0.4)


def test_enumerated_p_star_is_a_distribution() -> None:
    """And its normaliser is Σ_x (Σ_h √(p(x, h) q(h|x)))², at most 1."""
    log_z = exact.two_log_z(MODEL)
    total = np.exp(exact.log_unnormalised(MODEL, IMAGES) - log_z).sum()
    assert total == pytest.approx(1.0, abs=1e-12)
    h = all_hidden(LAYERS)
    sums = [
        np.sqrt(joint(MODEL, x, h) * posterior_proposal(MODEL, x, h)).sum() ** 2 for x in IMAGES
    ]
    assert log_z == pytest.approx(np.log(np.sum(sums)), abs=1e-12)
    assert log_z < 0


def test_z_from_samples() -> None:
    found = bihm.two_log_z(from_arrays(MODEL), 200_000, 0, CODING)
    assert found.samples == 200_000
    assert found.low < found.value < found.high
    assert abs(found.value - exact.two_log_z(MODEL)) < 4 * found.standard_error
    assert found.standard_error < 0.005


def test_its_interval_covers() -> None:
    """95% intervals of 60 seeds; 50 hits or fewer have a chance of 1 in 1,000."""
    params, true = from_arrays(MODEL), exact.two_log_z(MODEL)
    found = [bihm.two_log_z(params, 2000, seed, CODING) for seed in range(60)]
    assert sum(z.low < true < z.high for z in found) > 50
    spread = np.std([z.value for z in found])
    assert np.mean([z.standard_error for z in found]) == pytest.approx(spread, rel=0.4)


def test_where_q_is_the_posterior_nothing_is_left_to_normalise() -> None:
    """p* = p, Z = 1, and every sample says so."""
    model = {
        name: a * (0.0 if "_W" in name else 1.0) for name, a in random_model(LAYERS, 3).items()
    }
    model |= {"q_b0": model["p_b1"], "q_b1": model["prior_b"]}
    found = bihm.two_log_z(from_arrays(model), 2000, 0, CODING)
    assert found.value == pytest.approx(0.0, abs=1e-5)
    assert found.standard_error < 1e-5
    log_p = bihm.log_unnormalised(from_arrays(model), IMAGES, 10, 0, CODING)
    np.testing.assert_allclose(log_p, exact.log_likelihood(model, IMAGES), atol=1e-5)


def test_log_p_star_from_samples() -> None:
    found = bihm.log_unnormalised(from_arrays(MODEL), IMAGES, 20_000, 0, CODING)
    np.testing.assert_allclose(found, exact.log_unnormalised(MODEL, IMAGES), atol=0.02)


@pytest.mark.parametrize("algorithm", ["bihm", "nbihm", "rws"])
def test_the_metrics_of_a_run(
    tmp_path: Path, algorithm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how far its scoring is."""
    config = tiny.resolve(epochs=1, algorithm=algorithm)
    run = tiny.prepare(config, tmp_path)
    train(config, run, 0, tmp_path)
    jobs.evaluate(config, run, 0, tmp_path)
    folder = tmp_path / "runs" / "tiny" / "one" / "seed0"
    told = capsys.readouterr().err
    for split in ("test", "valid"):
        assert f"{split} images scored, 0:00 left" in told
        assert (f"bidirectional, {split} images scored" in told) == (algorithm != "rws")
    found = json.loads((folder / "metrics.json").read_text())["bihm"]
    if algorithm == "rws":
        assert found is None
        return
    z = found["two_log_z"]
    assert z["samples"] >= bihm.LEAST
    for split in ("test", "valid"):
        assert found[split]["mean"] == found[split]["unnormalised"] - z["value"]
        assert found[split]["standard_error"] > z["standard_error"]
    with np.load(folder / "model.npz") as model:
        assert abs(z["value"] - exact.two_log_z(model)) < 5 * z["standard_error"]
