"""Runs that differ in η, α and seed alone are one program, traced once, each with its own bits."""

from typing import Any

import pytest
import tiny
from tiny import assert_same, bits

from nws.training import loop
from nws.training.loop import Programs, compile_run
from nws.training.run import Outcome, fit

CELLS = [(0.02, 0.05, 0), (0.1, 0.05, 0), (0.02, 0.5, 0), (0.02, 0.05, 7), (3e38, 0.05, 0)]
LINEAR = {"kind": "linear", "end": 0.1}
CASES: list[dict[str, Any]] = [
    {"algorithm": "ws", "learning_rate_schedule": LINEAR},
    {"algorithm": "rws", "optimizer": "adam"},
    {"algorithm": "nrws", "solver": "cholesky", "refresh": 3, "damping_schedule": LINEAR},
    {"algorithm": "nrws", "solver": "cg", "refresh": 3},
    {"algorithm": "nws", "solver": "woodbury", "refresh": 1},
]


def trained(
    case: dict[str, Any], cell: tuple[float, float, int], programs: Programs | None
) -> Outcome:
    rate, damping, seed = cell
    config = tiny.settings(**case, epochs=2, learning_rate=rate, damping=damping)
    program = compile_run(config, tiny.GREY, tiny.IMAGES[:36], seed, programs)
    return fit(program, tiny.start(config), config, "tiny", warn=lambda text: None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_a_run_has_the_bits_that_it_has_alone(case: dict[str, Any]) -> None:
    """Also after one that diverged."""
    programs: Programs = {}
    together = [trained(case, cell, programs) for cell in CELLS[::-1]][::-1]
    assert len({tuple(bits(end.params)) for end in together}) >= len(CELLS) - 1  # ws has no α
    for cell, end in list(zip(CELLS, together, strict=True))[1:4]:
        assert_same(trained(case, cell, None), end)
    assert together[-1].status == "diverged"


@pytest.mark.parametrize(("refresh", "expected"), [(3, 1), (1, 4)])
def test_one_program_serves_a_grid(
    refresh: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fresh metric η and α are folded into one constant: there only seeds share."""
    made: list[Any] = []
    compile_ = loop._compile
    monkeypatch.setattr(loop, "_compile", lambda *args: made.append(args) or compile_(*args))
    programs: Programs = {}
    cells = [(0.1, 0.05, 0), (0.02, 0.5, 0), (0.02, 0.05, 0), (0.02, 0.05, 7), (0.1, 0.05, 7)]
    for rate, damping, seed in cells:
        config = tiny.settings(
            algorithm="nrws", refresh=refresh, learning_rate=rate, damping=damping
        )
        compile_run(config, tiny.IMAGES, tiny.IMAGES[:36], seed, programs)
    assert len(made) == expected
    assert len(programs) == 1
