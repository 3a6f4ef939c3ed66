"""Mosaics of data, reconstructions and samples as PNG bytes, for the report."""

import io

import numpy as np

from nws.reporting.results import DONE, Entry, Results

KINDS = {
    "data": "test images",
    "reconstructions": "their reconstructions",
    "samples": "model samples",
    "probabilities": "their probabilities",
}
COUNT, ACROSS = 32, 8


def headline(results: Results) -> list[Entry]:
    """The first seed that ended well of each of the paper's runs of Tables 1 and 2."""
    entries = [e for name in ("minimnist", "mnist") for e in results.entries(name)]
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.status in DONE:
            first.setdefault(f"{entry.run.experiment}/{entry.run.name}", entry)
    return list(first.values())


def mosaics(results: Results, entry: Entry) -> dict[str, bytes]:
    """A PNG for every kind of picture in ``samples.npz``; none if it cannot be read."""
    arrays = results.samples(entry.run.experiment, entry.run.name, entry.seed) or {}
    if "shape" not in arrays:
        return {}
    shape = tuple(int(side) for side in arrays["shape"])
    return {
        title: _png(arrays[kind][:COUNT].reshape(-1, *shape))
        for kind, title in KINDS.items()
        if kind in arrays
    }


def _png(images: np.ndarray) -> bytes:
    from matplotlib.image import imsave

    from nws.reporting.figures.pictures import mosaic

    buffer = io.BytesIO()
    imsave(buffer, mosaic(images, ACROSS), cmap="Greys", vmin=0, vmax=1, format="png")
    return buffer.getvalue()
