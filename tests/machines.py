"""Small machines, and slow plain references for them, in float64."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nws.evaluation.exact import states

Arrays = dict[str, np.ndarray]


def random_model(layers: Sequence[int], seed: int, scale: float = 1.0) -> Arrays:
    """Arrays of model.npz with normal weights and biases, float64."""
    rng = np.random.default_rng(seed)
    model = {"prior_b": scale * rng.standard_normal(layers[-1])}
    for i, (low, high) in enumerate(pairwise(layers)):
        model |= {
            f"p_W{i}": scale * rng.standard_normal((high, low)),
            f"p_b{i}": scale * rng.standard_normal(low),
            f"q_W{i}": scale * rng.standard_normal((low, high)),
            f"q_b{i}": scale * rng.standard_normal(high),
        }
    return model


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a))."""
    return 1.0 / (1.0 + np.exp(-a))


def bernoulli(h: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """p(h) of ±1 rows, the product over units."""
    return sigmoid(h * logits).prod(axis=-1)


def all_hidden(layers: Sequence[int]) -> list[np.ndarray]:
    """Every joint state of the hidden layers, one array a layer."""
    return np.split(states(sum(layers[1:])), np.cumsum(layers[1:])[:-1], axis=1)


def joint(model: Arrays, x: np.ndarray, h: list[np.ndarray]) -> np.ndarray:
    """p(x, h) for one x and every row of h."""
    layers = [np.broadcast_to(x, (len(h[0]), len(x))), *h]
    p = bernoulli(h[-1], model["prior_b"])
    for i in range(len(h)):
        p = p * bernoulli(layers[i], layers[i + 1] @ model[f"p_W{i}"] + model[f"p_b{i}"])
    return p


def posterior_proposal(model: Arrays, x: np.ndarray, h: list[np.ndarray]) -> np.ndarray:
    """q(h|x) for one x and every row of h."""
    layers = [np.broadcast_to(x, (len(h[0]), len(x))), *h]
    q = np.ones(len(h[0]))
    for i in range(len(h)):
        q = q * bernoulli(layers[i + 1], layers[i] @ model[f"q_W{i}"] + model[f"q_b{i}"])
    return q
