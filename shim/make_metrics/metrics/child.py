"""The parent's end of a metric's process: what it asks, how long it waits, and how the process ends."""

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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from make_metrics.metrics.worker import LIST, LOAD_S
from make_metrics.properties.facts import RunFacts, TargetFacts

_WORKER = Path(__file__).with_name("worker.py")
_LIMIT_BYTES = 8_000_000
# Of what is in force where this runs, which may be a recipe: not a metric's business.
_NOT_HANDED_ON = ("MAKE", "MFLAGS", "GNUMAKEFLAGS", "PYTHON", "GIT_")


class FailedError(Exception):
    """The metric, or its process, has failed."""


class SlowError(Exception):
    """The metric has not answered in time."""


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a metric's process gets of an environment; a make that it starts is not measured."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_NOT_HANDED_ON)}
    return {**kept, "MAKE_METRICS": "off"}


class Child:
    """A process for one metric, or for the list of what is installed; `talk` speaks with any number at once."""

    def __init__(self, identifier: str) -> None:
        """Start it; raises OSError if there can be none."""
        # A session of its own: what the metric starts ends with it.
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-P", str(_WORKER), identifier],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment(os.environ),
            start_new_session=True,
            bufsize=0,
        )
        self.asks, self.answers = (
            -1 if stream is None else stream.fileno() for stream in (self._process.stdin, self._process.stdout)
        )
        os.set_blocking(self.asks, False)

    def declaration(self) -> dict[str, Any]:
        """What the metric declares, as it says; raises FailedError or SlowError."""
        found: dict[str, Any] = alone(self, "declaration", LOAD_S)
        return found

    def offered(self, seconds: float) -> dict[str, list[list[str]]]:
        """See `metrics.worker.offered`; raises FailedError or SlowError."""
        found: dict[str, list[list[str]]] = alone(self, "offered", seconds)
        return found

    def close(self) -> None:
        """End the process and what it has started, at once."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)


def request(run: RunFacts, targets: Iterable[TargetFacts]) -> bytes:
    """What a process is asked for the values of a run, or of its targets."""
    told = [{name: value for name, value in asdict(target).items() if name != "run"} for target in targets]
    return json.dumps({"run": asdict(run), "targets": told}).encode() + b"\n"


def alone(child: Child, name: str, seconds: float) -> Any:
    """What one process says of `name` within the time; raises FailedError or SlowError."""
    answer = talk({"": child}, name, {}, seconds)[""]
    if isinstance(answer, Exception):
        raise answer
    return answer


def talk(
    children: Mapping[str, Child], name: str, requests: Mapping[str, bytes], seconds: float
) -> dict[str, Any | FailedError | SlowError]:
    """Ask processes, all at once, and hear what each says of `name`: that, or why not. All have the same time."""
    give_up = time.monotonic() + seconds
    said: dict[str, Any] = {}
    left = {key: requests.get(key, b"") for key in children}
    heard = dict.fromkeys(children, b"")
    while waits := [key for key in children if key not in said]:
        keys = {children[key].answers: key for key in waits} | {children[key].asks: key for key in waits if left[key]}
        reads = [children[key].answers for key in waits]
        writes = [children[key].asks for key in waits if left[key]]
        left_s = give_up - time.monotonic()
        ready, open_, _ = select.select(reads, writes, [], max(left_s, 0))
        for descriptor in (*open_, *ready):
            key = keys[descriptor]
            try:
                if descriptor in writes:
                    left[key] = left[key][os.write(descriptor, left[key]) :]
                    continue
                part = os.read(descriptor, 65_536)
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            heard[key] += part
            if not part or len(heard[key]) > _LIMIT_BYTES:
                said[key] = FailedError("its process says too much" if part else "its process has ended")
            elif heard[key].endswith(b"\n"):
                said[key] = _answer(heard[key], name)
        if left_s <= 0 or not (ready or open_):
            slow = [key for key in waits if key not in said]
            return said | dict.fromkeys(slow, SlowError(f"no answer within {seconds:g} s"))
    return said


def _answer(line: bytes, name: str) -> Any:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict) and "failed" in answer:
        return FailedError(str(answer["failed"]))
    return answer[name] if isinstance(answer, dict) and name in answer else FailedError("its process said nonsense")


@contextlib.contextmanager
def listing() -> Iterator[Child]:
    """A process that says what is installed; raises OSError if there can be none."""
    child = Child(LIST)
    try:
        yield child
    finally:
        child.close()
