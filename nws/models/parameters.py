"""The parameters of a Helmholtz machine: one matrix a layer, biases in its last row."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nws.errors import NwsError
from nws.files.npz import names, read_npz

LAYER = re.compile("[pq]_[Wb]([0-9]{1,9})")  # in the name of an array in a file


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

    @property
    def finite(self) -> bool:
        """Is every number finite?"""
        return all(np.isfinite(t.numpy()).all() for t in (*self.p, self.prior, *self.q))


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


def from_arrays(arrays: Mapping[str, np.ndarray], where: str = "model") -> Parameters:
    """Parameters from the arrays of ``model.npz``; shapes must chain. Errors name ``where``."""
    needed = _needed(arrays)
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise NwsError(f"{where}: arrays missing: {', '.join(missing)}")
    dimensions = {name: 2 if "_W" in name else 1 for name in needed}
    odd = [
        f"{name} {arrays[name].shape} of {arrays[name].dtype}"
        for name in needed
        if arrays[name].dtype.kind not in "fiu" or arrays[name].ndim != dimensions[name]
    ]
    if odd:
        raise NwsError(f"{where}: W must be matrices, b vectors, of real numbers; {', '.join(odd)}")
    with np.errstate(over="ignore"):
        single = {name: arrays[name].astype(np.float32) for name in needed}
    for what, held in (("nan or inf", arrays), ("numbers beyond single precision", single)):
        unfit = [name for name in needed if not np.isfinite(held[name]).all()]
        if unfit:
            raise NwsError(f"{where}: holds {what}: {', '.join(unfit)}; train it again")
    return _chained(single, where)


def _needed(arrays: Iterable[str]) -> list[str]:
    """The names of a model as deep as the largest number in a name says.

    At most one layer deeper than the arrays suffice for: few names need be told as missing.
    """
    held = set(arrays)
    found = [int(match[1]) for name in held if (match := LAYER.fullmatch(name))]
    depth = 1 + min(max(found, default=0), len(held) // 4)
    return ["prior_b"] + [f"{s}_{a}{i}" for s in "pq" for i in range(depth) for a in "Wb"]


def _chained(arrays: Mapping[str, np.ndarray], where: str) -> Parameters:
    found = {
        side: [(arrays[f"{side}_W{i}"], arrays[f"{side}_b{i}"]) for i in range(len(arrays) // 4)]
        for side in "pq"
    }
    visible = [found["q"][0][0].shape[0], *(W.shape[1] for W, _ in found["q"])]
    for i, ((P, b), (Q, c)) in enumerate(zip(found["p"], found["q"], strict=True)):
        low, high = visible[i : i + 2]
        shapes = (P.shape, b.shape, Q.shape, c.shape)
        if shapes != ((high, low), (low,), (low, high), (high,)):
            raise NwsError(
                f"{where}: layer {i} has p_W {P.shape}, p_b {b.shape}, q_W {Q.shape}, "
                f"q_b {c.shape}, which do not fit each other, or the layer below"
            )
    if arrays["prior_b"].shape != (visible[-1],):
        raise NwsError(
            f"{where}: prior_b has {arrays['prior_b'].shape}, the top {visible[-1]} units"
        )
    p, q = (tuple(tf.constant(np.vstack([W, b])) for W, b in found[side]) for side in "pq")
    return Parameters(p, tf.constant(arrays["prior_b"]), q)


def read(path: str | Path) -> Parameters:
    """Parameters from a ``model.npz``; no pickle is ever loaded."""
    file, where = Path(path), str(path)
    return from_arrays(read_npz(file, where, _needed(names(file, where))), where)
