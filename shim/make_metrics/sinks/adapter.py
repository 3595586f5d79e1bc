"""The adapter of every session: it asks for permission right before the bytes, and reads answers in part only."""

from __future__ import annotations

import contextlib
import functools
import socket
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from make_metrics.sinks.last_check import require_permission

LIMIT_BYTES = 64 * 1024
_BLOCK = 8 * 1024
_WBITS = {"gzip": 47, "x-gzip": 47, "deflate": 15}  # of zlib: 47 recognises gzip's header


class _Asking:
    """What a connection does first: ask before it is made, and before each write, so after handshakes and tunnels.

    Until the answer begins, closing it or ending the process discards what the system has not sent yet.
    """

    sock: Any

    def connect(self) -> None:
        require_permission()
        super().connect()  # type: ignore[misc]
        _discard_at_close(self.sock, discard=True)

    def send(self, data: Any) -> None:
        if self.sock is None:  # http.client would connect and write without asking in between
            self.connect()
        require_permission()
        super().send(data)  # type: ignore[misc]

    def getresponse(self) -> Any:
        sock = self.sock
        response = super().getresponse()  # type: ignore[misc]
        _discard_at_close(sock, discard=False)
        return response


def _discard_at_close(sock: Any, *, discard: bool) -> None:
    """Whether closing a socket resets the connection: else the system goes on sending for a process that is gone."""
    with contextlib.suppress(OSError, AttributeError):  # TLS within TLS has no options
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", discard, 0))


@functools.cache
def _asking(pool: type) -> type:
    """A pool of the same kind whose connections ask. Derived, since a SOCKS proxy has connections of its own."""
    connection = pool.ConnectionCls  # type: ignore[attr-defined]
    asking = type(f"Asking{connection.__name__}", (_Asking, connection), {})
    return type(f"Asking{pool.__name__}", (pool,), {"ConnectionCls": asking})


def _ask_in(manager: Any) -> None:
    manager.pool_classes_by_scheme = {
        scheme: _asking(pool) if not issubclass(pool.ConnectionCls, _Asking) else pool
        for scheme, pool in manager.pool_classes_by_scheme.items()
    }


class Adapter(HTTPAdapter):
    """Requests' adapter, asking and bounded: of an answer the first 64 KiB count, packed and unpacked.

    An answer of which its caller wants the stream stays unread.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        _ask_in(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        _ask_in(manager)
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; raises StoppedError if permission ends before its bytes, and what requests raises."""
        request.headers["Accept-Encoding"] = "identity"
        answer = super().send(request, True, timeout, verify, cert, dict(proxies or {}))
        if not stream:
            _read(answer, request)
        return answer


def _read(answer: requests.Response, request: requests.PreparedRequest) -> None:
    """Read the beginning of an answer, make it the answer's content, and hang up."""
    packed = bytearray()
    try:
        while len(packed) < LIMIT_BYTES:
            block = answer.raw.read(min(_BLOCK, LIMIT_BYTES - len(packed)), decode_content=False)
            if not block:
                break
            packed += block
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(error, request=request) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise requests.ConnectionError(error, request=request) from error
    finally:
        answer.raw.close()
        answer.raw.release_conn()
    answer._content = _unpacked(bytes(packed), answer.headers.get("Content-Encoding", ""))
    answer._content_consumed = True


def _unpacked(packed: bytes, encoding: str) -> bytes:
    """The first 64 KiB of a content; as it came if it is not packed, or cannot be unpacked."""
    wbits = _WBITS.get(encoding.strip().lower())
    if wbits is None:
        return packed
    try:
        return zlib.decompressobj(wbits).decompress(packed, LIMIT_BYTES)
    except zlib.error:
        return packed
