"""A web server on this machine whose pages a test writes, faults included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

Page = bytes | Callable[[Any, Event], None]


@contextmanager
def serve(pages: dict[str, Page]) -> Iterator[str]:
    """The address of a server of ``pages`` (path: content); what is not among them is a 404."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            if page is None:
                self.send_error(404)
            elif isinstance(page, bytes):
                self.reply(page, len(page))
            else:
                page(self, over)

        def reply(self, data: bytes, length: int) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.send_header("Content-Type", "text/html" if data[:1] == b"<" else "x/x")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def truncated(data: Page) -> Page:
    """Announces ``data`` and closes after half of it."""
    assert isinstance(data, bytes)
    return lambda handler, _: handler.reply(data[: len(data) // 2], len(data))


def silent(handler: Any, over: Event) -> None:
    """Accepts the connection and never answers."""
    over.wait(30)


def dripping(handler: Any, over: Event) -> None:
    """Answers at once, then sends on, slowly and without an end."""
    handler.reply(b"0" * 2**14, 10**9)
    while not over.wait(0.02):
        handler.wfile.write(b"0" * 2**14)
