"""Work with a time limit, after which it is abandoned."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

T = TypeVar("T")


class LateError(TimeoutError):
    """The work took too long, and is abandoned. `work` is done once it has ended after all."""

    def __init__(self, work: Future[Any]) -> None:
        """Remember the abandoned work."""
        super().__init__("the time is over")
        self.work = work


def begun(work: Callable[[], T]) -> Future[T]:
    """Begin work in a daemon thread, which ends with the process, in a copy of this thread's context.

    A signal or a socket's timeout would not limit it: no signal ends a name look-up, and a receiver that sends a byte
    now and then never lets a socket's timeout expire.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # raised again in the waiting thread
            result.set_exception(error)

    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()
    return result


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises. Raises LateError if it takes longer, and abandons it."""
    result = begun(work)
    if not wait([result], timeout=seconds).done:
        raise LateError(result)
    return result.result()


def release_after(abandoned: Sequence[Future[Any]], held: contextlib.ExitStack) -> None:
    """Leave what is held, such as a lock, to abandoned work: it is released when all has ended, or with the process.

    `held` is as it was if nothing was abandoned.
    """
    if abandoned:
        kept = held.pop_all()

        def release() -> None:
            wait(abandoned)
            kept.close()

        threading.Thread(target=release, daemon=True).start()
