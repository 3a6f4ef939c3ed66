"""Which of the package's sources a result depends on: one list, for jobs and for the workflow."""

import hashlib
from pathlib import Path

from nws.files.top import PACKAGE

DEPENDS = {
    "data": ("data", "files/npz.py"),
    "training": (
        "algorithms",
        "fisher",
        "models",
        "training",
        "data/store.py",
        "evaluation/likelihood.py",
        "evaluation/activity.py",
        "evaluation/exact.py",
        "machine/compilation.py",
    ),
    "evaluation": ("models", "evaluation", "machine/compilation.py"),
    "reporting": ("reporting", "evaluation/fisher_enumeration.py"),
}


def source_hash(of: str) -> str:
    """A hash of the code on which ``of``, a key of DEPENDS, depends: 16 hex digits."""
    digest = hashlib.sha256()
    for path in sorted(file for part in DEPENDS[of] for file in _files(PACKAGE / part)):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(part: Path) -> list[Path]:
    return [part] if part.suffix else list(part.rglob("*.py"))
