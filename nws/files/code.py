"""Which of the package's sources a result depends on: one list, for jobs and for the workflow."""

import hashlib
from functools import cache
from pathlib import Path

from nws.files.top import PACKAGE, TEMPLATES

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
    "reporting": ("reporting",),
}


@cache  # the code that runs was read when the process began
def source_hash(of: str) -> str:
    """A hash of the code on which ``of``, a key of DEPENDS, depends: 16 hex digits."""
    return _hash(PACKAGE, [file for part in DEPENDS[of] for file in _files(PACKAGE / part)])


def template_hash() -> str:
    """A hash of the report's templates, style and captions: 16 hex digits."""
    return _hash(TEMPLATES, [path for path in TEMPLATES.rglob("*") if path.is_file()])


def _hash(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(part: Path) -> list[Path]:
    return [part] if part.suffix else list(part.rglob("*.py"))
