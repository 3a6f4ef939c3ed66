"""Paths in a configuration: relative to the file that names them; ``~`` is the home folder."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from nws.files.top import scales


def expanded(path: str) -> Path:
    """``~`` as the home folder, if there is one."""
    return Path(os.path.expanduser(path))  # Path's own raises where there is none


def located(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A file's content, its paths as seen from the working directory: ``folder`` is the file's.

    What is below the working directory stays relative: a project that moves stays as it is.
    """
    home = os.path.abspath(folder)

    def locate(path: str) -> str:
        whole = os.path.normpath(os.path.join(home, path))
        below = os.path.relpath(whole)
        return whole if below.split(os.sep)[0] == os.pardir else below

    return _changed(content, locate)


def seen_from(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The reverse of :func:`located`: paths as a file in ``folder`` must give them."""
    return _changed(content, lambda path: os.path.relpath(path, folder))


def _changed(content: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """A copy with ``change`` made to all relative paths."""
    new = dict(content)
    if _relative(new.get("extends")) and new["extends"] not in scales():
        new["extends"] = change(new["extends"])
    if _relative(new.get("mnist_dir")):
        new["mnist_dir"] = change(new["mnist_dir"])
    if isinstance(new.get("datasets"), Mapping):
        new["datasets"] = {name: _source(value, change) for name, value in new["datasets"].items()}
    return new


def _source(dataset: Any, change: Callable[[str], str]) -> Any:
    source = dataset.get("source") if isinstance(dataset, Mapping) else None
    if not (_relative(source) and source.endswith(".npz")):
        return dataset
    return {**dataset, "source": change(source)}


def _relative(path: Any) -> TypeGuard[str]:
    return isinstance(path, str) and not path.startswith("~") and not os.path.isabs(path)
