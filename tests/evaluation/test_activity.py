"""Active units, effective samples and the gap, against enumeration."""

import numpy as np
import pytest
import tensorflow as tf
from machines import Arrays, all_hidden, joint, posterior_proposal, random_model, sigmoid

from nws.evaluation.activity import ACTIVE, activity
from nws.models.helmholtz import Coding
from nws.models.parameters import from_arrays
from nws.models.random import Key

LAYERS = [4, 3, 2]
CODING = Coding("pm1", 1e-6)


def images() -> np.ndarray:
    return np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T


def expected_means(model: Arrays) -> list[np.ndarray]:
    """E_q[h|x] of each hidden layer, (images, units), by enumeration."""
    h = all_hidden(LAYERS)
    q = np.stack([posterior_proposal(model, x, h) for x in images()])
    return [q @ layer for layer in h]


def found(model: Arrays, samples: int, block: int = 100) -> tuple[list[float], float, float]:
    x = tf.constant(images(), tf.float32)
    result = activity(from_arrays(model), x, samples, Key(0, 0), CODING, block)
    return result.active.numpy().tolist(), float(result.effective_samples), float(result.gap)


@pytest.mark.parametrize("seed", range(4))
def test_active_units_are_those_of_the_exact_means(seed: int) -> None:
    """Weights are scaled so that some units vary and some do not; none is near the threshold."""
    model = random_model(LAYERS, seed)
    model["q_W0"] *= np.array([1.0, 0.05, 1.0])
    model["q_W1"] *= np.array([0.02, 2.0])
    variances = [m.var(axis=0) for m in expected_means(model)]
    assert min(abs(v - ACTIVE).min() for v in variances) > 0.005
    shares = found(model, 1000)[0]
    assert shares == pytest.approx([(v > ACTIVE).mean() for v in variances])


@pytest.mark.parametrize("samples", [2, 5])
def test_sampling_alone_makes_no_unit_active(samples: int) -> None:
    """The second layer follows a first one that does not look at the image: means of few samples
    vary all the same."""
    model = random_model(LAYERS, 0)
    model["q_W0"] *= 0.0
    model["q_W1"] *= 5.0
    model["q_b1"] *= 0.0
    few = sigmoid(np.random.default_rng(0).choice([-1.0, 1.0], (16, samples, 3)) @ model["q_W1"])
    assert (2 * few - 1).mean(axis=1).var(axis=0).max() > 4 * ACTIVE
    x = tf.constant(np.tile(images(), (300, 1)), tf.float32)
    active = activity(from_arrays(model), x, samples, Key(0, 0), CODING).active
    assert active.numpy().tolist() == [0.0, 0.0]


def test_the_gap_is_the_divergence_from_the_posterior() -> None:
    model = random_model(LAYERS, 1, 0.5)
    h, divergence = all_hidden(LAYERS), []
    for x in images():
        q, p = posterior_proposal(model, x, h), joint(model, x, h)
        divergence.append((q * np.log(q / p)).sum() + np.log(p.sum()))
    _, ess, gap = found(model, 2000)
    assert gap == pytest.approx(np.mean(divergence), rel=0.05)
    assert 1.0 <= ess <= 2000.0


def test_blocks_do_not_matter_but_for_the_draws() -> None:
    model = random_model(LAYERS, 2)
    whole, pieces = found(model, 500), found(model, 500, block=3)
    assert whole[0] == pieces[0]
    assert whole[2] == pytest.approx(pieces[2], rel=0.1)
