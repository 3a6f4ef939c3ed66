"""The report in a real browser, with the network off: it loads, shows, fits and is accessible."""

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import browser
import pytest

CHROMIUM = browser.find()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome on PATH")

WIDTHS = (375, 1440)
# Closed details hide tables that could be too wide, and colours that could be too faint.
UNFOLD = "document.querySelectorAll('details').forEach(found => found.open = true)"


@pytest.fixture(scope="module")
def page(made: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    assert CHROMIUM
    with browser.Browser(CHROMIUM, tmp_path_factory.mktemp("profile")) as started:
        page = started.page()
        page.show(WIDTHS[1])
        page.open(made[0] / "report.html")
        yield page


def test_it_loads_without_network_or_complaint(page: browser.Page) -> None:
    assert page.run("document.querySelector('h1').innerText.length") > 0
    assert page.complaints() == []
    asked = [url for url in page.requests() if not url.startswith("data:")]
    assert asked == [page.run("location.href")]
    assert asked[0].startswith("file:")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_image_is_decoded_and_drawn(page: browser.Page, width: int) -> None:
    page.show(width)
    images = page.run(
        "Promise.all([...document.images].map(async image => (await image.decode(), {"
        " alt: image.alt, natural: image.naturalWidth,"
        " drawn: Math.min(image.getBoundingClientRect().width, image.clientHeight),"
        " shown: image.checkVisibility() })))"
    )
    assert len(images) >= 9
    bad = [found for found in images if not (found["natural"] and found["shown"])]
    assert bad == []
    assert min(found["drawn"] for found in images) > 50


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways(page: browser.Page, width: int) -> None:
    page.show(width)
    page.run(UNFOLD)
    assert page.run("innerWidth") == width
    assert page.run("document.scrollingElement.scrollWidth") <= width


def axe() -> Path | None:
    """axe-core, in the file NWS_AXE or in a package that ships it; never imported."""
    if "NWS_AXE" in os.environ:
        return Path(os.environ["NWS_AXE"])
    found = importlib.util.find_spec("axe_playwright_python")
    return Path(found.origin).with_name("axe.min.js") if found and found.origin else None


@pytest.mark.skipif(
    axe() is None, reason="no axe-core: pip install --no-deps axe-playwright-python"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(page: browser.Page, width: int, scheme: str) -> None:
    source = axe()
    assert source
    page.show(width, scheme)
    page.run(UNFOLD)
    page.run(source.read_text(encoding="utf-8") + ";0")
    found = page.run("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    short = [
        (rule["impact"], rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"]])
        for rule in found
    ]
    assert short == [], json.dumps(short, indent=1)
