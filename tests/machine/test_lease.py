"""Several GPUs, which are not there: real processes each lease their own."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nws import cli
from nws.cli import work
from nws.errors import NwsError
from nws.machine import device, lease
from nws.training import jobs

HOLDER = """
import os, sys
from nws.machine import lease
lease.PATIENCE, lease.POLL = float(sys.argv[1]), 0.02
lease.take(sys.argv[2])
assert "tensorflow" not in sys.modules
print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""
LISTED = """\
GPU 0: NVIDIA A (UUID: GPU-aaaa-1)
GPU 1: NVIDIA B (UUID: GPU-bbbb-2)
"""
CUT = """\
GPU 0: NVIDIA A (UUID: GPU-aaaa-1)
  MIG 1g.10gb     Device  0: (UUID: MIG-cccc-3)
  MIG 1g.10gb     Device  1: (UUID: MIG-dddd-4)
GPU 1: NVIDIA B (UUID: GPU-bbbb-2)
"""


class Holder:
    """A process that leases a GPU and keeps it."""

    def __init__(self, patience: float = 30.0, device: str = "auto") -> None:
        command = [sys.executable, "-c", HOLDER, str(patience), device]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def shown(self) -> str:
        """CUDA_VISIBLE_DEVICES, once it has its lease."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def said(self) -> str:
        """The next line on stderr."""
        assert self.process.stderr
        return self.process.stderr.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(autouse=True)
def _nothing_is_leased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Locks in a folder of the test's own; what it leased itself is given back."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield
    lease.give_back()


@pytest.fixture
def holders() -> Iterator[list[Holder]]:
    started: list[Holder] = []
    yield started
    for holder in started:
        holder.kill()


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, listed: str, status: int = 0) -> None:
    """One that lists what a test wants."""
    tool = folder / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{listed}END\nexit {status}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")


def test_processes_that_start_at_once_get_a_gpu_each(
    holders: list[Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    holders += [Holder() for _ in range(3)]
    assert sorted(holder.shown() for holder in holders) == ["0", "1", "2"]


def test_one_more_waits_until_a_holder_is_killed(
    holders: list[Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    holders += [Holder() for _ in range(3)]
    shown = [holder.shown() for holder in holders]
    holders.append(waiting := Holder())
    assert waiting.said() == "nws: all 3 GPUs are leased; waiting up to 30 s for one"
    time.sleep(0.2)
    assert waiting.process.poll() is None
    holders[1].process.send_signal(signal.SIGKILL)
    assert waiting.shown() == shown[1]


def test_who_has_waited_long_enough_shares_and_says_so(
    holders: list[Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    holders += [Holder(), Holder()]
    assert {holder.shown() for holder in holders} == {"4", "7"}
    holders.append(third := Holder(patience=0.1))
    assert (shared := third.shown()) in {"4", "7"}
    assert "waiting up to 0.1 s" in third.said()
    said = third.said()
    assert f"no GPU has become free in 0.1 s: sharing {shared}" in said
    assert "snakemake --resources gpu=2" in said


@pytest.mark.parametrize(
    ("visible", "device", "shown"),
    [
        ("0", "auto", "0"),
        ("0,1", "cpu", "0,1"),
        ("", "auto", ""),
        ("-1", "auto", "-1"),
        ("NoDevFiles", "gpu", "NoDevFiles"),
    ],
)
def test_where_there_is_no_choice_nothing_changes(
    holders: list[Holder], monkeypatch: pytest.MonkeyPatch, visible: str, device: str, shown: str
) -> None:
    """Two processes at once: neither waits."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    holders += [Holder(device=device), Holder(device=device)]
    assert [holder.shown() for holder in holders] == [shown, shown]


def test_a_gpu_that_was_chosen_by_hand_is_not_chosen_again(
    holders: list[Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    holders.append(Holder())
    assert holders[0].shown() == "0"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    holders.append(Holder())
    assert holders[1].shown() == "1"


def test_without_the_variable_nvidia_smi_tells(
    tmp_path: Path, holders: list[Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    nvidia_smi(tmp_path, monkeypatch, LISTED)
    holders += [Holder(), Holder()]
    assert {holder.shown() for holder in holders} == {"GPU-aaaa-1", "GPU-bbbb-2"}


@pytest.mark.parametrize(
    ("visible", "listed", "found"),
    [
        (None, LISTED, [("GPU-aaaa-1", "GPU-aaaa-1"), ("GPU-bbbb-2", "GPU-bbbb-2")]),
        (None, CUT, [(name, name) for name in ("MIG-cccc-3", "MIG-dddd-4", "GPU-bbbb-2")]),
        (None, "NVIDIA-SMI has failed because it couldn't reach the driver.\n", []),
        ("1", LISTED, [("1", "GPU-bbbb-2")]),
        (" GPU-bb , 0", LISTED, [("GPU-bb", "GPU-bbbb-2"), ("0", "GPU-aaaa-1")]),
        ("MIG-cccc-3", CUT, [("MIG-cccc-3", "MIG-cccc-3")]),
        ("0,-1,1", LISTED, [("0", "GPU-aaaa-1")]),  # CUDA stops at the first that is none
        ("", LISTED, []),
        ("3", LISTED, [("3", "3")]),
    ],
)
def test_devices_are_known_by_their_uuid(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    listed: str,
    found: list[tuple[str, str]],
) -> None:
    """Two jobs of a cluster may each see their own GPU as number 0."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    nvidia_smi(tmp_path, monkeypatch, listed, status=9 if "failed" in listed else 0)
    assert lease.devices() == found


def test_without_nvidia_smi_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lease.devices() == []
    lease.take()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_locks_are_the_users_alone_and_stay_in_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-GPU-aaaa/../../1,0")
    lease.take()
    folder = tmp_path / f"nws-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.parent for path in tmp_path.rglob("*.lock")] == [folder]


@pytest.mark.parametrize("spoilt", ["open", "link", "file"])
def test_a_folder_that_others_could_write_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    folder = tmp_path / f"nws-{os.getuid()}"
    if spoilt == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    elif spoilt == "file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    lease.take()  # with one GPU there is nothing to tell apart
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with pytest.raises(NwsError, match=rf"{folder}: .*set TMPDIR to a folder of your own"):
        lease.take()
    assert not list(tmp_path.rglob("*.lock"))


# The commands


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize("found", ["gpu", "cpu"])
def test_the_commands_lease_before_tensorflow_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, found: str
) -> None:
    """And keep the lease only if TensorFlow can use the GPU."""
    seen = []

    def configure(asked: str, threads: int, runs: int) -> str:
        seen.append(os.environ["CUDA_VISIBLE_DEVICES"])
        return found

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    monkeypatch.setattr(device, "configure", configure)
    monkeypatch.setattr(jobs, "train", lambda *args: None)
    monkeypatch.setattr(work, "_evaluate", lambda *args: None)
    monkeypatch.setattr(work, "_ready", lambda *args: None)
    assert cli.main([command, "minimnist/rws_b", "--results", str(tmp_path)]) == 0
    assert seen == ["5"]
    assert len(lease._held) == (found == "gpu")
