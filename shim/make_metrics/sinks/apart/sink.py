"""A sink of another package, in a process of its own: if it dies, hangs or prints, no other sink notices.

The process (`sinks.apart.worker`) has this one's module path and environment, and /dev/null for its standard streams.
It asks here before bytes leave (`sinks.last_check`), and ends when this process is gone.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from make_metrics.sinks.guarded import ProcessError
from make_metrics.sinks.last_check import StoppedError, require_permission
from make_metrics.sinks.sink import Message, Outcome, Prepared, SinkSettings, UnavailableError, Verdict

WORKER = Path(__file__).with_name("worker.py")
_WORK_S = 10.0  # to load a package, to make batches and requests
_GRACE_S = 0.5  # a sink's own time limit comes first
_LIMIT_BYTES = 64 * 1024 * 1024
_BLOCK = 65_536


class Apart:
    """A sink in a process of its own. One request at a time."""

    def __init__(self, settings: SinkSettings, held: Sequence[int] = ()) -> None:
        """Start the process, and have it make the sink.

        `held` are descriptors of locks that the process holds as well, as long as it may send. Raises UnavailableError
        if the sink cannot be made, and ProcessError.
        """
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # so that what the sink starts ends with it
                pass_fds=held,
                bufsize=0,
            )
        except OSError as error:
            raise ProcessError(f"its process cannot be started: {error.strerror}") from error
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - for the type checker
        self._requests, self._answers = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._requests, False)
        self._close = weakref.finalize(self, _end, process)
        path = [folder for folder in sys.path if Path(folder).is_absolute()]
        self._ask({"path": path, "held": list(held), "settings": asdict(settings)}, _WORK_S)

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """The sink's batches; raises UnavailableError or ProcessError."""
        batches: list[list[int]] = self._ask({"do": "batches", "messages": list(messages)}, _WORK_S)["batches"]
        return batches

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The sink's request; raises UnavailableError or ProcessError."""
        answer = self._ask({"do": "prepare", "messages": list(batch)}, _WORK_S)
        return Prepared(answer["url"], base64.b64decode(answer["body"]))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """The sink's verdict; raises ProcessError. Whoever takes too long is ended."""
        request = {"do": "send", "messages": list(batch), "timeout_s": timeout_s}
        answer = self._ask(request, timeout_s + _GRACE_S)
        body = base64.b64decode(answer.pop("body"))
        return Verdict(Outcome(answer.pop("outcome")), body=body, **answer)

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to a request within so many seconds. Without one the process is ended."""
        try:
            answer = self._exchange({**request, "seconds": seconds}, time.monotonic() + seconds)
        except (ProcessError, OSError, ValueError, RecursionError) as error:
            self._close()
            raise error if isinstance(error, ProcessError) else ProcessError("its process has ended") from error
        if "unavailable" in answer:
            raise UnavailableError(str(answer["unavailable"]))
        if "failed" in answer:
            raise ProcessError(str(answer["failed"]))
        return answer

    def _exchange(self, request: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        """Write a request, say what the process asks meanwhile, and return its answer."""
        unsent, received = json.dumps(request).encode() + b"\n", b""
        while True:
            left_s = deadline_s - time.monotonic()
            writes = [self._requests] if unsent else []
            readable, writable, _ = select.select([self._answers], writes, [], max(left_s, 0))
            if writable:
                with contextlib.suppress(BlockingIOError):
                    unsent = unsent[os.write(self._requests, unsent[:_BLOCK]) :]
            if readable:
                part = os.read(self._answers, _BLOCK)
                received += part
                if not part or len(received) > _LIMIT_BYTES:
                    raise ProcessError("its process says too much" if part else "its process has ended")
            elif left_s <= 0:
                raise ProcessError("its process does not answer")
            while b"\n" in received:
                line, _, received = received.partition(b"\n")
                document = json.loads(line)
                if not isinstance(document, dict):
                    raise ProcessError("its process said nonsense")
                if "may_send" not in document:
                    return document
                unsent += json.dumps({"may_send": _may_send()}).encode() + b"\n"


def _may_send() -> bool:
    try:
        require_permission()
    except StoppedError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a sink's process, and all that it has started."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
