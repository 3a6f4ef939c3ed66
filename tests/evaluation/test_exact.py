"""Enumeration against definitions, and against what jobs write."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from machines import all_hidden, joint, random_model, sigmoid

from nws.data import patterns
from nws.errors import NwsError
from nws.evaluation import exact
from nws.evaluation.jobs import evaluate
from nws.files import manifest
from nws.training.jobs import forget, train

GRID, PROBABILITIES = patterns.patterns()
LINES = 2.0 * GRID - 1.0


def uniform(visible: int) -> dict[str, np.ndarray]:
    """A machine without weights, one hidden unit: all images are equally likely."""
    return {name: 0.0 * array for name, array in random_model([visible, 1], 0).items()}


def test_entropy_of_3by3() -> None:
    assert exact.entropy(PROBABILITIES) == pytest.approx(2.428274, abs=1e-6)
    assert exact.entropy(np.array([0.5, 0.5, 0.0])) == pytest.approx(np.log(2))


def test_divergence_from_uniform() -> None:
    assert exact.kl(uniform(9), LINES, PROBABILITIES) == pytest.approx(3.810051, abs=1e-6)


@pytest.mark.parametrize("clip", [0.0, 1e-3])
def test_divergence_by_brute_force(clip: float) -> None:
    model = random_model([9, 4, 2], 0, scale=3.0)
    p = np.array([clipped_joint(model, x, clip).sum() for x in LINES])
    expected = (PROBABILITIES * np.log(PROBABILITIES / p)).sum()
    assert exact.kl(model, LINES, PROBABILITIES, clip) == pytest.approx(expected, rel=1e-10)


def clipped_joint(model: dict[str, np.ndarray], x: np.ndarray, clip: float) -> np.ndarray:
    """p(x, h) for all h, unit by unit, each probability kept in [c, 1-c]."""
    h = [x[None], *all_hidden([9, 4, 2])]
    if clip == 0:
        return joint(model, x, h[1:])
    p = np.clip(sigmoid(h[2] * model["prior_b"]), clip, 1 - clip).prod(axis=1)
    for i in range(2):
        logits = h[i + 1] @ model[f"p_W{i}"] + model[f"p_b{i}"]
        p *= np.clip(sigmoid(h[i] * logits), clip, 1 - clip).prod(axis=1)
    return p


def test_divergence_of_a_perfect_model_is_zero() -> None:
    """Two hidden units choose among four images of four pixels."""
    x = exact.states(2)
    images = np.hstack([x, -x])
    model = uniform(4) | {
        "prior_b": np.zeros(2),
        "p_W0": 60.0 * np.hstack([np.eye(2), -np.eye(2)]),
        "p_b0": np.zeros(4),
    }
    assert exact.kl(model, images, np.full(4, 0.25)) == pytest.approx(0.0, abs=1e-12)


def test_certain_units_cost_what_they_should() -> None:
    """log p of an impossible pixel is its logit, not -inf, however certain the unit."""
    model = uniform(2) | {"p_b0": np.array([50.0, -800.0])}
    log_p = exact.log_likelihood(model, exact.states(2))
    np.testing.assert_allclose(log_p, [-50.0, -850.0, 0.0, -800.0], atol=1e-12)


def test_blocks_of_states_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = random_model([9, 4, 2], 0, scale=3.0), exact.states(9)
    whole = exact.log_likelihood(model, x)
    monkeypatch.setattr(exact, "BLOCK", 3)
    np.testing.assert_allclose(exact.log_likelihood(model, x), whole, rtol=1e-12)


def test_states() -> None:
    assert exact.states(2).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: exact.states(21),
        lambda: exact.log_likelihood(random_model([4, 11, 10], 0), exact.states(4)),
    ],
    ids=["states", "log_likelihood"],
)
def test_too_many_hidden_units(call: Any) -> None:
    with pytest.raises(NwsError, match=r"21 units have 2\^21 states; enumeration stops at 20"):
        call()


@pytest.fixture(scope="module", params=["pm1", "01"])
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was trained and evaluated, in either coding."""
    root = tmp_path_factory.mktemp("job")
    config = tiny.resolve(
        epochs=60, algorithm="nrws", exact=True, coding=request.param, likelihood_samples=2000
    )
    run = tiny.prepare(config, root)
    train(config, run, 0, root)
    forget(root, run, 0)
    evaluate(config, run, 0, root)
    return root / "runs" / "tiny" / "one" / "seed0"


def read(path: Path) -> dict[str, Any]:
    """JSON proper: no NaN, no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(path.read_text(), parse_constant=refuse)


def test_the_exact_scores_of_a_job(job: Path) -> None:
    """Against a sum over all 2⁸ hidden states, image by image, of the saved arrays."""
    metrics = read(job / "metrics.json")
    with np.load(job / "model.npz") as file:
        model = {name: file[name].astype(np.float64) for name in file.files}
    p = np.array([joint(model, x, all_hidden([9, 6, 2])).sum() for x in LINES])
    kl = (PROBABILITIES * np.log(PROBABILITIES / p)).sum()
    assert metrics["exact"]["kl"] == pytest.approx(kl, abs=1e-9)
    assert metrics["exact"]["entropy"] == pytest.approx(2.428274, abs=1e-6)
    assert metrics["exact"]["log_likelihood"] == pytest.approx(-kl - 2.4282740, abs=1e-6)
    *_, last = csv.DictReader((job / "history.csv").read_text().splitlines())
    assert float(last["exact_kl"]) == pytest.approx(kl, abs=1e-9)
    assert kl < 3.0  # it has learnt something


def test_jobs_of_other_sizes_in_the_same_process(job: Path, tmp_path: Path) -> None:
    """As ``nws train --evaluate`` and short runs that share a process have them."""
    for size in (5, 4):
        root = tmp_path / str(size)
        config = tiny.resolve(epochs=1, layers=[size, 2])
        run = tiny.prepare(config, root)
        train(config, run, 0, root)
        evaluate(config, run, 0, root)
        metrics = read(root / "runs" / "tiny" / "one" / "seed0" / "metrics.json")
        assert metrics["settings"]["layers"] == [size, 2]
        assert metrics["exact"] is None


def test_the_estimates_of_a_job_are_near_the_exact_values(job: Path) -> None:
    metrics = read(job / "metrics.json")
    for split in ("test", "valid"):
        estimate = metrics["log_likelihood"][split]
        assert estimate["mean"] == pytest.approx(metrics["exact"]["log_likelihood"], abs=0.05)
        assert estimate["standard_error"] > 0
        assert 1 <= estimate["effective_sample_size"] <= 2000
        assert (estimate["samples"], estimate["images"]) == (2000, 36)


def test_what_else_a_job_writes(job: Path) -> None:
    training, metrics = read(job / "training.json"), read(job / "metrics.json")
    assert metrics.items() >= training.items()
    assert training["status"] == "finished"
    assert (training["epochs"], training["steps"], training["resumed"]) == (60, 300, 0)
    assert training["final_valid_loss"] >= training["min_valid_loss"]
    with np.load(job / "samples.npz") as file:
        samples = {name: file[name] for name in file.files}
    for name in ("data", "samples"):
        assert samples[name].shape == (36, 9)
        assert set(np.unique(samples[name])) == {0, 1}
    for name in ("reconstructions", "probabilities"):
        assert samples[name].shape == (36, 9)
        assert 0 < samples[name].min() < samples[name].max() < 1
    assert samples["shape"].tolist() == [3, 3]
    assert manifest.check(job) == []
    assert not (job.parents[3] / "work" / "tiny" / "one" / "seed0").exists()
