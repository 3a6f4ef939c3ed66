"""Which solver for which layer: by name, or by cost."""

from nws.errors import NwsError
from nws.fisher.base import Solver
from nws.fisher.cg import ConjugateGradient
from nws.fisher.cholesky import Cholesky
from nws.fisher.woodbury import Woodbury

NAMES = ("auto", "cholesky", "woodbury", "cg")

# Conjugate gradients need about ten iterations for a residual of 1e-2 at α = .05; a product that
# serves all units runs about three times as fast as one small system after the other.
ITERATIONS, BATCHED = 10, 3


def cost(name: str, n: int, l: int, units: int, refresh: int = 1) -> float:
    """Multiplications per step of one layer, counted in full-speed products.

    Factors are shared by ``refresh`` steps: n samples, l parents with the bias.
    """
    if name == "cholesky":
        return BATCHED * units * ((n * l**2 + l**3 / 3) / refresh + 2 * l**2)
    if name == "woodbury":
        return BATCHED * units * ((n**2 + n**3 / 3) / refresh + 2 * n**2) + 2 * units * n * l
    product = n**2 if n < 2 * l else 2 * n * l
    return ITERATIONS * units * product + 2 * units * n * l


def choose(
    name: str,
    n: int,
    l: int,
    units: int,
    refresh: int = 1,
    tolerance: float = 1e-2,
    iterations: int = 100,
) -> Solver:
    """The solver called ``name``; ``auto`` is the cheapest for n samples, l parents, m units."""
    if name == "auto":
        name = min(("cholesky", "woodbury", "cg"), key=lambda s: cost(s, n, l, units, refresh))
    if name == "cholesky":
        return Cholesky()
    if name == "woodbury":
        return Woodbury()
    if name == "cg":
        return ConjugateGradient(tolerance, iterations)
    raise NwsError(f"solver: found {name!r}; allowed: {', '.join(NAMES)}")
