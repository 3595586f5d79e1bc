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
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shim.metrics.facts import RunFacts, TargetFacts
from shim.metrics.worker import LIST, LOAD_S, VALUE_S

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
    """A process for one metric, or for the list of what is installed."""

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
        self._asks, self._answers = (
            -1 if stream is None else stream.fileno() for stream in (self._process.stdin, self._process.stdout)
        )
        os.set_blocking(self._asks, False)

    def declaration(self) -> dict[str, Any]:
        """What the metric declares, as it says; raises FailedError or SlowError."""
        found: dict[str, Any] = self._heard("declaration", b"", LOAD_S)
        return found

    def offered(self) -> dict[str, list[list[str]]]:
        """See `shim.metrics.worker.offered`; raises FailedError or SlowError."""
        found: dict[str, list[list[str]]] = self._heard("offered", b"", LOAD_S)
        return found

    def values(self, run: RunFacts, targets: list[TargetFacts]) -> list[object]:
        """One value of a run's metric, or one for each target; raises FailedError or SlowError."""
        told = [{name: value for name, value in asdict(target).items() if name != "run"} for target in targets]
        request = json.dumps({"run": asdict(run), "targets": told}).encode() + b"\n"
        found: list[object] = self._heard("values", request, VALUE_S)
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

    def _heard(self, name: str, request: bytes, seconds: float) -> Any:
        answer = self._talk(request, seconds)
        if "failed" in answer:
            raise FailedError(str(answer["failed"]))
        if name not in answer:
            raise FailedError("its process said something else")
        return answer[name]

    def _talk(self, request: bytes, seconds: float) -> dict[str, Any]:
        """Write a request and read one line, both within the time."""
        give_up = time.monotonic() + seconds
        heard = b""
        while not heard.endswith(b"\n"):
            left = give_up - time.monotonic()
            reads, writes, _ = select.select([self._answers], [self._asks] if request else [], [], max(left, 0))
            if not reads and not writes:
                raise SlowError(f"no answer within {seconds:g} s")
            try:
                if writes:
                    request = request[os.write(self._asks, request) :]
                said = os.read(self._answers, 65_536) if reads else b"."
            except BlockingIOError:
                continue
            except OSError as error:
                raise FailedError("its process has ended") from error
            if not said or len(heard) > _LIMIT_BYTES:
                raise FailedError("its process has ended" if not said else "its process says too much")
            heard += said if reads else b""
        try:
            answer = json.loads(heard)
        except (ValueError, RecursionError) as error:
            raise FailedError("its process said something else") from error
        return answer if isinstance(answer, dict) else {}


@contextlib.contextmanager
def listing() -> Iterator[Child]:
    """A process that says what is installed; raises OSError if there can be none."""
    child = Child(LIST)
    try:
        yield child
    finally:
        child.close()
