"""Graph and XLA: the same steps but for rounding; each with its own bits when resumed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from every import cases, name
from tiny import assert_same, eager_checkpoints, kill, train

from nws.evaluation.jobs import _DRAW, PUBLISHED
from nws.evaluation.likelihood import log_likelihood
from nws.machine.compilation import compilation
from nws.training.run import Work

HOW = ("graph", "xla")


@pytest.mark.parametrize("case", cases(), ids=name)
def test_graph_and_xla_take_the_same_steps(case: dict[str, Any]) -> None:
    ends = []
    for how in HOW:
        config = tiny.settings(compile=how, layers=[4], **case)
        program = tiny.program(config)
        end = program.advance(program.init(tiny.start(config)), 0, 0, 2)
        # The signs of eigenvectors are arbitrary, and cancel in a step.
        ends.append(end._replace(metric=()) if case.get("solver") == "shared" else end)
    for one, two in zip(*map(tf.nest.flatten, ends), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    moved = ends[0].params.q[0] - tiny.start(config).q[0]
    assert np.abs(moved).max() > 1e-3


def test_grey_images_and_validation_alike() -> None:
    ends = []
    for how in HOW:
        config = tiny.settings(compile=how, epochs=1, optimizer="adam")
        ends.append(train(tiny.program(config, stochastic=True), config).progress.rows[0])
    assert ends[0].train_loss == pytest.approx(ends[1].train_loss, rel=1e-4)
    assert ends[0].valid_loss == pytest.approx(ends[1].valid_loss, rel=1e-4)


def test_xla_resumes_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its loss at a step differs from the graph's in the last digits, never from its own."""
    config = tiny.settings(compile="xla", algorithm="nrws", solver="cg", refresh=3)
    program = tiny.program(config)
    whole = train(program, config)
    eager_checkpoints(monkeypatch)
    work = Work(tmp_path, {"compile": "xla"})
    kill(program, config, work, 4)
    kill(program, config, work, 5)
    assert_same(train(program, config, work), whole)


def test_divergence_is_a_result_under_xla() -> None:
    """There a matrix that cannot be factored gives nan instead of an error."""
    config = tiny.settings(compile="xla", algorithm="nws", solver="cholesky", damping=1e-35)
    end = train(tiny.program(config), config)
    assert end.status == "diverged"


def test_scores_and_samples_alike() -> None:
    params, x = tiny.start(tiny.settings()), 2.0 * tiny.IMAGES[:20] - 1.0
    params = tf.nest.map_structure(lambda w: w + 0.3, params)
    scores = [log_likelihood(params, x, 300, 0, PUBLISHED, compile=how) for how in HOW]
    for one, two in zip(*scores, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4)
    images = tf.constant(x, tf.float32)
    drawn = [_DRAW[how](params, images, 0, tf.constant(0)) for how in HOW]
    for one, two in zip(*drawn, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_auto_is_the_graph_without_a_gpu_and_xla_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [compilation(how) for how in ("auto", *HOW)] == ["graph", *HOW]
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    assert [compilation(how) for how in ("auto", *HOW)] == ["xla", *HOW]
