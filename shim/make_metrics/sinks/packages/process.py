"""A process for code of another package: if it dies, hangs or prints, nothing else notices.

The process (`sinks.apart.worker`) has this one's module path and environment, and /dev/null for its standard streams.
It asks here before bytes leave (`sinks.last_check`), and ends when this process is gone.
"""

from __future__ import annotations

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
from pathlib import Path
from typing import Any

from make_metrics.processes.children import may_start
from make_metrics.sinks.guarded import ProcessError
from make_metrics.sinks.last_check import StoppedError, require_permission
from make_metrics.sinks.sink import UnavailableError

WORKER = Path(__file__).parents[1] / "apart" / "worker.py"
_LIMIT_BYTES = 64 * 1024 * 1024
_BLOCK = 65_536


class Process:
    """A process, and what is asked of it. One request at a time."""

    def __init__(self, first: dict[str, Any], seconds: float, held: Sequence[int] = ()) -> None:
        """Start the process, and ask the first request, whose answer is `first`.

        `held` are descriptors of locks that the process holds as well, as long as it lives. Raises as `ask` does.
        """
        if not may_start():
            raise ProcessError("no process may be started here")
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
        self._end = weakref.finalize(self, _end, process)
        path = [folder for folder in sys.path if Path(folder).is_absolute()]
        self.first = self.ask({"path": path, "held": list(held), **first}, seconds)

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to a request within so many seconds. Without one the process is ended.

        Raises UnavailableError if that is the answer, and ProcessError if the package's code failed or did not answer.
        """
        try:
            answer = self._exchange({**request, "seconds": seconds}, time.monotonic() + seconds)
        except (ProcessError, OSError, ValueError, RecursionError) as error:
            self.close()
            raise error if isinstance(error, ProcessError) else ProcessError("its process has ended") from error
        if "unavailable" in answer:
            raise UnavailableError(str(answer["unavailable"]))
        if "failed" in answer:
            raise ProcessError(str(answer["failed"]))
        return answer

    def close(self) -> None:
        """Kill the process, and all that it has started."""
        self._end()

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
