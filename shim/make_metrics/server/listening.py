"""The web server: uvicorn, with bounds for clients that are slow on purpose, and without a log of addresses."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from make_metrics.errors import UserError

_TICK_S = 10.0  # for the head of a connection's first request
_TICKS_BETWEEN = 2
_TICKS_OF_REQUEST = 12
_IDLE_S = 20
_CONNECTIONS = 500
_HEAD_BYTES = 32_768
_END_S = 20
_BACKLOG = 512


class _BoundedProtocol(H11Protocol):
    """Closes a connection that asks nothing, or whose request takes minutes: uvicorn would wait for ever.

    Its own timeout is for connections that are silent after an answer; a trickle of bytes puts that off.
    """

    _state: tuple[object, bool] = (None, True)
    _ticks = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(_TICK_S, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _tick(self) -> None:
        cycle = self.cycle
        state = (cycle, cycle is None or cycle.response_complete)
        self._ticks = self._ticks + 1 if state == self._state else 1
        self._state = state
        most = _TICKS_OF_REQUEST if not state[1] else 1 if cycle is None else _TICKS_BETWEEN
        if self._ticks >= most:
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(_TICK_S, self._tick)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one. Raises UserError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By name: asyncio sends answers without delay (TCP_NODELAY) only where a socket says that it is TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"cannot listen on {host} port {port}: {reason}") from error
    return listening


def serve(application: Starlette, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; requests that have begun are answered first."""
    config = uvicorn.Config(
        application,
        http=_BoundedProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,  # it would write addresses
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_END_S,
        h11_max_incomplete_event_size=_HEAD_BYTES,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        # When it has ended in order, uvicorn raises the signal again, for whoever handled it before.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(3)
