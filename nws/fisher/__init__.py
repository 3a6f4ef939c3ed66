"""Natural gradients of a sigmoid belief network: exact, damped, one Fisher block per unit."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nws.machine import forking, quiet

quiet.load()  # before anything below, or here, imports TensorFlow

import tensorflow as tf

from nws.errors import NwsError
from nws.fisher.choice import EXACT, choose

__all__ = ["EXACT", "choose", "natural_gradient"]

ROUNDING = 1e-6  # relative residual that rounding may leave
LONGEST = 2**31 - 1  # iterations that cg can count


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
    their parents; ``grad`` g (l+1, m); ``damping`` α > 0. Returns (l+1, m) in the type of ``grad``,
    float64 where that is no floating one.

    Computed in float64. ``solver``: cholesky O(m(nl²+l³)), woodbury O(m(n²l+n³)), cg O(mnl) an
    iteration, until the residual that it keeps itself is ``tolerance``; auto: the cheapest. The
    relative residual of the result is measured whatever solved it, and an error where it is large:
    a damping far below the largest eigenvalue costs digits, Woodbury's formula most.
    """
    forking.check()
    named = {"parents": parents, "probs": probs, "grad": grad}
    H, P, g = (_matrix(name, value) for name, value in named.items())
    _check(H, P, g)
    if solver not in EXACT:
        raise NwsError(f"natural_gradient: solver: found {solver!r}; allowed: {', '.join(EXACT)}")
    damping, tolerance = _positive("damping", damping), _positive("tolerance", tolerance)
    asked = _positive("iterations", iterations)
    if not (asked.is_integer() and asked <= LONGEST):
        raise NwsError(
            f"natural_gradient: iterations: found {iterations!r}; give a whole number, at most "
            "2^31-1"
        )
    iterations = int(asked)
    rows, columns = H.shape
    method = choose(solver, rows, columns, P.shape[1], 1, tolerance, iterations)
    V = P * (1.0 - P) / rows
    alpha = tf.constant(damping, tf.float64)
    # Norms are of squares: gradients of any size are solved at size 1. Powers of two do not round.
    _, size = np.frexp(np.abs(g).max(axis=0))
    g = np.ldexp(g, -size)
    solution = method.solve(method.factor(tf.constant(H), tf.constant(V), alpha), tf.constant(g))
    worst = float(tf.reduce_max(solution.residual))
    if worst > tolerance:  # of a solver that iterates
        raise NwsError(
            f"natural_gradient: {solver} ended with a relative residual of {worst:.1e}, asked "
            f"for {tolerance:.1e} in {iterations} iterations; raise one of the three"
        )
    value = solution.value.numpy()
    _check_solved(H, V, g, damping, value, max(ROUNDING, 10 * tolerance), solver)
    kind = np.asarray(grad).dtype
    with np.errstate(over="ignore"):  # told below
        result = np.ldexp(value, size).astype(kind if kind.kind == "f" else np.float64)
    if not np.isfinite(result).all():
        raise NwsError(
            f"natural_gradient: grad: the result is beyond {result.dtype}; scale it down, "
            "give it as float64, or raise damping"
        )
    return result


def _check_solved(
    H: np.ndarray,
    V: np.ndarray,
    g: np.ndarray,
    damping: float,
    value: np.ndarray,
    limit: float,
    solver: str,
) -> None:
    """An error unless ‖g - F̃x‖ is below ``limit``·‖g‖ for every unit."""
    x = value / (1.0 + damping)
    with np.errstate(all="ignore"):
        off = np.linalg.norm(g - damping * x - H.T @ (V * (H @ x)), axis=0)
    worst = float((off / np.maximum(np.linalg.norm(g, axis=0), np.finfo(np.float64).tiny)).max())
    if not worst <= limit:
        raise NwsError(
            f"natural_gradient: {solver}: the result has a relative residual of {worst:.1e}, above "
            f"{limit:.1e}: damping {damping:g} is too small for float64; raise it"
        )


def _matrix(name: str, value: Any) -> np.ndarray:
    """As float64; real numbers, none of them masked."""
    try:
        if np.ma.is_masked(value):
            raise ValueError("it has masked entries")
        found = np.asarray(value)
        if found.dtype.kind not in "fiub":
            raise ValueError(f"it holds {found.dtype}")
        found = found.astype(np.float64)
        if found.ndim != 2:
            raise ValueError(f"found {found.ndim} dimensions")
    except (TypeError, ValueError) as error:
        raise NwsError(
            f"natural_gradient: {name}: give a matrix of real numbers; {error}"
        ) from None
    return found


def _positive(name: str, value: Any) -> float:
    try:
        number = math.nan if np.asarray(value).dtype.kind in "bcSU" else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise NwsError(f"natural_gradient: {name}: found {value!r}; give a positive number")
    return number


def _check(H: np.ndarray, P: np.ndarray, g: np.ndarray) -> None:
    fit = P.shape[0] == H.shape[0] and g.shape == (H.shape[1], P.shape[1])
    if not fit or 0 in (*H.shape, *P.shape):
        raise NwsError(
            "natural_gradient: parents (n, l+1), probs (n, m) and grad (l+1, m) do not fit; "
            f"found {H.shape}, {P.shape} and {g.shape}"
        )
    requirements: list[tuple[str, bool, Callable[[], str]]] = [
        (
            "parents must end in a column of ones",
            bool((H[:, -1] == 1).all()),
            lambda: str(H[H[:, -1] != 1, -1][0]),
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
