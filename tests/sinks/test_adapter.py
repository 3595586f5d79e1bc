"""Of an answer only its beginning is read, packed and unpacked; and permission is asked for right before the bytes."""

from __future__ import annotations

import gzip
import re
import resource
import socket
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from make_metrics.crashes.sentry import SentrySink
from make_metrics.project.settings import Dsn
from make_metrics.sinks import Network, Outcome, SinkSettings, Verdict, last_check
from make_metrics.sinks.adapter import LIMIT_BYTES
from make_metrics.sinks.network import Session
from make_metrics.sinks.otlp.sink import OtlpSink
from make_metrics.sinks.segment import SegmentSink
from tests.support.events import traced_batch

Send = Callable[[str], Verdict]
MEGABYTES = 1_000_000


@contextmanager
def answering(head: bytes, *blocks: bytes, again: bool = False) -> Iterator[tuple[str, list[int]]]:
    """A server that answers by these bytes, the last block `again` without end; its address, and how much it sent."""
    sent: list[int] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                count = 0
                try:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65_536)
                    # What is not read when the connection closes would reset it, and cost the end of the answer.
                    beginning, _, body = request.partition(b"\r\n\r\n")
                    length = re.search(rb"content-length: (\d+)", beginning, re.IGNORECASE)
                    while length and len(body) < int(length[1]):
                        body += connection.recv(65_536)
                    for block in (head, *blocks):
                        connection.sendall(block)
                        count += len(block)
                    while again:
                        connection.sendall(blocks[-1])
                        count += len(blocks[-1])
                except OSError:
                    pass
                sent.append(count)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", sent
        server.shutdown(socket.SHUT_RDWR)
    thread.join(20)


def by_segment(host: str) -> Verdict:
    return SegmentSink(key="key", host=host).send(traced_batch(), timeout_s=60)


def by_otlp(host: str) -> Verdict:
    return OtlpSink(SinkSettings("otlp", "", f"{host}/v1/traces")).send(traced_batch(), timeout_s=60)


def by_sentry(host: str) -> Verdict:
    sink = SentrySink(Dsn(f"{host.replace('//', '//key@')}/1", host))
    return sink.send({"event_id": "0" * 32, "release": "1", "level": "error"}, timeout_s=60)


@pytest.fixture(params=[by_segment, by_otlp, by_sentry])
def send(request: pytest.FixtureRequest) -> Send:
    found: Send = request.param
    return found


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS = {
    "to-its-end": (JSON + b"\r\n", b" " * 65_536),
    "chunked": (JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65_536 + b"\r\n"),
    "long": (JSON + b"Content-Length: 9000000000000\r\n\r\n", b" " * 65_536),
}


@pytest.mark.parametrize("form", ENDLESS)
def test_an_endless_answer_is_read_in_part(send: Send, form: str) -> None:
    head, block = ENDLESS[form]
    with answering(head, block, again=True) as (host, sent):
        verdict = send(host)
    assert (verdict.outcome, "longer than 64 KiB" in verdict.said) == (Outcome.LATER, True)
    assert len(sent) == 1
    assert sent[0] < 30 * MEGABYTES  # what fits into the buffers of the two sockets


@pytest.mark.parametrize("status", [400, 403, 503])
def test_an_endless_answer_with_an_error_is_no_receivers_and_what_was_sent_waits(send: Send, status: int) -> None:
    head = JSON.replace(b"200 OK", b"%d No" % status) + b"\r\n"
    with answering(head, b" " * 65_536, again=True) as (host, _):
        verdict = send(host)
    assert verdict.outcome is Outcome.LATER
    assert str(status) in verdict.said


@pytest.mark.one_in(2)
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "GZIP"])
def test_a_packed_answer_is_unpacked_in_part(send: Send, encoding: str) -> None:
    compress = zlib.compressobj(9, wbits=15 if encoding == "deflate" else 31)
    packed = b"".join(compress.compress(b" " * MEGABYTES) for _ in range(300)) + compress.flush()
    head = JSON + f"Content-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    before = peak_bytes()
    with answering(head, packed) as (host, _):
        verdict = send(host)
    assert (verdict.outcome, "longer than 64 KiB" in verdict.said) == (Outcome.LATER, True)
    assert peak_bytes() - before < 20 * MEGABYTES


def test_a_small_packed_answer_counts(send: Send) -> None:
    packed = gzip.compress(b'{"success": true}')
    head = JSON + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with answering(head, packed) as (host, _):
        assert send(host).outcome is Outcome.ACCEPTED
    with answering(head.replace(str(len(packed)).encode(), b"9"), b"not zlib!") as (host, _):
        assert send(host).outcome is Outcome.LATER


def test_a_plug_in_gets_the_beginning_of_an_answer() -> None:
    with answering(*ENDLESS["chunked"], again=True) as (host, _), Session(Network()) as session:
        answer = session.post(host, b"{}", timeout=20)
        assert len(answer.content) == LIMIT_BYTES
    with answering(JSON + b"\r\n", b'{"a": 1}') as (host, _), Session(Network()) as session:
        assert session.post(host, b"{}", timeout=20).json() == {"a": 1}


def test_without_permission_nothing_is_opened(send: Send) -> None:
    with answering(JSON + b"\r\n") as (host, sent):
        with last_check.asking(lambda: False):
            verdict = send(host)
        assert (verdict.outcome, verdict.said) == (Outcome.LATER, "taken back before it was sent")
    assert sent == []


def test_permission_is_asked_for_after_the_connection_is_made(send: Send) -> None:
    asked: list[bool] = []

    def may_send() -> bool:
        asked.append(True)
        return len(asked) == 1  # before the connection; not any more before the first byte

    received: list[bytes] = []

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            try:
                received.append(connection.recv(65_536))
            except ConnectionResetError:
                received.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with last_check.asking(may_send):
            verdict = send(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join(20)
    assert (verdict.outcome, received, len(asked)) == (Outcome.LATER, [b""], 2)
