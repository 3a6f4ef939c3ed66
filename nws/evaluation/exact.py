"""Exact quantities of small machines, by enumeration in float64 (numpy only).

Arrays are those of ``model.npz``. All 2^k states of the hidden units are visited: k ≤ 20.
"""

from collections.abc import Mapping

import numpy as np

from nws.config.settings import ENUMERABLE
from nws.errors import NwsError

BLOCK = 4096  # states at once: 10,000 images take a third of a gigabyte


def check(units: int) -> None:
    """An error if 2^units states are too many to visit."""
    if units > ENUMERABLE:
        raise NwsError(
            f"exact: {units} units have 2^{units} states; enumeration stops at {ENUMERABLE}"
        )


def states(units: int) -> np.ndarray:
    """All 2^units rows of ±1, (2^units, units), the first unit changing slowest."""
    check(units)
    bits = np.arange(2**units)[:, None] >> np.arange(units)[::-1] & 1
    return 2.0 * bits - 1.0


def log_sigmoid(a: np.ndarray) -> np.ndarray:
    """log σ(a), stable."""
    return -np.logaddexp(0.0, -a)


def _log_probability(a: np.ndarray, clip: float) -> np.ndarray:
    """log σ(a) with σ kept in [c, 1-c]; exact where σ is 0 or 1 to all digits, too."""
    if clip == 0:
        return log_sigmoid(a)
    return np.clip(log_sigmoid(a), np.log(clip), np.log1p(-clip))


def depth(model: Mapping[str, np.ndarray]) -> int:
    """L, the number of hidden layers."""
    return sum(name.startswith("p_W") for name in model)


def log_joint(model: Mapping[str, np.ndarray], h: list[np.ndarray], clip: float) -> np.ndarray:
    """log p(h[0], …, h[L]) of ±1 rows, (n,): Eq. 8, with probabilities kept in [c, 1-c]."""

    def layer(units: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return _log_probability(units * logits, clip).sum(axis=-1)

    total = layer(h[-1], np.asarray(model["prior_b"], np.float64))
    for i in range(depth(model)):
        W = np.asarray(model[f"p_W{i}"], np.float64)
        total = total + layer(h[i], h[i + 1] @ W + model[f"p_b{i}"])
    return total


def log_likelihood(model: Mapping[str, np.ndarray], x: np.ndarray, clip: float = 0.0) -> np.ndarray:
    """log p(x) = log Σ_h p(x, h) for x (n, l[0]) in ±1; (n,) nats."""
    L = depth(model)
    sizes = [len(model[f"p_b{i}"]) for i in range(1, L)] + [len(model["prior_b"])]
    hidden = states(sum(sizes))
    h = np.split(hidden, np.cumsum(sizes)[:-1], axis=1)
    above = log_joint(_upper(model), h, clip)
    on = (np.asarray(x) > 0).astype(np.float64)
    total = np.full(len(on), -np.inf)
    for start in range(0, len(hidden), BLOCK):
        block = slice(start, start + BLOCK)
        logits = h[0][block] @ np.asarray(model["p_W0"], np.float64) + model["p_b0"]
        log_up, log_down = _log_probability(logits, clip), _log_probability(-logits, clip)
        log_p = on @ (log_up - log_down).T + log_down.sum(axis=1) + above[block]
        total = np.logaddexp(total, np.logaddexp.reduce(log_p, axis=1))
    return total


def log_unnormalised(model: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """log p̃*(x) = 2 log Σ_h √(p(x, h) q(h|x)) of a bidirectional machine, for x (n, l[0]) in ±1."""
    L = depth(model)
    sizes = [len(model[f"q_b{i}"]) for i in range(L)]
    hidden = np.split(states(sum(sizes)), np.cumsum(sizes)[:-1], axis=1)

    def one(row: np.ndarray) -> float:
        h = [np.tile(row, (len(hidden[0]), 1)), *hidden]
        log_pq = log_joint(model, h, 0.0) + log_proposal(model, h)
        return float(2.0 * np.logaddexp.reduce(0.5 * log_pq))

    return np.array([one(row) for row in np.asarray(x, np.float64)])


def log_proposal(model: Mapping[str, np.ndarray], h: list[np.ndarray]) -> np.ndarray:
    """log q(h[1], …, h[L] | h[0]) of ±1 rows, (n,): Eq. 9."""
    logits = [
        h[i] @ np.asarray(model[f"q_W{i}"], np.float64) + model[f"q_b{i}"]
        for i in range(depth(model))
    ]
    layers = [log_sigmoid(u * a).sum(axis=-1) for u, a in zip(h[1:], logits, strict=True)]
    return np.asarray(sum(layers))


def two_log_z(model: Mapping[str, np.ndarray]) -> float:
    """2 log Z = log Σ_x p̃*(x) of a bidirectional machine; not above 0."""
    visible = states(len(model["p_b0"]))
    return float(np.logaddexp.reduce(log_unnormalised(model, visible)))


def _upper(model: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The machine without its visible layer."""
    upper = {"prior_b": model["prior_b"]}
    for i in range(1, depth(model)):
        upper[f"p_W{i - 1}"], upper[f"p_b{i - 1}"] = model[f"p_W{i}"], model[f"p_b{i}"]
    return upper


def entropy(probabilities: np.ndarray) -> float:
    """-Σ p log p, nats."""
    p = np.asarray(probabilities, np.float64)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def kl(
    model: Mapping[str, np.ndarray],
    patterns: np.ndarray,
    probabilities: np.ndarray,
    clip: float = 0.0,
) -> float:
    """KL(p*‖p) = Σ_x p*(x) (log p*(x) - log p(x)) for patterns (n, l[0]) in ±1, nats."""
    cross = -np.sum(probabilities * log_likelihood(model, patterns, clip))
    return float(cross - entropy(probabilities))
