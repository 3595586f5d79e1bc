"""The last check before bytes leave: whoever has a sink send says how to ask, and the sink asks right before them.

A sink knows nothing of consent. It calls `require_permission`; `sinks.network.Session` does so for each connection and
each write. Without a check set, sending is allowed: then the caller has nothing to take back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_MAY_SEND: ContextVar[Callable[[], bool] | None] = ContextVar("may_send", default=None)


class StoppedError(Exception):
    """Sending is not allowed any more: nothing of the request leaves from here on."""


@contextlib.contextmanager
def asking(may_send: Callable[[], bool]) -> Iterator[None]:
    """Ask `may_send` before bytes leave, for the length of a `with` block, also in threads with this context."""
    token = _MAY_SEND.set(may_send)
    try:
        yield
    finally:
        _MAY_SEND.reset(token)


def require_permission() -> None:
    """Raise StoppedError if sending is not allowed any more."""
    may_send = _MAY_SEND.get()
    if may_send is not None and not may_send():
        raise StoppedError("taken back before it was sent")
