"""Building a data set: raw images, the first so many of each split, made binary."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nws.config import DatasetSettings, check_source
from nws.data import patterns
from nws.data.binarize import draw, round_half
from nws.data.fetch import Mnist, hashes, mnist
from nws.data.pooling import halved
from nws.data.store import Dataset, Provenance, load, load_provenance, save, sha256
from nws.data.userfile import SPLITS, read_images
from nws.errors import NwsError
from nws.files import manifest
from nws.files.code import source_hash
from nws.files.npz import Arrays
from nws.files.record import difference

__all__ = ["Dataset", "build", "load", "load_provenance", "save"]

MNIST_TRAIN = 50_000  # of the 60,000; the other 10,000 are the validation images
DEFAULTS = DatasetSettings(source="").model_dump()


class Raw(NamedTuple):
    """Splits of images (n, height, width), what divides them into [0, 1], where they are from."""

    splits: Arrays
    scale: int
    origin: dict[str, Any]


def build(
    name: str,
    settings: DatasetSettings,
    mnist_dir: str | None = None,
    fetch: Callable[[str | None], Mnist] = mnist,
) -> tuple[Dataset, Provenance]:
    """The data set ``settings`` describe, and its provenance (docs/architecture.md, "Files").

    ``fetch`` gives the MNIST images. Raises NwsError if the images cannot be had, or are fewer
    than asked for.
    """
    raw = _raw(name, settings, mnist_dir, fetch)
    known = settings.source == "3by3"
    exact, probabilities = patterns.patterns() if known else (None, None)
    splits = {s: _binary(_first(raw, s, name, settings), s, settings) for s in SPLITS}
    dataset = Dataset(
        name=name,
        **splits,
        shape=raw.splits["train"].shape[1:],
        binarization=settings.binarization,
        patterns=exact,
        probabilities=probabilities,
    )
    return dataset, _provenance(dataset, settings, raw.origin)


def outdated(npz_path: Path, settings: DatasetSettings, mnist_dir: str | None = None) -> str:
    """Why the data set in these files is not what would be made now; empty if it is.

    By content: the settings, the files that it is made from, and this package's code.
    """
    try:
        load(npz_path)
        made = load_provenance(npz_path)
    except NwsError as error:
        return str(error)
    if found := changed(made, settings, mnist_dir):
        return found
    return difference({"code": made.get("code")}, {"code": source_hash("data")})


def changed(made: Provenance, settings: DatasetSettings, mnist_dir: str | None = None) -> str:
    """In what a data set is not of these settings and of what its files now hold; empty if it is.

    Files that are not there any more, or of which an old record says nothing, are not compared; of
    the user's own that is gone, its name.
    """
    recorded, asked = dict(made.get("source") or {}), settings.model_dump()
    held = (made.get("origin") or {}).get("sha256")
    now = content(settings, mnist_dir) if held or settings.file else {}
    if held and now:
        recorded["content"], asked["content"] = sorted(held.values()), sorted(now.values())
        if settings.file:  # where it lies is no matter
            asked["source"] = recorded.get("source")
    elif settings.file and not now:  # nor where it lay
        for side in (recorded, asked):
            side["source"] = Path(str(side.get("source", ""))).name
    return difference(recorded, asked, DEFAULTS)


def current(npz_path: Path, settings: DatasetSettings, mnist_dir: str | None) -> Dataset:
    """The data set in these files, if it is the one that is asked for; else NwsError."""
    dataset = load(npz_path)
    if found := changed(load_provenance(npz_path), settings, mnist_dir):
        raise NwsError(
            f"{npz_path}: is not what the configuration asks for now ({found}); prepare it again: "
            f"nws prepare {npz_path.stem}, with the same --config"
        )
    return dataset


def content(settings: DatasetSettings, mnist_dir: str | None = None) -> dict[str, str]:
    """The hashes of the files a data set is made from, by name; empty where it needs none, or the
    user's own cannot be read."""
    if settings.source in ("mnist", "minimnist"):
        return hashes(mnist_dir)
    path = settings.file
    try:
        return {path.name: manifest.sha256(path)} if path else {}
    except OSError:
        return {}


def _raw(
    name: str,
    settings: DatasetSettings,
    mnist_dir: str | None,
    fetch: Callable[[str | None], Mnist],
) -> Raw:
    if settings.source == "3by3":
        return Raw(_exact_rows(name, settings), 1, {"from": "generated", "sha256": {}})
    if settings.source in ("mnist", "minimnist"):
        return _mnist(fetch(mnist_dir), settings)
    check_source(name, settings)
    path = settings.file or Path(settings.source)
    splits, scale = read_images(path)
    return Raw(splits, scale, {"from": settings.source, "sha256": content(settings)})


def _mnist(found: Mnist, settings: DatasetSettings) -> Raw:
    train, valid = np.split(found.train_images, [MNIST_TRAIN])
    splits: Arrays = {"train": train, "valid": valid, "test": found.test_images}
    origin = {"from": found.origin, "sha256": found.sha256}
    if settings.source == "mnist":
        return Raw(splits, 255, origin)
    return Raw(*halved(splits, settings.pooling, settings.pooled, settings.seed), origin)


def _exact_rows(name: str, settings: DatasetSettings) -> Arrays:
    counts = {"train": settings.train or 100 * patterns.PERIOD}
    counts |= {s: getattr(settings, s) or patterns.PERIOD for s in ("valid", "test")}
    for split, count in counts.items():
        if count % patterns.PERIOD:
            raise NwsError(
                f"datasets.{name}.{split}: found {count}; 3by3 has exact frequencies only in "
                f"multiples of {patterns.PERIOD}"
            )
    return {split: patterns.rows(count) for split, count in counts.items()}


def _first(raw: Raw, split: str, name: str, settings: DatasetSettings) -> NDArray[np.float32]:
    images, asked = raw.splits[split], getattr(settings, split)
    if asked is not None and asked > len(images):
        raise NwsError(
            f"datasets.{name}.{split}: found {asked}, but {settings.source} has {len(images)} "
            f"{split} images; ask for at most so many, or null for all"
        )
    chosen = images[:asked]
    return chosen.reshape(len(chosen), -1).astype(np.float32) / np.float32(raw.scale)


def _binary(grey: NDArray[np.float32], split: str, settings: DatasetSettings) -> NDArray[Any]:
    if settings.binarization == "round":
        return round_half(grey)
    if settings.binarization == "stochastic" and split == "train":
        return grey  # drawn again at every step
    # Not with the numbers that the pixels were drawn with before they were pooled.
    again = " again" if settings.pooled == "static" else ""
    return draw(grey, settings.seed, split + again)


def _provenance(dataset: Dataset, settings: DatasetSettings, origin: dict[str, Any]) -> Provenance:
    return {
        "name": dataset.name,
        "source": settings.model_dump(),
        "binarization": dataset.binarization,
        "counts": {split: len(getattr(dataset, split)) for split in SPLITS},
        "mean_pixel": float(dataset.train.mean(dtype=np.float64)),
        "sha256": {key: sha256(array) for key, array in dataset.arrays().items()},
        "origin": origin,
        "code": source_hash("data"),
    }
