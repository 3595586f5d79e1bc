"""Work that is given up on when its time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` gives or raises; raises TimeoutError if that takes longer, and then leaves it behind.

    It is done in a thread that ends with the process at the latest: no signal ends a name look-up, and a receiver that
    sends a byte now and then would hold a socket's own timeout up forever.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # raised again where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(timeout=seconds)
