"""Downloads bounded in size and in time, so that an unreachable host costs seconds."""

import io
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from typing import NamedTuple, TypeVar

from nws.data.rawfile import check_sha256

T = TypeVar("T")
CHUNK = 2**14


class Patience(NamedTuple):
    """Seconds to wait: for a connection, for the first bytes, between bytes, for everything."""

    connect: float = 3
    answer: float = 8
    read: float = 10
    whole: float = 300


PATIENCE = Patience()


class _Buffer(io.BytesIO):
    """Collects a download; notes its first bytes and refuses more than ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.answered = Event()

    def write(self, chunk) -> int:  # type: ignore[no-untyped-def]
        self.answered.set()
        if self.tell() + len(chunk) > self.limit:
            raise ValueError(f"sends more than the {self.limit} bytes expected at most")
        return super().write(chunk)


def download(url: str, limit: int, patience: Patience, sha256: str | None = None) -> bytes:
    """The bytes at ``url``, at most ``limit`` of them, of the given hash if one is given.

    Raises TimeoutError, OSError (requests' errors are), ValueError or NwsError.
    """
    import pooch

    fetch = pooch.HTTPDownloader(timeout=(patience.connect, patience.read), chunk_size=CHUNK)
    buffer = _Buffer(limit)
    running = _start(lambda: fetch(url, buffer, None), buffer.answered)
    _await(running, buffer.answered, patience)
    if sha256 is not None:
        check_sha256(buffer.getvalue(), sha256, url)
    return buffer.getvalue()


def bounded(call: Callable[[], T], patience: Patience) -> T:
    """The value of ``call``, or TimeoutError if it takes longer than an answer may."""
    done = Event()
    return _await(_start(call, done), done, patience)


def _start(call: Callable[[], T], done: Event) -> "Future[T]":
    # Socket time-outs bound neither name resolution nor hosts with many addresses (each gets its
    # own), so the call runs in a thread that is left behind when it takes too long.
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)
        finally:
            done.set()

    Thread(target=work, daemon=True).start()
    return future


def _await(running: "Future[T]", answered: Event, patience: Patience) -> T:
    if not answered.wait(patience.answer):
        raise TimeoutError(f"no answer within {patience.answer:g} s")
    try:
        return running.result(patience.whole)
    except TimeoutError as error:
        if running.done():  # the call's own error, not ours
            raise
        raise TimeoutError(f"not complete within {patience.whole:g} s") from error
