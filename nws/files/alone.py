"""One process at a time: the system frees the lock when its holder ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nws.errors import NwsError
from nws.files.whole import unwritable

# Seconds to wait. A run that was told to stop may still write its checkpoint (30 s at most).
PATIENCE = 60.0
POLL = 0.5  # seconds between two looks


@contextmanager
def alone(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file ``path``; ``doing`` says what for. NwsError if another process holds it
    for longer than PATIENCE. Without effect on file systems that do not lock what is open for
    reading, such as NFS: open for writing, it would keep a disk from being made read-only.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        end = time.monotonic() + PATIENCE
        while not _taken(lock):
            if time.monotonic() > end:
                raise NwsError(
                    f"{path}: held by another process, which {doing}; two at once would mix their "
                    "files: wait until it ends, or stop it, then give the same command again"
                )
            time.sleep(POLL)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    return True
