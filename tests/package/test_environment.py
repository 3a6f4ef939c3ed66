"""The pinned environment: hashed, complete, without a host, the same for pip and conda."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
tools = runpy.run_path(str(ROOT / "tools" / "environment.py"))


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-")


def test_conda_users_get_the_same_versions() -> None:
    dependencies = yaml.safe_load(ENVIRONMENT)["dependencies"]
    assert dependencies[-1]["pip"] == tools["pins"](REQUIREMENTS)
    assert tools["environment"](REQUIREMENTS) == ENVIRONMENT, "run: make lock"


def test_every_requirement_is_pinned_and_hashed() -> None:
    entries = [e for e in re.split(r"\n(?=\S)", REQUIREMENTS.strip()) if not e.startswith("#")]
    assert len(entries) == len(tools["pins"](REQUIREMENTS)) > 50
    for entry in entries:
        first, *hashes = entry.splitlines()
        assert re.match(r"[a-z0-9.-]+==[^ ]+ (; .*)?\\$", first), first
        assert hashes, first
        assert all(re.match(r"    --hash=sha256:[0-9a-f]{64}( \\)?$", line) for line in hashes)


def test_there_is_one_version_of_each_package() -> None:
    names = [name_of(pin) for pin in tools["pins"](REQUIREMENTS)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("text", [REQUIREMENTS, ENVIRONMENT])
def test_no_host_is_named(text: str) -> None:
    assert not re.search(r"://|index-url|find-links|trusted-host|^-", text, flags=re.MULTILINE)


def test_everything_the_project_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    asked += project["build-system"]["requires"]  # the Makefile installs without build isolation
    pinned = {name_of(pin) for pin in tools["pins"](REQUIREMENTS)}
    assert {name_of(requirement) for requirement in asked} <= pinned
