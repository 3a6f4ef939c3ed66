"""A headless Chromium, driven over the pipe of its DevTools protocol. Needs no package."""

import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no network
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-sandbox",  # root, as in a container, cannot have one; the only page is our own
)


def find() -> str | None:
    """The browser to test in, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A browser process; what it says beside its answers is kept in ``events``."""

    def __init__(self, path: str, profile: Path, timeout: float = 60) -> None:
        self.timeout = timeout
        self.events: list[dict[str, Any]] = []
        self._count = 0
        self._buffer = b""
        # Chromium listens on descriptor 3 and answers on 4. The pipes' own numbers ascend, so
        # neither copy overwrites an end that is still needed.
        listens, self._commands = os.pipe()
        self._answers, speaks = os.pipe()
        self._process = os.posix_spawn(
            path,
            [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, listens, 3),
                (os.POSIX_SPAWN_DUP2, speaks, 4),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, str(profile / "stderr"), os.O_WRONLY | os.O_CREAT, 0o600),
            ],
            setpgroup=0,
        )
        os.close(listens)
        os.close(speaks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._answers)

    def page(self) -> "Page":
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        return Page(self, found["sessionId"])

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """The answer to a command."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        return self._until(lambda found: found.get("id") == message["id"], method)["result"]

    def wait_for(self, event: str) -> None:
        """Until the browser has said it, be it before this call."""
        if all(found["method"] != event for found in self.events):
            self._until(lambda found: found.get("method") == event, event)

    def _until(self, wanted: Any, what: str) -> dict[str, Any]:
        end = time.monotonic() + self.timeout
        while True:
            found = self._receive(end, what)
            if "method" in found:
                self.events.append(found)
            if wanted(found):
                assert "error" not in found, f"{what}: {found['error']}"
                return found

    def _receive(self, end: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(end - time.monotonic(), 0))
            assert ready, f"no answer from the browser: {what}"
            data = os.read(self._answers, 1 << 20)
            assert data, f"the browser has gone: {what}"
            self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)


class Page:
    """One tab, offline."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def show(self, width: int, scheme: str = "light", media: str = "screen") -> None:
        """The width in CSS pixels, and light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def open(self, path: Path) -> None:
        self._browser.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        self._browser.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression, of a promise once it is kept."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and uncaught exceptions."""
        return [
            json.dumps(event["params"])
            for event in self._browser.events
            if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
            or (
                event["method"] == "Runtime.consoleAPICalled"
                and event["params"]["type"] in ("error", "warning", "assert")
            )
        ]

    def requests(self) -> list[str]:
        """Every address that was asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self._browser.events
            if event["method"] == "Network.requestWillBeSent"
        ]
