"""A receiver of the Segment protocol on loopback, whose answers are scripted.

What it accepts must be what `make-metrics schema` says, in every test.
"""

from __future__ import annotations

import functools
import json
import socket
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


@dataclass(slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(slots=True)
class Answer:
    """What to do with a request: answer, or `deed`: reset, garbage, hang (until the receiver ends), trickle, late.

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
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *answers: Answer | int) -> None:
        self.script.extend(Answer(answer) if isinstance(answer, int) else answer for answer in answers)

    @property
    def ids(self) -> list[str]:
        """The message ids that were accepted, in order."""
        return [str(message["messageId"]) for message in self.accepted]

    @property
    def commands(self) -> list[str]:
        """The targets that were accepted; a yes or a no is none."""
        properties = [message["properties"] for message in self.accepted]
        return [str(one["command"]) for one in properties if "choice" not in one]

    def take(self, request: Request) -> Answer:
        self.requests.append(request)
        answer = self.script.popleft() if self.script else Answer()
        if answer.status == 200 and answer.deed in ("", "late") and request.method == "POST":
            batch = request.document["batch"]
            if self.poison & {message["messageId"] for message in batch}:
                return Answer(400, body=b'{"code": "invalid", "message": "no"}')
            self.accepted += batch
            self.bodies.append(request.body)
        return answer


@functools.cache
def schema() -> dict[str, Any]:
    """What `make-metrics schema --json` says outside of any project."""
    words = [sys.executable, "-m", "shim", "schema", "--json"]
    done = subprocess.run(words, cwd=Path(__file__).parent.parent, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def receiving(*, made_up: bool = False) -> Iterator[Receiver]:
    """A receiver that listens on a port of its own; `made_up` for tests whose messages are of no event.

    Fails at the end if it has accepted anything that the schema does not allow.
    """
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = receiver.take(Request(self.command, self.path, dict(self.headers.items()), body))
            self.close_connection = True
            if answer.deed == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            elif answer.deed == "hang":
                receiver.ended.wait(60)
            elif answer.deed == "garbage":
                self.wfile.write(b"\x00\xff nothing that HTTP knows\r\n\r\n")
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
