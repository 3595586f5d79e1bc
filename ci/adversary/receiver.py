"""A receiver on loopback that speaks Segment's protocol and is hostile until it is told to behave."""

from __future__ import annotations

import gzip
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEEDS = ("accept", "400", "401", "429", "500", "503", "a page", "another form", "reset", "accept, then reset",
         "garbage", "an end in the middle", "an endless body", "a gzip bomb", "a redirect", "a trickle")  # fmt: skip
_ENDLESS = 64 * 1024 * 1024


@dataclass(slots=True)
class Receiver:
    """What came in: every request's head and body, and the messages that were accepted."""

    chance: random.Random
    port: int = 0
    hostile: bool = True
    deeds: Counter[str] = field(default_factory=Counter)
    texts: list[bytes] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    redirected: int = 0


@contextmanager
def receiving(seed: int) -> Iterator[Receiver]:
    """Run a receiver on a free port of this machine."""
    receiver = Receiver(random.Random(seed))  # noqa: S311

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.close_connection = True
            packed = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = gzip.decompress(packed) if self.headers.get("Content-Encoding") == "gzip" else packed
            receiver.texts.append(f"{self.requestline}\n{self.headers}".encode() + body)
            if self.path == "/elsewhere":
                receiver.redirected += 1
            deed = receiver.chance.choice(DEEDS) if receiver.hostile else "accept"
            receiver.deeds[deed] += 1
            if deed.startswith("accept"):
                receiver.accepted += json.loads(body)["batch"]
            _answer(self, deed)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is part of the attack."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, deed: str) -> None:
    status, kind, body, more = 200, "application/json", b'{"success": true}', {}
    if deed.isdecimal():
        status, body = int(deed), b'{"success": false}'
    elif deed == "a page":
        kind, body = "text/html", b"<html>sign in</html>"
    elif deed == "another form":
        body = b'{"success": false}'
    elif deed == "a redirect":
        status, more = 307, {"Location": "/elsewhere"}
    elif deed == "a gzip bomb":
        body, more = gzip.compress(bytes(_ENDLESS)), {"Content-Encoding": "gzip"}
    elif deed.endswith("reset"):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        return
    elif deed == "garbage":
        handler.wfile.write(b"\x00\xff nothing that HTTP knows\r\n\r\n")
        return
    elif deed in ("an end in the middle", "an endless body", "a trickle"):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n.")
        for _ in range({"an endless body": _ENDLESS // 65_536, "a trickle": 10}.get(deed, 0)):
            handler.wfile.write(b"." * (65_536 if deed == "an endless body" else 1))
            time.sleep(0.1 if deed == "a trickle" else 0)
        return
    handler.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
