"""What users may write, and the table of faults."""

import re
from pathlib import Path
from typing import Any

import pytest

from nws import config as configuration
from nws.errors import NwsError

NAMES = ["<script>", "../up", "/root", "a/b", ".hid", "", "a b", "$(id)", "a\nb", "a\n", "x" * 65]


@pytest.mark.parametrize("place", ["scale", "datasets", "experiments", "runs", "dataset"])
@pytest.mark.parametrize("name", NAMES)
def test_names_hold_no_markup_and_lead_nowhere(place: str, name: str) -> None:
    content: dict[str, Any] = {
        "extends": None,
        "scale": "tiny",
        "datasets": {"3by3": {"source": "3by3"}},
        "experiments": {"tiny": {"settings": {"dataset": "3by3"}, "runs": {"one": {}}}},
    }
    assert configuration.resolve(content)
    if place == "scale":
        content["scale"] = name
    elif place == "runs":
        content["experiments"]["tiny"]["runs"][name] = {}
    elif place == "dataset":
        content["experiments"]["tiny"]["settings"]["dataset"] = name
    else:
        content[place][name] = next(iter(content[place].values()))
    with pytest.raises(NwsError, match=place):
        configuration.resolve(content)


def test_the_table_of_faults_names_tests_that_are_there() -> None:
    folder = Path(__file__).resolve().parents[1]
    text = (folder.parent / "docs" / "faults.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    assert len(named) > 50
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("test_*.py")}
    for file, test in named:
        assert f"def {test}(" in files[file], f"{file}::{test}"
