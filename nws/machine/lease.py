"""A GPU for this process alone.

Snakemake's ``--resources gpu=N`` limits how many jobs run at a time, and leaves it to them which
GPU is whose. Here a job locks one file per device. The system frees the lock when the process ends,
however it ends: no lease is ever stale. Only ``nws`` processes of one user on one machine, with the
same temporary folder, know of one another. TensorFlow is not used here: it must not have looked for
devices before.
"""

import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from nws.errors import NwsError

# Seconds to wait for a free GPU. A job may start while one that was told to stop still writes its
# checkpoint (30 s at most); who waits longer asked for more jobs than there are GPUs.
PATIENCE = 120.0
POLL = 0.5  # seconds between two looks

VARIABLE = "CUDA_VISIBLE_DEVICES"

_held: list[int] = []  # open locks; closing one would give its device back


class Device(NamedTuple):
    """``name`` is what CUDA is told; ``uuid`` the device itself, or the name where that is unknown.

    Numbers do not tell devices apart: two jobs of a cluster may each see their own as 0.
    """

    name: str
    uuid: str


def devices() -> list[Device]:
    """The GPUs this process may use, in order: those of CUDA_VISIBLE_DEVICES if it is set, or all
    that nvidia-smi lists; none where there is neither."""
    listed, allowed = _listed(), os.environ.get(VARIABLE)
    if allowed is None:
        return [Device(uuid, uuid) for uuid in listed]
    return [Device(name, _uuid(name, listed)) for name in _names(allowed)]


def take(device: str = "auto") -> None:
    """Lease a GPU for as long as this process lives, and show CUDA no other.

    With all leased, waits up to PATIENCE seconds and then shares one; says so on stderr. Where
    there is one GPU there is nothing to choose: it is used, leased or not. ``device: cpu`` leases
    none. Raises NwsError if there are several and locks cannot be kept safely.
    """
    found = [] if device == "cpu" else devices()
    if len(found) > 1:
        os.environ[VARIABLE] = _choose(found).name
    elif found:
        with suppress(NwsError):  # only so that those who have a choice choose another
            _first_free(found)


def give_back() -> None:
    """End the lease early, for a process that will not use its GPU."""
    while _held:
        os.close(_held.pop())


def _choose(found: list[Device]) -> Device:
    end = time.monotonic() + PATIENCE
    chosen = _first_free(found)
    if chosen is None:
        _say(f"all {len(found)} GPUs are leased; waiting up to {PATIENCE:g} s for one")
    while chosen is None and time.monotonic() < end:
        time.sleep(POLL)
        chosen = _first_free(found)
    if chosen is None:
        chosen = found[os.getpid() % len(found)]
        _say(
            f"no GPU has become free in {PATIENCE:g} s: sharing {chosen.name}; so that each job "
            f"has its own, run {len(found)} at a time: snakemake --resources gpu={len(found)}"
        )
    return chosen


def _first_free(found: list[Device]) -> Device | None:
    folder = Path(tempfile.gettempdir()) / f"nws-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _check(folder)
        return next((device for device in found if _lock(folder, device)), None)
    except OSError as error:
        raise NwsError(
            f"{folder}: cannot be used: {error.strerror}; GPUs are leased there: make it writable, "
            "or set TMPDIR to a folder of your own"
        ) from None


def _lock(folder: Path, device: Device) -> bool:
    path = folder / f"gpu-{quote(device.uuid, safe='')}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _held.append(lock)
    return True


def _check(folder: Path) -> None:
    """Nobody but this user can write in the folder of locks, or put a link in its place."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise NwsError(
            f"{folder}: {stat.filemode(about.st_mode)}, of user {about.st_uid}; GPUs are leased "
            f"there, so it must be drwx------, of user {os.getuid()}: remove it, or set TMPDIR to "
            "a folder of your own"
        )


def _listed() -> list[str]:
    """UUIDs as nvidia-smi lists them; a GPU that is cut into MIG instances is its instances."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        done = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    found: list[str] = []
    for uuid in re.findall(r"UUID: ((?:GPU|MIG)-[^)]+)\)", done.stdout):
        if uuid.startswith("MIG") and found and found[-1].startswith("GPU"):
            found.pop()
        found.append(uuid)
    return found


def _names(allowed: str) -> list[str]:
    """CUDA_VISIBLE_DEVICES as CUDA reads it: up to the first name that is none, such as -1."""
    names = (name.strip() for name in allowed.split(","))
    return list(takewhile(re.compile(r"\d+|(GPU|MIG)-.+").fullmatch, names))


def _uuid(name: str, listed: list[str]) -> str:
    if name.isdigit():
        return listed[int(name)] if int(name) < len(listed) else name
    return next((uuid for uuid in listed if uuid.startswith(name)), name)


def _say(text: str) -> None:
    print(f"nws: {text}", file=sys.stderr, flush=True)
