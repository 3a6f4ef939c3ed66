"""How far a workflow's runs are, and the time left."""

import os
import threading
import time
from pathlib import Path

import pytest

from nws.planning import progress


def make(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_the_time_left_is_by_what_runs_cost_not_by_their_number() -> None:
    costs = {Path("short"): 1.0, Path("other"): 1.0, Path("long"): 8.0}
    assert progress.describe(costs, [Path("short")], 9) == "1 of 3 runs trained, roughly 81 s left"
    assert progress.describe(costs, [Path("long")], 80) == "1 of 3 runs trained, roughly 20 s left"
    assert progress.describe(costs, list(costs), 80) == "3 of 3 runs trained, roughly 0 s left"


def test_runs_are_told_once_all_their_files_are_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, part, new = (tmp_path / name for name in ("old", "part", "new"))
    make(old, "a", "b")
    for file in old.iterdir():
        os.utime(file, (0, 0))
    watching = threading.Thread(
        target=progress.watch, args=({old: 1.0, part: 1.0, new: 2.0}, ["a", "b"], 0.01), daemon=True
    )
    watching.start()
    time.sleep(0.1)  # the clock of files is coarser
    make(part, "a")
    make(new, "a", "b")
    time.sleep(0.5)
    said = capsys.readouterr().err
    assert said.startswith("1 of 3 runs trained, roughly ")
    make(part, "b")
    make(old, "a", "b")
    watching.join(timeout=10)
    assert capsys.readouterr().err.splitlines()[-1] == "3 of 3 runs trained, roughly 0 s left"
