"""One process at a time holds a lock, and its end frees it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nws.errors import NwsError
from nws.files import alone

HOLDER = """
import sys, time
from pathlib import Path
from nws.files.alone import alone
with alone(Path(sys.argv[1]), "trains"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_waited_for_and_then_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "work" / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        monkeypatch.setattr(alone, "PATIENCE", 0.6)
        said = r"work/lock: held by another process, which trains x"
        with pytest.raises(NwsError, match=said), alone.alone(path, "trains x"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with alone.alone(path, "trains x"):
            pass


def test_where_there_are_no_locks_there_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*args: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(alone.fcntl, "flock", no_locks)
    with alone.alone(tmp_path / "lock", "trains"):
        pass
