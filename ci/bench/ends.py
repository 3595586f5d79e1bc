"""Measures when make ends after an opt-in, with and without `| cat`, for several receivers; and when the event arrives.

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

from ci.bench.timing import Spread, timed
from ci.bench.workspace import Workspace
from ci.build_launcher import ROOT
from make_metrics.project import settings
from make_metrics.sender import burst, protocol

_LINE = "\t@sleep 0.2"
PR_SET_CHILD_SUBREAPER = 36
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
    """For a receiver: milliseconds until make and `make | cat` end, plain and with the include line and a sender."""

    plain: Spread
    ours: Spread
    plain_cat: Spread
    ours_cat: Spread


@dataclass(frozen=True)
class Sending:
    """The ends by receiver, and the milliseconds from make's end until the event arrives at one that answers."""

    ends: dict[str, Ends]
    arrival: Spread


@contextmanager
def _serving(status: int, *, after_s: float = 0) -> Iterator[str]:
    """A receiver that answers with a status, after `after_s` seconds."""
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
    """A port that refuses connections."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def _blackhole() -> Iterator[str]:
    """A port that leaves attempts to connect without an answer: its queue is full."""
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
    """A host name that does not exist (RFC 2606)."""
    yield "https://receiver.invalid"


RECEIVERS: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "answering": lambda: _serving(200),
    "refusing": _closed,
    "blackholed": _blackhole,
    "answering after 30 s": lambda: _serving(200, after_s=30),
    "redirecting": lambda: _serving(302),
    "absent": _absent,
}


def _opt_in(workspace: Workspace, host: str, environ: Mapping[str, str], line: str = _LINE) -> tuple[Path, Path]:
    """Two folders with the same Makefile: plain, and with the include line in a project after an opt-in."""
    workspace.clear()
    plain, ours = workspace.work / "plain", workspace.work / "ours"
    for folder, tail in ((plain, ""), (ours, f"-include {workspace.compiled}\n")):
        folder.mkdir()
        (folder / "Makefile").write_text(f"all:\n{line}\n{tail}")
    (ours / settings.NAME).write_text(_SETTINGS.format(host=host))
    command = [sys.executable, "-m", "make_metrics", "opt-in", "--yes"]
    env = {**environ, "PYTHONPATH": str(ROOT / "shim"), "CI": "true"}  # without a terminal only CI may say yes
    subprocess.run(command, cwd=ours, env=env, check=True, capture_output=True)
    return plain, ours


@contextmanager
def sharing(workspace: Workspace) -> Iterator[tuple[Path, Path, dict[str, str]]]:
    """Two folders with the same Makefile, plain and after an opt-in with a receiver that answers; the environment."""
    environ = {**workspace.environment("/bin/sh"), "MAKE_METRICS_SENDER": "detached"}
    _arrived.clear()
    with _serving(200) as host:
        yield *_opt_in(workspace, host, environ, line="\t@:"), environ


def arrived() -> int:
    """How many requests have arrived."""
    return len(_arrived)


def senders() -> list[psutil.Process]:
    """The running senders, which this process has adopted."""
    processes = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if protocol.PROGRAM in child.cmdline():
                processes.append(child)
    return processes


def _end_senders() -> None:
    for sender in senders():
        with contextlib.suppress(psutil.Error):
            sender.kill()
            sender.wait(10)


def measure(workspace: Workspace, rounds: int) -> Sending:
    """Run plain and measured makes in turn; the senders of each are ended before the next."""
    environ = {**workspace.environment("/bin/sh"), "MAKE_METRICS_SENDER": "detached"}
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        ends = {}
        for name, receiver in RECEIVERS.items():
            with receiver() as host:
                ends[name] = _ends(workspace, _opt_in(workspace, host, environ), environ, rounds)
        with _serving(200) as host:
            arrival = _arrival(workspace, _opt_in(workspace, host, environ)[1], environ, rounds)
    finally:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    return Sending(ends, arrival)


def _ends(workspace: Workspace, folders: tuple[Path, Path], environ: Mapping[str, str], rounds: int) -> Ends:
    ways: Sequence[Sequence[str]] = ([workspace.make], ["/bin/sh", "-c", f"{workspace.make} | cat"])
    times: list[list[float]] = [[] for _ in range(4)]
    for _ in range(rounds):
        for at, (words, folder) in enumerate((words, folder) for words in ways for folder in folders):
            times[at].append(timed(words, folder, environ) * 1000)
            if folder == folders[1] and not senders():
                raise RuntimeError("make has started no sender")
            _end_senders()
    return Ends(*map(Spread.of, times))


def _arrival(workspace: Workspace, folder: Path, environ: Mapping[str, str], rounds: int) -> Spread:
    times = []
    for _ in range(rounds):
        _arrived.clear()
        timed([workspace.make], folder, environ)
        ended = time.perf_counter()
        while not _arrived:
            if time.perf_counter() - ended > 20:
                raise RuntimeError("no event has arrived")
            time.sleep(0.001)
        times.append((_arrived[0] - ended) * 1000)
        for sender in senders():
            sender.wait(20)
        burst.end_rest(workspace.paths)  # as after a pause
    return Spread.of(times)


def rows(sending: Sending) -> list[list[str]]:
    """The table of the ends: its head, then its rows."""
    head = ["receiver", "make: plain ms", "ours ms", "of plain", "make \\| cat: plain ms", "ours ms", "of plain"]
    table = [head]
    for name, ends in sending.ends.items():
        cells = [name]
        for plain, ours in ((ends.plain, ends.ours), (ends.plain_cat, ends.ours_cat)):
            cells += [f"{plain.median:.1f}", f"{ours.median:.1f}", f"{ours.median / plain.median:.3f}"]
        table.append(cells)
    return table


def arrival(sending: Sending) -> str:
    """A sentence that says when an event arrives."""
    spread = sending.arrival
    return (
        f"The event of a make arrives {spread.median:.0f} ms after its end "
        f"(quartiles {spread.low:.0f} to {spread.high:.0f}, {spread.count} makes)."
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.ends", description="Measure when make ends after an opt-in."
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        sending = measure(Workspace(Path(folder), options.make), 3 if options.quick else 15)
    widths = [max(map(len, column)) for column in zip(*rows(sending), strict=True)]
    for cells in rows(sending):
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print(arrival(sending))
    ratio = statistics.fmean(ends.ours.median / ends.plain.median for ends in sending.ends.values())
    print(f"On average make takes {ratio:.3f} times as long as plain make: a target of 200 ms, {os.cpu_count()} cores.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
