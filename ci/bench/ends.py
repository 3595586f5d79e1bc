"""When make ends, after a yes: with and without `| cat`, and whatever the receiver does; and when its event arrives.

python -m ci.bench.ends [--quick] [--make PATH]
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from ci.bench.place import Place
from ci.bench.timing import Spread, timed
from ci.build_launcher import ROOT
from make_metrics.project import settings
from make_metrics.sender import protocol

_LINE = "\t@sleep 0.2"
_PR_SET_CHILD_SUBREAPER = 36
_SETTINGS = """name = "bench"
collected-by = "nobody"
purpose = "to see when make ends"

[[sinks]]
type = "segment"
write-key = "key"
host = "{host}"
"""
_arrived: list[float] = []


@dataclass(frozen=True)
class Ends:
    """With one receiver: milliseconds until make, and make | cat, have ended, plain and measured with a sender."""

    plain: Spread
    ours: Spread
    plain_cat: Spread
    ours_cat: Spread


@dataclass(frozen=True)
class Sending:
    """All receivers by name, and the milliseconds from make's end until a receiver that answers has the event."""

    ends: dict[str, Ends]
    arrival: Spread


@contextmanager
def _serving(status: int, *, after_s: float = 0) -> Iterator[str]:
    """A receiver that answers with a status, at once or later."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            _arrived.append(time.perf_counter())
            over.wait(after_s)
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        over.set()
        server.shutdown()


@contextmanager
def _closed() -> Iterator[str]:
    """A port at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def _blackhole() -> Iterator[str]:
    """A port that answers no attempt to connect: those who may wait there are waiting already."""
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(socket.socket())
        held.bind(("127.0.0.1", 0))
        held.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(held.getsockname())
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def _absent() -> Iterator[str]:
    """A name that nobody has (RFC 2606)."""
    yield "https://receiver.invalid"


RECEIVERS: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "answering": lambda: _serving(200),
    "refusing": _closed,
    "blackholed": _blackhole,
    "answering after 30 s": lambda: _serving(200, after_s=30),
    "redirecting": lambda: _serving(302),
    "absent": _absent,
}


def _agree(place: Place, host: str, environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Two folders with one Makefile, plain and ours; the latter in a project with a yes."""
    place.clear()
    plain, ours = place.work / "plain", place.work / "ours"
    for folder, tail in ((plain, ""), (ours, f"-include {place.compiled}\n")):
        folder.mkdir()
        (folder / "Makefile").write_text(f"all:\n{_LINE}\n{tail}")
    (ours / settings.NAME).write_text(_SETTINGS.format(host=host))
    command = [sys.executable, "-m", "make_metrics", "opt-in", "--yes"]
    subprocess.run(
        command, cwd=ours, env={**environ, "PYTHONPATH": str(ROOT / "shim")}, check=True, capture_output=True
    )
    return plain, ours


def senders() -> list[psutil.Process]:
    """The senders that makes have left to us."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if protocol.PROGRAM in child.cmdline():
                found.append(child)
    return found


def _end_senders() -> None:
    for found in senders():
        with contextlib.suppress(psutil.Error):
            found.kill()
            found.wait(10)


def measure(place: Place, rounds: int) -> Sending:
    """Plain and measured makes take turns; no sender of one run is there in the next."""
    environ = {**place.environment("/bin/sh"), "MAKE_METRICS_SENDER": "detached"}
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        ends = {}
        for name, receiver in RECEIVERS.items():
            with receiver() as host:
                ends[name] = _ends(place, _agree(place, host, environ), environ, rounds)
        with _serving(200) as host:
            arrival = _arrival(place, _agree(place, host, environ)[1], environ, rounds)
    finally:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    return Sending(ends, arrival)


def _ends(place: Place, folders: tuple[Path, Path], environ: Mapping[str, str], rounds: int) -> Ends:
    ways: Sequence[Sequence[str]] = ([place.make], ["/bin/sh", "-c", f"{place.make} | cat"])
    found: list[list[float]] = [[] for _ in range(4)]
    for _ in range(rounds):
        for at, (words, folder) in enumerate((words, folder) for words in ways for folder in folders):
            found[at].append(timed(words, folder, environ) * 1000)
            if folder == folders[1] and not senders():
                raise RuntimeError("this make has left no sender")
            _end_senders()
    return Ends(*map(Spread.of, found))


def _arrival(place: Place, folder: Path, environ: Mapping[str, str], rounds: int) -> Spread:
    found = []
    for _ in range(rounds):
        _arrived.clear()
        timed([place.make], folder, environ)
        ended = time.perf_counter()
        while not _arrived:
            if time.perf_counter() - ended > 20:
                raise RuntimeError("no event has arrived")
            time.sleep(0.001)
        found.append((_arrived[0] - ended) * 1000)
        for one in senders():
            one.wait(20)
    return Spread.of(found)


def rows(found: Sending) -> list[list[str]]:
    """The table's rows, with its head."""
    head = ["receiver", "make: plain ms", "ours ms", "of plain", "make \\| cat: plain ms", "ours ms", "of plain"]
    table = [head]
    for name, one in found.ends.items():
        cells = [name]
        for plain, ours in ((one.plain, one.ours), (one.plain_cat, one.ours_cat)):
            cells += [f"{plain.median:.1f}", f"{ours.median:.1f}", f"{ours.median / plain.median:.3f}"]
        table.append(cells)
    return table


def arrival(found: Sending) -> str:
    """When an event arrives, in a sentence."""
    one = found.arrival
    return (
        f"The event of a make arrives {one.median:.0f} ms after its end "
        f"(quartiles {one.low:.0f} to {one.high:.0f}, {one.count} makes)."
    )


def main() -> int:
    """Measure and print."""
    ask = argparse.ArgumentParser(prog="python -m ci.bench.ends", description="When make ends, after a yes.")
    ask.add_argument("--quick", action="store_true", help="fewer rounds")
    ask.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    given = ask.parse_args()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        found = measure(Place(Path(folder), given.make), 3 if given.quick else 15)
    widths = [max(map(len, column)) for column in zip(*rows(found), strict=True)]
    for cells in rows(found):
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print(arrival(found))
    worst = statistics.fmean(one.ours.median / one.plain.median for one in found.ends.values())
    print(f"On average make takes {worst:.3f} of its time without us; a target of 200 ms, {os.cpu_count()} cores.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
