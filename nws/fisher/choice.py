"""Which solver for which layer: by name, or by cost among those of the exact metric."""

from nws.errors import NwsError
from nws.fisher import cg, cholesky, woodbury
from nws.fisher.base import Solver
from nws.fisher.shared import Shared

EXACT = ("auto", "cholesky", "woodbury", "cg")
NAMES = (*EXACT, "shared")


def choose(
    name: str,
    n: int,
    l: int,
    units: int,
    refresh: int = 1,
    tolerance: float = 1e-2,
    iterations: int = 100,
    static: bool = False,
) -> Solver:
    """The solver called ``name``; ``auto`` is the cheapest for n samples, l parents, m units.

    ``static``: no shape may depend on values, as XLA asks.
    """
    if name == "auto":
        costs = {
            "cholesky": cholesky.cost(n, l, units, refresh),
            "woodbury": woodbury.cost(n, l, units, refresh),
            "cg": cg.cost(n, l, units, refresh),
        }
        name = min(costs, key=costs.__getitem__)
    if name == "cholesky":
        return cholesky.Cholesky()
    if name == "woodbury":
        return woodbury.Woodbury()
    if name == "cg":
        return cg.ConjugateGradient(tolerance, iterations, refresh, static=static)
    if name == "shared":
        return Shared()
    raise NwsError(f"solver: found {name!r}; allowed: {', '.join(NAMES)}")
