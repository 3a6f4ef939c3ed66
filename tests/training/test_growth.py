"""A run whose number of samples grows: the one program first, then the other, on one state."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import assert_same, bits, compiled, settings, start, train

from nws.errors import NwsError
from nws.planning import plan

CASES: list[dict[str, Any]] = [
    {"algorithm": "rws", "optimizer": "adam", "averaging": {"kind": "exponential"}},
    {"algorithm": "nrws", "solver": "shared", "refresh": 3, "unit_damping": 0.5},
    {"algorithm": "nrws", "solver": "cholesky", "refresh": 3},
    {"algorithm": "nws", "solver": "cg", "refresh": 1},
    {"algorithm": "mws", "memory": 4},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["algorithm"])
def test_it_is_one_program_after_the_other(case: dict[str, Any]) -> None:
    """Of three epochs two have 3 samples, the last 7: the states are the same, bit by bit."""
    few, config = compiled(case)
    many, _ = compiled({**case, "samples": 7})
    both, _ = compiled({**case, "samples_later": {"after": 2, "samples": 7}})
    one, other = few.init(start(config)), both.init(start(config))
    for epoch, program in enumerate((few, few, many)):
        one = program.advance(one, epoch, 0, 5)
        other = both.advance(other, epoch, 0, 5)
        for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
            np.testing.assert_array_equal(a, b)
    assert both.validate(other.params, 2) == few.validate(one.params, 2)


def test_before_it_grows_it_is_the_run_that_does_not() -> None:
    small = train(*compiled({"algorithm": "rws", "epochs": 2}))
    grown = {"algorithm": "rws", "epochs": 2, "samples_later": {"after": 2, "samples": 7}}
    assert_same(train(*compiled(grown)), small)
    grown["samples_later"] = {"after": 1, "samples": 7}
    assert bits(train(*compiled(grown)).params) != bits(small.params)


def test_a_metric_with_a_row_for_each_sample_is_refused() -> None:
    program, config = compiled(
        {"algorithm": "nrws", "solver": "woodbury", "refresh": 3, "samples_later": {"samples": 7}}
    )
    with pytest.raises(NwsError, match=r"samples_later: .* set refresh to 1, or solver to chol"):
        program.init(start(config))


def test_what_the_refusal_advises_helps() -> None:
    """A shared metric is kept as samples where they are fewer than parameters."""
    grown = {"algorithm": "nrws", "solver": "shared", "refresh": 3, "samples_later": {"samples": 7}}
    program, config = compiled(grown | {"layers": [60, 2], "batch": 4})
    with pytest.raises(NwsError, match="more samples × batch"):
        program.init(start(config))
    program, config = compiled(grown | {"layers": [60, 2], "batch": 32})
    program.init(start(config))


def test_what_it_costs_is_between_that_of_few_and_of_many() -> None:
    def cost(**changes: Any) -> float:
        return plan._steps(settings(epochs=10, **changes), 1000, 100)

    grown = cost(samples=10, samples_later={"after": 4, "samples": 30})
    assert grown == pytest.approx(0.4 * cost(samples=10) + 0.6 * cost(samples=30))
    assert cost(samples=10, samples_later={"after": 20, "samples": 30}) == cost(samples=10)
