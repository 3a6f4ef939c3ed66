"""The parameters of a Helmholtz machine: one matrix a layer, biases in its last row."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import tensorflow as tf

from nws.errors import NwsError


class Parameters(NamedTuple):
    """Layers from 0 (visible) up to L.

    ``p[i]`` (l[i+1]+1, l[i]) generates h[i] from h[i+1]; ``prior`` (l[L],) is the top layer's
    bias; ``q[i]`` (l[i]+1, l[i+1]) recognises h[i+1] from h[i].
    """

    p: tuple[tf.Tensor, ...]
    prior: tf.Tensor
    q: tuple[tf.Tensor, ...]

    @property
    def layers(self) -> list[int]:
        """Sizes, visible to top."""
        return [int(W.shape[1]) for W in self.p] + [int(self.prior.shape[0])]


def _glorot(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    # Keras' GlorotNormal: variance 2/(in+out) after cutting the normal at two deviations.
    scale = np.sqrt(2.0 / (fan_in + fan_out)) / 0.87962566103423978
    z = rng.standard_normal((fan_in, fan_out))
    while (far := np.abs(z) > 2).any():
        z[far] = rng.standard_normal(int(far.sum()))
    return z * scale


def _small(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    # github.com/jbornschein/reweighted-ws: units start out almost independent of their parents.
    bound = np.sqrt(6.0 / (fan_in + fan_out)) / fan_in
    return rng.uniform(-bound, bound, (fan_in, fan_out))


WEIGHTS = {"glorot": _glorot, "small": _small}


def initial(
    layers: Sequence[int], seed: int, bias: float = 0.1, weights: str = "glorot"
) -> Parameters:
    """Random weights and constant biases. ``weights``: glorot, truncated Glorot-normal (the
    authors' code); small, uniform within ±√(6/(in + out))/in (Bornschein & Bengio 2015)."""
    rng = np.random.Generator(np.random.Philox(key=seed))

    def layer(fan_in: int, fan_out: int) -> tf.Tensor:
        matrix = WEIGHTS[weights](rng, fan_in, fan_out)
        return tf.constant(np.vstack([matrix, np.full(fan_out, bias)]), tf.float32)

    pairs = list(pairwise(layers))
    return Parameters(
        p=tuple(layer(upper, lower) for lower, upper in pairs),
        prior=tf.fill([layers[-1]], tf.constant(bias, tf.float32)),
        q=tuple(layer(lower, upper) for lower, upper in pairs),
    )


def recode(params: Parameters, to: str) -> Parameters:
    """The same distributions for parents in the other coding: W01 = 2W±, b01 = b± - ΣW±."""

    def layer(M: tf.Tensor) -> tf.Tensor:
        W, b = M[:-1], M[-1]
        total = tf.reduce_sum(W, axis=0)
        W, b = (2.0 * W, b - total) if to == "01" else (0.5 * W, b + 0.5 * total)
        return tf.concat([W, b[None]], axis=0)

    return Parameters(tuple(map(layer, params.p)), params.prior, tuple(map(layer, params.q)))


def to_arrays(params: Parameters) -> dict[str, np.ndarray]:
    """The arrays of ``model.npz`` (±1 coding), as the README describes them."""
    arrays = {"prior_b": params.prior.numpy()}
    for side, stack in (("p", params.p), ("q", params.q)):
        for i, M in enumerate(stack):
            arrays[f"{side}_W{i}"], arrays[f"{side}_b{i}"] = M.numpy()[:-1], M.numpy()[-1]
    return arrays


def from_arrays(arrays: dict[str, np.ndarray]) -> Parameters:
    """Parameters from the arrays of ``model.npz``; shapes must chain."""
    depth = sum(name.startswith("p_W") for name in arrays)
    needed = ["prior_b"] + [f"{s}_{a}{i}" for s in "pq" for a in "Wb" for i in range(depth)]
    missing = [name for name in needed if name not in arrays]
    if depth == 0 or missing:
        raise NwsError(f"model: arrays missing: {', '.join(missing or ['p_W0'])}")

    unfit = [name for name in needed if not np.isfinite(arrays[name]).all()]
    if unfit:
        raise NwsError(f"model: holds nan or inf: {', '.join(unfit)}; train it again")

    def stack(side: str) -> tuple[tf.Tensor, ...]:
        pairs = [(arrays[f"{side}_W{i}"], arrays[f"{side}_b{i}"]) for i in range(depth)]
        return tuple(tf.constant(np.vstack([W, b[None]]), tf.float32) for W, b in pairs)

    params = Parameters(stack("p"), tf.constant(arrays["prior_b"], tf.float32), stack("q"))
    sizes = params.layers
    for i, (P, Q) in enumerate(zip(params.p, params.q, strict=True)):
        if P.shape != (sizes[i + 1] + 1, sizes[i]) or Q.shape != (sizes[i] + 1, sizes[i + 1]):
            raise NwsError(f"model: layer {i} has shapes p {P.shape}, q {Q.shape}, sizes {sizes}")
    return params


def read(path: str | Path) -> Parameters:
    """Parameters from a ``model.npz``; no pickle is ever loaded."""
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise NwsError(f"{path}: cannot be read as a model: is one array, not an .npz of them")
        with file:
            arrays = {name: file[name] for name in file.files}
        return from_arrays(arrays)
    except (OSError, ValueError, TypeError, EOFError, KeyError, BadZipFile) as error:
        raise NwsError(f"{path}: cannot be read as a model: {error}") from None
