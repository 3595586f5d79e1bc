"""An HTTP proxy on loopback: it tunnels (CONNECT, RFC 9110 section 9.3.6) and forwards requests.

It reaches the hosts of the domain `.invalid` (RFC 2606), which are none, on loopback: a proxy is never asked for that.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_LIMIT_S = 20


@dataclass(slots=True)
class Proxy:
    """The requests so far: the method, and the URL or host and port. `refuses` is a status for every answer."""

    port: int = 0
    refuses: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def proxying() -> Iterator[Proxy]:
    """Run a proxy on a free port."""
    proxy = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            proxy.asked.append((self.command, self.path))
            self.close_connection = True
            if proxy.refuses:
                self.send_error(proxy.refuses)
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((address(host), int(port)), timeout=_LIMIT_S) as server:
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    tunnel(self.connection, server)

        def do_POST(self) -> None:
            proxy.asked.append((self.command, self.path))
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if proxy.refuses:
                self.send_error(proxy.refuses)
                return
            parts = urlsplit(self.path)
            connection = HTTPConnection(address(parts.hostname or ""), parts.port, timeout=_LIMIT_S)
            connection.request("POST", parts.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def address(host: str) -> str:
    return "127.0.0.1" if host.endswith(".invalid") else host


def tunnel(left: socket.socket, right: socket.socket) -> None:
    """Forward bytes both ways, until one side ends."""
    while True:
        ready, _, _ = select.select([left, right], [], [], _LIMIT_S)
        if not ready:
            return
        for sender in ready:
            data = sender.recv(65_536)
            if not data:
                return
            (right if sender is left else left).sendall(data)
