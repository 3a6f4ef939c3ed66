"""The networks that are trained, and how many parameters they have."""

from itertools import pairwise
from typing import NamedTuple

from nws import config as configuration
from nws.config import Config

MACHINE, VAE = "Helmholtz machine", "VAE"


class Network(NamedTuple):
    """Sizes of the layers, the image first; parameters of p, with its prior, and of q."""

    layers: tuple[int, ...]
    kind: str
    p: int
    q: int
    experiments: list[str]


def networks(config: Config) -> list[Network]:
    """Each network once, with the experiments that train it; of runs on images of known size."""
    found: dict[tuple[tuple[int, ...], str], dict[str, None]] = {}
    for run in configuration.runs(config):
        source = config.datasets[run.settings.dataset].source
        if source in configuration.BUILT_IN:
            layers = (configuration.BUILT_IN[source], *run.settings.layers)
            kind = VAE if run.settings.algorithm == "vae" else MACHINE
            found.setdefault((layers, kind), {})[run.experiment] = None
    return [
        Network(layers, kind, *_parameters(layers, kind), list(names))
        for (layers, kind), names in found.items()
    ]


def _parameters(layers: tuple[int, ...], kind: str) -> tuple[int, int]:
    """Weights and biases of p and q. A VAE's prior has none; its q has a mean and a variance for
    every latent unit."""
    *below, top = layers
    prior, outputs = (0, 2 * top) if kind == VAE else (top, top)
    p = sum(low * high + low for low, high in pairwise(layers)) + prior
    q = sum(low * high + high for low, high in pairwise((*below, outputs)))
    return p, q
