"""The Fisher matrix of a small sigmoid belief network, exactly, by visiting every state.

F = Σ_h p(h) s(h) s(h)ᵀ with s = ∇ log p(h), float64. The parameters are ordered unit by unit, the
prior first: the weights of a unit's parents, then its bias. The paper's Proposition 1 says that F
is block diagonal with one block per unit, E[σ'(a) ĥ ĥᵀ] (Eq. 10, 22), ĥ the parents and a 1.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Coding = Literal["01", "pm1"]
Layer = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Network:
    """``prior`` biases of the top layer, then (W, b) of each layer below, W of (units, parents)."""

    prior: np.ndarray
    layers: tuple[Layer, ...]

    @property
    def sizes(self) -> list[int]:
        return [self.prior.size, *(b.size for _, b in self.layers)]


def random_network(sizes: list[int], seed: int = 0) -> Network:
    """Gaussian weights and biases; ``sizes`` from the top layer to the visible one."""
    generator = np.random.default_rng(seed)
    pairs = itertools.pairwise(sizes)
    layers = tuple((generator.normal(size=(n, m)), generator.normal(size=n)) for m, n in pairs)
    return Network(generator.normal(size=sizes[0]), layers)


def to_01(network: Network) -> Network:
    """The network on {0,1} units with the distribution of this one on ±1 units.

    W01 = 2 W±, b01 = b± − Σ W±, since a parent is 2h − 1.
    """
    return Network(network.prior, tuple((2 * w, b - w.sum(axis=1)) for w, b in network.layers))


def jacobian_to_01(network: Network) -> np.ndarray:
    """∂(parameters of :func:`to_01`) / ∂(parameters), so that F± = Jᵀ F01 J."""
    blocks = [np.ones((1, 1))] * network.prior.size
    for w, b in network.layers:
        parents = w.shape[1]
        block = np.diag([2.0] * parents + [1.0])
        block[-1, :-1] = -1
        blocks += [block] * b.size
    return _block_diagonal(blocks)


def fisher(network: Network, coding: Coding = "pm1") -> np.ndarray:
    """Σ p s sᵀ over all joint states, with s from ∂ log p/∂a = h01 − σ(a)."""
    states, probability = _states(network, coding)
    scores = np.concatenate(
        [(h - p)[:, None] * parents for h, p, parents in _units(network, states, coding)], axis=1
    )
    return (scores * probability[:, None]).T @ scores


def blocks(network: Network, coding: Coding = "pm1") -> np.ndarray:
    """What the paper says F is: E[σ'(a) ĥ ĥᵀ] for each unit on the diagonal, zero elsewhere."""
    states, probability = _states(network, coding)
    return _block_diagonal(
        [
            (parents * (probability * p * (1 - p))[:, None]).T @ parents
            for _, p, parents in _units(network, states, coding)
        ]
    )


def unit_of_parameter(network: Network) -> np.ndarray:
    """For each parameter the number of its unit, the prior's units first."""
    sizes = network.sizes
    counts = [1] * sizes[0] + [m + 1 for m, n in itertools.pairwise(sizes) for _ in range(n)]
    return np.repeat(np.arange(len(counts)), counts)


def layer_of_unit(network: Network) -> np.ndarray:
    """For each unit the number of its layer, 0 at the top."""
    return np.repeat(np.arange(len(network.sizes)), network.sizes)


def largest_outside(matrix: np.ndarray, unit: np.ndarray) -> float:
    """The largest absolute entry that couples two different units."""
    return float(np.abs(matrix[unit[:, None] != unit[None, :]]).max())


def _states(network: Network, coding: Coding) -> tuple[np.ndarray, np.ndarray]:
    """Every joint state in {0,1}, one per row, and its probability."""
    states = np.array(list(itertools.product((0.0, 1.0), repeat=sum(network.sizes))))
    factors = [np.where(h > 0, p, 1 - p) for h, p, _ in _units(network, states, coding)]
    return states, np.prod(factors, axis=0)


def _units(
    network: Network, states: np.ndarray, coding: Coding
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each unit: its value in {0,1}, σ(a), and ĥ of its parents, over all states."""
    split = np.split(states, np.cumsum(network.sizes)[:-1], axis=1)
    nothing = np.zeros((len(states), 0))
    prior: Layer = (np.zeros((network.prior.size, 0)), network.prior)
    above = [nothing, *split[:-1]]
    for h, parents, (w, b) in zip(split, above, (prior, *network.layers), strict=True):
        coded = parents if coding == "01" else 2 * parents - 1
        augmented = np.concatenate([coded, np.ones((len(states), 1))], axis=1)
        p = 1 / (1 + np.exp(-(coded @ w.T + b)))
        for unit in range(b.size):
            yield h[:, unit], p[:, unit], augmented


def _block_diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    matrix = np.zeros((sum(map(len, blocks)),) * 2)
    start = 0
    for block in blocks:
        stop = start + len(block)
        matrix[start:stop, start:stop] = block
        start = stop
    return matrix
