"""The parent's side of metrics' processes: starting them, asking them, waiting for their answers, ending them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from make_metrics.dataclass import asdict
from make_metrics.metrics.trouble import NoProcessError
from make_metrics.metrics.worker import LIST, LOAD_S
from make_metrics.processes.children import may_start
from make_metrics.properties.facts import RunFacts, TargetFacts

_WORKER = Path(__file__).with_name("worker.py")
_LIMIT_BYTES = 8_000_000
# Prefixes of variables that a metric must not see. This process may run in a recipe, which sets some of them.
_HIDDEN_VARIABLES = ("MAKE", "MFLAGS", "GNUMAKEFLAGS", "PYTHON", "GIT_")


class FailedError(Exception):
    """The metric or its process failed."""


class SlowError(Exception):
    """The metric did not answer in time."""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a metric's process. A make that the metric starts is not measured."""
    visible = {name: value for name, value in environ.items() if not name.startswith(_HIDDEN_VARIABLES)}
    return {**visible, "MAKE_METRICS": "off"}


class Child:
    """A process of `metrics.worker`, for one metric or for the list of installed metrics. See `ask_all`."""

    def __init__(self, identifier: str) -> None:
        """Start the process. Raises OSError if it cannot be started, NoProcessError if none may be."""
        if not may_start():
            raise NoProcessError
        # In a session of its own, so that `close` can end all processes that the metric starts.
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-P", str(_WORKER), identifier],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=child_environment(os.environ),
            start_new_session=True,
            bufsize=0,
        )
        self.requests, self.answers = (
            -1 if stream is None else stream.fileno() for stream in (self._process.stdin, self._process.stdout)
        )
        os.set_blocking(self.requests, False)

    def declaration(self) -> dict[str, Any]:
        """The metric's declaration, unchecked. Raises FailedError or SlowError."""
        declaration: dict[str, Any] = _ask(self, "declaration", LOAD_S)
        return declaration

    def offered(self, seconds: float) -> dict[str, list[list[str]]]:
        """The installed metrics, see `metrics.worker.offered`. Raises FailedError or SlowError."""
        offers: dict[str, list[list[str]]] = _ask(self, "offered", seconds)
        return offers

    def close(self) -> None:
        """Kill the process, and all processes that it has started."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)


def request(run: RunFacts, targets: Iterable[TargetFacts]) -> bytes:
    """A request for the values of a run, or of its targets, as `metrics.worker` reads it."""
    documents = [{name: value for name, value in asdict(target).items() if name != "run"} for target in targets]
    return json.dumps({"run": asdict(run), "targets": documents}).encode() + b"\n"


def _ask(child: Child, name: str, seconds: float) -> Any:
    """One process's answer to `name`. Raises FailedError or SlowError."""
    answer = ask_all({"": child}, name, {}, seconds)[""]
    if isinstance(answer, Exception):
        raise answer
    return answer


def ask_all(
    children: Mapping[str, Child], name: str, requests: Mapping[str, bytes], seconds: float
) -> dict[str, Any | FailedError | SlowError]:
    """The answer of each process to `name`, or why there is none. All work at once, and have the same time.

    A process answers its first request, for a declaration or the list, without being sent anything.
    """
    deadline_s = time.monotonic() + seconds
    answers: dict[str, Any] = {}
    unsent = {key: requests.get(key, b"") for key in children}
    received = dict.fromkeys(children, b"")
    while waiting := [key for key in children if key not in answers]:
        reads = {children[key].answers: key for key in waiting}
        writes = {children[key].requests: key for key in waiting if unsent[key]}
        left_s = deadline_s - time.monotonic()
        readable, writable, _ = select.select(list(reads), list(writes), [], max(left_s, 0))
        for descriptor in (*writable, *readable):
            key = writes[descriptor] if descriptor in writes else reads[descriptor]
            try:
                if descriptor in writes:
                    unsent[key] = unsent[key][os.write(descriptor, unsent[key]) :]
                    continue
                part = os.read(descriptor, 65_536)
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            received[key] += part
            if not part or len(received[key]) > _LIMIT_BYTES:
                answers[key] = FailedError("its process says too much" if part else "its process has ended")
            elif received[key].endswith(b"\n"):
                answers[key] = _answer(received[key], name)
        if left_s <= 0 or not (readable or writable):
            slow = [key for key in waiting if key not in answers]
            return answers | dict.fromkeys(slow, SlowError(f"no answer within {seconds:g} s"))
    return answers


def _answer(line: bytes, name: str) -> Any:
    """The value under `name` in a line of an answer, or a FailedError."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and "failed" in document:
        return FailedError(str(document["failed"]))
    if isinstance(document, dict) and name in document:
        return document[name]
    return FailedError("its process said nonsense")


@contextlib.contextmanager
def listing() -> Iterator[Child]:
    """A process that lists the installed metrics. Raises OSError if it cannot be started."""
    child = Child(LIST)
    try:
        yield child
    finally:
        child.close()
