"""The API page says what the docstrings say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_api_page_is_current() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "api.py"))
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert tool["page"]() == page, "run: python tools/api.py"
    assert all(name in page for name in ("nws.HelmholtzMachine", "fit(", "natural_gradient("))
