"""Natural gradients of a sigmoid belief network: exact, damped, one Fisher block per unit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from nws.errors import NwsError
from nws.fisher.choice import EXACT, choose

__all__ = ["EXACT", "choose", "natural_gradient"]


def natural_gradient(
    parents: Any,
    probs: Any,
    grad: Any,
    damping: float,
    solver: str = "auto",
    tolerance: float = 1e-8,
    iterations: int = 2000,
) -> np.ndarray:
    """(1+α)(αI + Hᵀ diag(p(1-p)/n) H)⁻¹ g for every unit of a layer (Eqs. 13, 16, 17).

    ``parents`` H (n, l+1) with a trailing 1; ``probs`` p (n, m), the units' probabilities given
    their parents; ``grad`` g (l+1, m); ``damping`` α > 0. Returns (l+1, m) in the type of ``grad``.

    Computed in float64. ``solver``: cholesky O(m(nl²+l³)), woodbury O(m(n²l+n³)), cg O(mnl) an
    iteration, to a relative residual of ``tolerance`` or an error; auto: the cheapest.
    """
    H, P, g = (np.asarray(a, dtype=np.float64) for a in (parents, probs, grad))
    _check(H, P, g, damping)
    if solver not in EXACT:
        raise NwsError(f"natural_gradient: solver: found {solver!r}; allowed: {', '.join(EXACT)}")
    rows, columns = H.shape
    method = choose(solver, rows, columns, P.shape[1], 1, tolerance, iterations)
    V = P * (1.0 - P) / rows
    alpha = tf.constant(damping, tf.float64)
    solution = method.solve(method.factor(tf.constant(H), tf.constant(V), alpha), tf.constant(g))
    worst = float(tf.reduce_max(solution.residual))
    if not (bool(solution.finite) and worst <= tolerance):
        raise NwsError(
            f"natural_gradient: {solver} ended with a relative residual of {worst:.1e}, asked "
            f"for {tolerance:.1e} in {iterations} iterations; raise one of the three"
        )
    kind = getattr(grad, "dtype", np.float64)
    return solution.value.numpy().astype(getattr(kind, "as_numpy_dtype", kind))


def _check(H: np.ndarray, P: np.ndarray, g: np.ndarray, damping: float) -> None:
    if not (H.ndim == P.ndim == g.ndim == 2):
        raise NwsError(
            "natural_gradient: parents, probs and grad must be matrices; "
            f"found {H.ndim}, {P.ndim} and {g.ndim} dimensions"
        )
    if P.shape[0] != H.shape[0] or g.shape != (H.shape[1], P.shape[1]) or H.shape[0] == 0:
        raise NwsError(
            "natural_gradient: parents (n, l+1), probs (n, m) and grad (l+1, m) do not fit; "
            f"found {H.shape}, {P.shape} and {g.shape}"
        )
    requirements: list[tuple[str, bool, Callable[[], str]]] = [
        (
            "damping must be a positive number",
            bool(np.isfinite(damping) and damping > 0),
            lambda: repr(damping),
        ),
        (
            "parents must end in a column of ones",
            bool((H[:, -1] == 1).all()),
            lambda: str(H[:, -1].min()),
        ),
        (
            "parents and grad must be finite",
            bool(np.isfinite(H).all() and np.isfinite(g).all()),
            lambda: "nan or inf",
        ),
        (
            "probs must lie in [0, 1]",
            bool(((P >= 0) & (P <= 1)).all()),
            lambda: f"{P.min()} to {P.max()}",
        ),
    ]
    for text, holds, found in requirements:
        if not holds:
            raise NwsError(f"natural_gradient: {text}; found {found()}")
