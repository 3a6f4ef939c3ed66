"""Every algorithm there is, the natural ones with every solver: rows of tables of tests."""

from itertools import product
from typing import Any, get_args

import tiny

from nws.config import RunSettings

NAMES = get_args(RunSettings.model_fields["algorithm"].annotation)
ALGORITHMS = [name for name in NAMES if name != "vae"]  # Keras trains that
SOLVERS = ("cholesky", "woodbury", "cg", "shared")


def cases() -> list[dict[str, Any]]:
    """Every algorithm, every natural one with every solver; fresh and stale metrics in turn."""
    found: list[dict[str, Any]] = []
    for algorithm in ALGORITHMS:
        if not tiny.settings(algorithm=algorithm).natural:
            found.append({"algorithm": algorithm})
    natural = [a for a in ALGORITHMS if tiny.settings(algorithm=a).natural]
    for i, (solver, algorithm) in enumerate(product(SOLVERS, natural)):
        found.append({"algorithm": algorithm, "solver": solver, "refresh": (1, 3)[i % 2]})
    return found


def name(case: dict[str, Any]) -> str:
    return "-".join(map(str, case.values()))
