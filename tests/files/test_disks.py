"""Disks that take nothing more, full or read-only: an error, and the same bits later."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny
from tiny_job import CONFIG, hindered, told, train

from nws import cli
from nws import config as configuration
from nws.cli import work
from nws.errors import NwsError
from nws.training import jobs


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or not mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)):
        pytest.skip("needs Linux and the right to mount a small tmpfs")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def fill(disk: Path) -> None:
    """More than fits: writing stops where the space does."""
    with pytest.raises(OSError, match="No space left"):
        (disk / "filler").write_bytes(bytes(512 * 1024))


def empty(disk: Path) -> None:
    (disk / "filler").unlink()


def lock(disk: Path) -> None:
    assert mount("-o", "remount,ro", str(disk))


def unlock(disk: Path) -> None:
    assert mount("-o", "remount,rw", str(disk))


FAULTS = {
    "full": (fill, empty, "No space left on device"),
    "read-only": (lock, unlock, "Read-only file system"),
}


@pytest.mark.parametrize("stretches", [0, 8])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_takes_nothing_more(
    disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unbroken: tuple[bytes, str],
    fault: str,
    stretches: int,
) -> None:
    """From the first step on, or after some checkpoints: a message, status 2, and then recovery."""
    spoil, repair, says = FAULTS[fault]
    root = disk / "results"
    tiny.prepare(CONFIG, root)
    (root / "tiny.json").write_text(configuration.dump(CONFIG))
    command = ["train", "tiny/one", "--config", f"{root}/tiny.json", "--results", str(root)]
    with monkeypatch.context() as patch:
        tiny.eager_checkpoints(patch)
        patch.setattr(work, "_configure", lambda *args: None)  # possible once in a process
        compile_run = jobs.compile_run
        patch.setattr(
            jobs,
            "compile_run",
            lambda *args: hindered(compile_run(*args), stretches, lambda: spoil(disk)),
        )
        assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert f"nws: {root / 'work' / 'tiny' / 'one' / 'seed0'}/" in said
    assert f"cannot be written: {says}; make room, or the folder writable, and run" in said
    repair(disk)
    assert not list(root.rglob("*.tmp"))
    assert train(root) == unbroken
    assert told(root)["resumed"] == (stretches > 0)


def test_read_only_results_from_the_start(
    disk: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[bytes, str]
) -> None:
    run = tiny.prepare(CONFIG, disk)
    lock(disk)
    with pytest.raises(NwsError, match=r"seed0/\S+: cannot be written: Read-only file system"):
        jobs.train(CONFIG, run, 0, disk)
    unlock(disk)
    assert train(disk) == unbroken
