"""Manifests: the hashes of what was written, so that a later change is noticed.

Who writes a file records its SHA-256 in ``manifest.json`` beside it. This catches an edit by
accident or by hand; it is no signature, for whoever changes both files is not caught.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path

from nws.files.whole import write_text

NAME = "manifest.json"


def sha256(path: Path) -> str:
    """Of a file's bytes, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write(directory: Path, files: Iterable[Path | str], name: str = NAME) -> Path:
    """Record ``files`` (names in ``directory``); files recorded before and not named stay.

    Writers that may run at the same time in one directory each need a ``name`` of their own, which
    ends in ``manifest.json``.
    """
    path = directory / name
    try:
        known = _read(path) if path.is_file() else {}
    except ValueError:  # damaged: begun anew
        known = {}
    known |= {Path(file).name: sha256(directory / Path(file).name) for file in files}
    write_text(path, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return path


def check(directory: Path, whole: bool = True, names: Collection[str] | None = None) -> list[str]:
    """What differs from the manifests in ``directory``, as sentences; empty if nothing does.

    Not ``whole``: files that are not there are no problem (a copy of some of them). ``names``: of
    these files alone.
    """
    problems = []
    for manifest in sorted(directory.glob(f"*{NAME}")):
        try:
            known = _read(manifest)
        except ValueError:
            problems.append(f"{manifest.name} is not readable")
            continue
        problems += [
            p
            for file, digest in known.items()
            if (names is None or file in names)
            and (whole or (directory / file).is_file())
            and (p := _problem(directory / file, digest))
        ]
    return problems


def _problem(path: Path, digest: str) -> str:
    if not path.is_file():
        return f"{path.name} is in the manifest but not there"
    same = sha256(path) == digest
    return "" if same else f"{path.name} does not match its manifest: changed after it was made"


def _read(path: Path) -> dict[str, str]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content
