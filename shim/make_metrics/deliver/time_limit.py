"""Work with a time limit, after which it is abandoned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises. Raises TimeoutError if it takes longer, and abandons it.

    The work runs in a daemon thread, which ends with the process. A signal or a socket's timeout would not do: no
    signal ends a name look-up, and a receiver that sends a byte now and then never lets a socket's timeout expire.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # raised again in the waiting thread
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result(timeout=seconds)
