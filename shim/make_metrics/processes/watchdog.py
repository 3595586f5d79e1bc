"""Ends this process if a piece of work in it takes too long, whatever holds the interpreter."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """SIGALRM ends the process if the block takes longer than so many seconds. Only in the main thread."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
