"""The MNIST images: from a folder the user names, the local cache, or whoever answers first."""

import hashlib
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nws.data.idx import read_idx
from nws.data.rawfile import FILES, RawFile, content, decompressed
from nws.data.sources import Contents, Source, public_sources
from nws.errors import NwsError
from nws.files.whole import write_bytes

log = logging.getLogger(__name__)
OTHER_IMAGES = (
    "Other images under MNIST's names (Fashion-MNIST, say) are no MNIST here: put them into an "
    ".npz, np.savez('mine.npz', images=x) with uint8 or values in [0, 1], and name it as the "
    "source of a data set of your configuration: datasets: {mine: {source: mine.npz}}"
)
DIRECTORY_VARIABLE = "NWS_MNIST_DIR"
CACHE_VARIABLE = "NWS_CACHE"


class Mnist(NamedTuple):
    """The grey images, uint8 of shape (images, 28, 28), and where they came from."""

    train_images: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    origin: str
    sha256: dict[str, str]  # of each decompressed file


def mnist(
    mnist_dir: str | None = None,
    cache: Path | None = None,
    sources: Sequence[Source] | None = None,
    files: Sequence[RawFile] = FILES,
) -> Mnist:
    """The two MNIST image files, verified by the sha256 of their content.

    Asked in turn: ``mnist_dir``, else the folder in $NWS_MNIST_DIR (if one is named it must do);
    ``cache`` (by default $NWS_CACHE, else the user's cache folder); each of ``sources`` (by
    default the public ones), whose files are then cached. ``files`` are the training and the test
    images. Raises NwsError if a named folder lacks the right files, or if nothing else worked.
    """
    if named := _named_folder(mnist_dir):
        key = "mnist_dir" if mnist_dir else f"${DIRECTORY_VARIABLE}"
        return _mnist(_from_directory(named, key, files), f"folder {named}", files)
    folder = _cache_folder() if cache is None else cache
    if folder is not None and (held := _from_cache(folder, files)):
        return _mnist(held, f"cache {folder}", files)
    found, origin = _from_sources(public_sources() if sources is None else sources, files)
    if folder is not None:
        _keep(found, folder)
    return _mnist(found, origin, files)


def _mnist(contents: Contents, origin: str, files: Sequence[RawFile]) -> Mnist:
    train, test = (read_idx(contents[file.name], file.name) for file in files)
    return Mnist(train, test, origin, {file.name: file.sha256 for file in files})


def hashes(mnist_dir: str | None = None, files: Sequence[RawFile] = FILES) -> dict[str, str]:
    """The sha256 of the content of each file that :func:`mnist` would now take, whatever it holds.

    Where no folder is named, or it lacks a file, those of the official files: nothing else is
    ever taken.
    """
    found = {file.name: file.sha256 for file in files}
    if folder := _named_folder(mnist_dir):
        for file in files:
            if path := _find(folder, file):
                found[file.name] = hashlib.sha256(decompressed(_read(path), file)).hexdigest()
    return found


def _named_folder(mnist_dir: str | None) -> Path | None:
    named = mnist_dir or os.environ.get(DIRECTORY_VARIABLE)
    return Path(named) if named else None


def _find(folder: Path, file: RawFile) -> Path | None:
    paths = [Path(os.path.expanduser(folder)) / name for name in _spellings(file)]
    return next((path for path in paths if os.path.isfile(path)), None)


def _spellings(file: RawFile) -> list[str]:
    """The four usual ones: plain or gzipped, with "-idx3" or ".idx3"."""
    stems = (file.name, file.name.replace("-idx", ".idx"))
    return [stem + suffix for stem in stems for suffix in ("", ".gz")]


def _from_directory(folder: Path, key: str, files: Sequence[RawFile]) -> Contents:
    contents = {}
    for file in files:
        path = _find(folder, file)
        if path is None:
            others = ", ".join(_spellings(file)[1:])
            raise NwsError(
                f"{key}: {folder} holds no readable {file.name} (nor {others}); "
                f"put the official file there, or unset {key} to have it fetched"
            )
        try:
            contents[file.name] = content(_read(path), file, f"{key}: {path}")
        except NwsError as error:
            raise NwsError(f"{error}. {OTHER_IMAGES}") from None
    return contents


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NwsError(f"{path}: cannot be read: {error.strerror}") from None


def _cache_folder() -> Path | None:
    """$NWS_CACHE, else the user's; None for a user without a home, such as a container's."""
    named = os.environ.get(CACHE_VARIABLE)
    if named and not named.startswith("~"):
        return Path(named)
    try:
        import pooch

        return Path(named).expanduser() if named else Path(pooch.os_cache("nws"))
    except (RuntimeError, KeyError, OSError) as error:
        log.warning(
            "MNIST cannot be cached (%s); going on without; $%s names a folder",
            error,
            CACHE_VARIABLE,
        )
        return None


def _from_cache(folder: Path, files: Sequence[RawFile]) -> Contents | None:
    paths = {file: folder / file.name for file in files}
    if not all(os.path.isfile(path) for path in paths.values()):  # False where it may not look
        return None
    try:
        return {file.name: content(_read(path), file, str(path)) for file, path in paths.items()}
    except NwsError as error:
        log.warning("%s; fetching it again", error)
        return None


def _keep(contents: Contents, folder: Path) -> None:
    try:
        for name, data in contents.items():
            write_bytes(folder / name, data)
    except NwsError as error:
        log.warning("%s: MNIST cannot be cached (%s); going on without", folder, error)


def _from_sources(sources: Sequence[Source], files: Sequence[RawFile]) -> tuple[Contents, str]:
    tried = []
    for source in sources:
        log.info("fetching MNIST from %s", source.name)
        try:
            raw = source.read(files)
            return {f.name: content(raw[f.name], f, f.name) for f in files}, source.name
        except Exception as error:  # whatever is wrong with a source, the next may do
            tried.append(f"  {source.name}: {_reason(error)}")
    names = " and ".join(file.name for file in files)
    raise NwsError(
        "MNIST: not on this machine, and no source could provide it. Tried:\n"
        + "\n".join(tried)
        + f"\nGet {names} (plain or .gz) on a machine that can, put them in a folder, and name it "
        f"by mnist_dir in the configuration or by ${DIRECTORY_VARIABLE}."
    )


def _reason(error: Exception) -> str:
    # requests wraps the cause in layers of pool descriptions; the innermost says what happened.
    cause = getattr(error.args[0], "reason", error) if error.args else error
    text = re.sub(r"//[^/@\s]*@", "//", " ".join(str(cause).split()))  # no passwords of an index
    return f"{type(error).__name__}: {text[:300]}"
