"""A receiver on loopback with scripted answers. It reads the Segment protocol, and keeps other requests as they are.

In every test, the messages that it accepts must fit the schema of `make-metrics schema`.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


@dataclass(slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        packed = self.headers.get("Content-Encoding") == "gzip"
        document: dict[str, Any] = json.loads(gzip.decompress(self.body) if packed else self.body)
        return document

    def conforms(self, key: str) -> list[dict[str, Any]]:
        """The messages of a request; fails if it breaks the Segment protocol."""
        assert (self.method, self.path) == ("POST", "/v1/batch")
        assert self.headers["Content-Type"].startswith("application/json")
        assert self.headers["Authorization"] == "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        assert self.document.get("writeKey", key) == key
        assert re.fullmatch(_TIME, self.document["sentAt"])
        batch: list[dict[str, Any]] = self.document["batch"]
        assert 0 < len(batch) <= 100
        assert len(json.dumps(self.document)) < 500_000
        for message in batch:
            assert message["type"] == "track"
            assert message["event"]
            assert isinstance(message["properties"], dict)
            assert message.get("anonymousId") or message.get("userId")
            assert 0 < len(message["messageId"]) <= 100
            assert re.fullmatch(_TIME, message["timestamp"])
            assert len(json.dumps(message)) < 32_000
        assert len({message["messageId"] for message in batch}) == len(batch)
        return batch


@dataclass(slots=True)
class Answer:
    """What to do with a request: answer, or `deed`: reset, garbage, hang (until the receiver ends), trickle, late,
    cut-short (an end in the middle).

    Late is an answer that comes when the test sets `released`.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"success": true}'
    deed: str = ""


@dataclass(slots=True)
class Receiver:
    """`script` is used up one answer a request, then all is accepted; `poison` are message ids never accepted.

    `schema` is what accepted messages must be; that of a project without metrics of its own if it is not given.
    """

    port: int = 0
    scheme: str = "http"
    script: deque[Answer] = field(default_factory=deque)
    poison: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    schema: dict[str, Any] | None = None

    @property
    def host(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def answers(self, *answers: Answer | int) -> None:
        self.script.extend(Answer(answer) if isinstance(answer, int) else answer for answer in answers)

    @property
    def ids(self) -> list[str]:
        """The message ids that were accepted, in order."""
        return [str(message["messageId"]) for message in self.accepted]

    @property
    def commands(self) -> list[str]:
        """The targets of the accepted messages, without those about a yes or a no."""
        accepted = [message["properties"] for message in self.accepted]
        return [str(properties["command"]) for properties in accepted if "choice" not in properties]

    def take(self, request: Request) -> Answer:
        self.requests.append(request)
        answer = self.script.popleft() if self.script else Answer()
        if not request.path.endswith("/v1/batch"):
            return answer
        if answer.status == 200 and answer.deed in ("", "late") and request.method == "POST":
            batch = request.document["batch"]
            if self.poison & {message["messageId"] for message in batch}:
                return Answer(400, body=b'{"code": "invalid", "message": "no"}')
            self.accepted += batch
            self.bodies.append(request.body)
        return answer


@functools.cache
def schema() -> dict[str, Any]:
    """The output of `make-metrics schema --json` outside of any project."""
    words = [sys.executable, "-m", "make_metrics", "schema", "--json"]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, *, made_up: bool = False) -> Iterator[Receiver]:
    """Run a receiver on a free port, with TLS if there is a context.

    At the end it fails if it accepted a message that the schema does not allow. `made_up` is for tests whose messages
    come from no event: it skips this check.
    """
    receiver = Receiver(scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.title(): value for name, value in self.headers.items()}
            answer = receiver.take(Request(self.command, self.path, headers, body))
            self.close_connection = True
            if answer.deed == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            elif answer.deed == "hang":
                receiver.ended.wait(60)
            elif answer.deed == "garbage":
                self.wfile.write(b"\x00\xff nothing that HTTP knows\r\n\r\n")
            elif answer.deed == "cut-short":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n.")
            elif answer.deed == "trickle":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not receiver.ended.wait(0.2):
                    self.wfile.write(b".")
            else:
                if answer.deed == "late":
                    receiver.released.wait(60)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """A client that goes away is part of the tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            receiver.released.set()
            server.shutdown()
            thread.join()
    if not made_up and receiver.accepted:
        validator = Draft202012Validator(receiver.schema or schema())
        for message in receiver.accepted:
            validator.validate(message)
