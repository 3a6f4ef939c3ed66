"""Paths in a configuration are relative to the file that names them."""

import json
from pathlib import Path

import pytest

from nws import config as cfg
from nws.errors import NwsError
from nws.reporting.results import Results

MINE = """
extends: base.yaml
datasets: {letters: {source: images/letters.npz}}
experiments: {letters: {settings: {dataset: letters}, runs: {a: {}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that names files beside it, read from elsewhere."""
    there = tmp_path / "there"
    there.mkdir()
    (there / "mine.yaml").write_text(MINE)
    (there / "base.yaml").write_text("extends: smoke\nscale: based\nmnist_dir: digits\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return there


def test_paths_are_relative_to_the_file_that_names_them(folder: Path) -> None:
    for path in (folder / "mine.yaml", Path("../there/mine.yaml"), "../there/mine.yaml"):
        config = cfg.load(path)
        assert config.scale == "based"
        assert config.datasets["letters"].file == folder / "images" / "letters.npz"
        assert config.mnist_dir == str(folder / "digits")
    with pytest.raises(NwsError, match="relative to the file that names it"):
        cfg.resolve({"extends": "base.yaml"})


def test_a_project_that_moves_keeps_its_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    before = cfg.load(Path("there/mine.yaml"))
    assert before.datasets["letters"].source == "there/images/letters.npz"
    moved = folder.parent / "moved"
    moved.mkdir()
    folder.rename(moved / "there")
    monkeypatch.chdir(moved)
    assert cfg.load(moved / "there" / "mine.yaml") == before


def test_what_is_written_to_the_results_names_the_same_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = cfg.load(folder / "mine.yaml")
    written = cfg.write(config, Path("results/based"))
    assert cfg.load(written) == config
    monkeypatch.chdir(written.parent)
    assert cfg.load(Path(written.name)).datasets["letters"].file == config.datasets["letters"].file
    monkeypatch.chdir(folder)
    cfg.write(cfg.load(Path("mine.yaml")), Path("results/based"))
    source = json.loads(Path("results/based/config.json").read_text())["datasets"]["letters"]
    assert source["source"] == "../../images/letters.npz"


def test_results_are_read_as_they_were_asked_for(folder: Path) -> None:
    """Without a configuration, by the one beside them, whose paths are relative to it."""
    config = cfg.load(folder / "mine.yaml")
    cfg.write(config, folder / "results" / "based")
    assert Results(folder / "results" / "based").config == config
    assert Results("../there/results/based").config == config


def test_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert cfg.resolve({"extends": "~/base.yaml"}).scale == "based"
    (folder / "mine.yaml").write_text(MINE.replace("images/", "~/images/"))
    assert cfg.load(folder / "mine.yaml").datasets["letters"].file == folder / "images/letters.npz"
