"""What lies at the top of the repository and comes with the package, found in one place.

Scales, templates, workflow and profiles are where users look for them, beside ``nws``; a wheel
holds the same tree in ``nws/top`` (``package-dir`` in ``pyproject.toml``).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = PACKAGE / "top"
TOP = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent

SCALES = TOP / "config"  # a .yaml each; README.md: every key
TEMPLATES = TOP / "report"
SCRIPTS = TOP / "benchmarks"


def scales() -> list[str]:
    """The names of the shipped configurations."""
    return sorted(path.stem for path in SCALES.glob("*.yaml"))
