"""A headless Chromium that is driven over the DevTools protocol, through a pipe: no port, no driver, no library.

The protocol: https://chromedevtools.github.io/devtools-protocol/. Messages are JSON that ends with a NUL byte; Chromium
reads them from descriptor 3, and writes to 4.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--force-device-scale-factor=1",
)
_ABOVE = 10  # descriptors for both ends of both pipes, out of the way of 3 and 4


def executable() -> str | None:
    """The path of a Chromium; None if there is none here."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One page of a Chromium. `events` are the protocol's events so far, the oldest first."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int, writing: int) -> None:
        """Attach to a new, empty page of a process that was started with pipes."""
        self._process, self._reading, self._writing = process, reading, writing
        self._buffer, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; its result. Raises RuntimeError for an error, TimeoutError after a minute."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writing, data) :]
        give_up = time.monotonic() + 60
        while True:
            answer = self._next(give_up)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer.get("result", {})
                return result
            self.events.append(answer)

    def _next(self, give_up: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], max(0, give_up - time.monotonic()))
            data = os.read(self._reading, 1 << 20) if ready else b""
            if not data:
                raise TimeoutError(f"Chromium says nothing (it ended with {self._process.poll()})")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def open(self, url: str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Load a page, and wait until it is loaded."""
        scheme = "dark" if dark else "light"
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.send("Page.navigate", url=url)
        give_up = time.monotonic() + 60
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next(give_up))

    def value(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page, after the next frame is drawn."""
        frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        wrapped = f"{frames}.then(() => ({expression}))"
        answer = self.send("Runtime.evaluate", expression=wrapped, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """An event of the mouse: mouseMoved, mousePressed, mouseReleased or mouseWheel."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float, count: int = 1) -> None:
        """Click at a place, once or more often."""
        self.mouse("mouseMoved", x, y)
        for number in range(1, count + 1):
            self.mouse("mousePressed", x, y, button="left", clickCount=number)
            self.mouse("mouseReleased", x, y, button="left", clickCount=number)

    def key(self, key: str) -> None:
        """Press a key and let it go; a character also types itself."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text: str) -> None:
        """Type a text where the cursor is."""
        self.send("Input.insertText", text=text)

    def picture(self, **clip: float) -> bytes:
        """The page, or a part of it, as PNG."""
        more = {"clip": {**clip, "scale": 1}} if clip else {}
        return b64decode(self.send("Page.captureScreenshot", format="png", **more)["data"])


def _high_pipe() -> tuple[int, int]:
    """A pipe's two ends, out of the way of 3 and 4."""
    ends = os.pipe()
    reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for end in ends)
    for end in ends:
        os.close(end)
    return reading, writing


@contextmanager
def chromium(path: str) -> Iterator[Page]:
    """A page of a new Chromium, for the length of a `with` block; at its end the browser and its files are gone."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        theirs_in, ours_out = _high_pipe()
        ours_in, theirs_out = _high_pipe()

        def descriptors() -> None:
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        words = [path, *_OPTIONS, *sandbox, f"--user-data-dir={folder}", "about:blank"]
        environment = {**os.environ, "HOME": folder, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        process = subprocess.Popen(
            words,
            close_fds=False,
            preexec_fn=descriptors,
            start_new_session=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Page(process, ours_in, ours_out)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(ours_in)
            os.close(ours_out)


def url_of(path: Path) -> str:
    """A file's address."""
    return path.resolve().as_uri()
