"""The Segment sink against a scripted receiver: the traps of its client library, each."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from segment.analytics import request as library  # type: ignore[import-untyped]

from make_metrics.sinks.segment import SegmentSink
from make_metrics.sinks.sink import Outcome
from tests.support.segment_receiver import Answer, Receiver, receiving

KEY = "public-key"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture
def sink(receiver: Receiver) -> SegmentSink:
    return SegmentSink(key=KEY, host=receiver.host)


def message(name: str = "m", *, size: int = 0) -> dict[str, Any]:
    return {"type": "track", "messageId": name, "properties": {"command": "x" * size}}


def test_a_batch_arrives_as_it_was_made(receiver: Receiver, sink: SegmentSink) -> None:
    verdict = sink.send([message("a"), message("b")], timeout_s=60)
    assert (verdict.outcome, verdict.url) == (Outcome.ACCEPTED, f"{receiver.host}/v1/batch")
    (request,) = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/v1/batch", verdict.body)
    assert request.document["batch"] == [message("a"), message("b")]
    assert set(request.document) == {"batch", "sentAt", "writeKey"}
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()


def test_what_is_prepared_is_what_is_sent(receiver: Receiver, sink: SegmentSink) -> None:
    batch = [message("ä"), message("b", size=500)]
    prepared = sink.prepare(batch)
    assert receiver.requests == []
    verdict = sink.send(batch, timeout_s=60)
    ours, theirs = json.loads(prepared.body), json.loads(verdict.body)
    assert prepared.url == verdict.url
    assert prepared.body.replace(ours["sentAt"].encode(), b"") == verdict.body.replace(theirs["sentAt"].encode(), b"")


def test_nothing_is_opened_to_prepare(sink: SegmentSink, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    before = library._session
    assert b'"messageId": "m"' in sink.prepare([message()]).body
    assert library._session is before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_not_taken_for_success(
    receiver: Receiver, sink: SegmentSink, status: int
) -> None:
    receiver.answers(Answer(status, {"Location": f"{receiver.host}/elsewhere"}))
    verdict = sink.send([message()], timeout_s=60)
    assert verdict.outcome is Outcome.HELD
    assert "redirect" in verdict.said
    assert [request.path for request in receiver.requests] == ["/v1/batch"]


@pytest.mark.parametrize("status", [300, 304])
def test_a_redirect_to_nowhere_is_no_success(receiver: Receiver, sink: SegmentSink, status: int) -> None:
    receiver.answers(Answer(status, body=b""))
    assert sink.send([message()], timeout_s=60).outcome is Outcome.HELD


def test_a_netrc_entry_does_not_replace_the_key(
    receiver: Receiver, sink: SegmentSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1\nlogin me\npassword secret\ndefault login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert sink.send([message()], timeout_s=60).outcome is Outcome.ACCEPTED
    said = base64.b64decode(receiver.requests[0].headers["Authorization"].removeprefix("Basic "))
    assert said == f"{KEY}:".encode()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.ACCEPTED), (201, Outcome.ACCEPTED), (204, Outcome.ACCEPTED)]
    + [(status, Outcome.REFUSED) for status in (400, 413, 422)]
    + [(status, Outcome.HELD) for status in (401, 403, 404, 407, 410)]
    + [(status, Outcome.LATER) for status in (408, 425, 429, 500, 502, 503, 504)],
)
def test_each_status_has_one_verdict(receiver: Receiver, sink: SegmentSink, status: int, outcome: Outcome) -> None:
    receiver.answers(Answer(status, body=b"" if status == 204 else b"[1]"))
    verdict = sink.send([message()], timeout_s=60)
    assert verdict.outcome is outcome
    assert len(receiver.requests) == 1  # the library would try again ten times
    assert outcome is Outcome.ACCEPTED or str(status) in verdict.said


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        ("3600", 3_600),
        ("9" * 30, 86_400),
        ("²", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_retry_after_is_heeded(receiver: Receiver, sink: SegmentSink, given: str, seconds: int) -> None:
    receiver.answers(Answer(429, {"Retry-After": given}))
    assert sink.send([message()], timeout_s=60).after_s == seconds


@pytest.mark.parametrize("deed", ["reset", "garbage", "hang"])
def test_after_a_broken_answer_we_try_again_later(receiver: Receiver, sink: SegmentSink, deed: str) -> None:
    receiver.answers(Answer(deed=deed))
    began = time.monotonic()
    assert sink.send([message()], timeout_s=0.5).outcome is Outcome.LATER
    assert time.monotonic() - began < 50  # the receiver would hang for a minute


def test_without_a_receiver_we_try_again_later(sink: SegmentSink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert SegmentSink(key=KEY, host=f"http://127.0.0.1:{port}").send([message()], timeout_s=1).outcome is Outcome.LATER
    assert SegmentSink(key=KEY, host="http://127.0.0.1:99999").send([message()], timeout_s=1).outcome is Outcome.HELD


def test_a_receiver_without_a_certificate_is_reported(receiver: Receiver) -> None:
    verdict = SegmentSink(key=KEY, host=receiver.host.replace("http:", "https:")).send([message()], timeout_s=60)
    assert verdict.outcome is Outcome.LATER
    assert "certificate" in verdict.said


def test_a_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.host)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    sink = SegmentSink(key=KEY, host="http://receiver.invalid")
    assert sink.send([message()], timeout_s=60).outcome is Outcome.ACCEPTED
    assert receiver.requests[0].path == "http://receiver.invalid/v1/batch"


def test_no_thread_is_left(sink: SegmentSink) -> None:
    before = threading.active_count()
    sink.prepare([message()])
    assert threading.active_count() == before


def test_batches_keep_to_the_limits(sink: SegmentSink) -> None:
    assert sink.batches([]) == []
    small = [message(str(number)) for number in range(2_000)]
    assert [len(batch) for batch in sink.batches(small)] == [100] * 20
    large = [message(str(number), size=30_000) for number in range(40)]
    batches = sink.batches(large)
    assert [place for batch in batches for place in batch] == list(range(40))
    assert len(batches) == 3
    for batch in batches:
        assert len(sink.prepare([large[place] for place in batch]).body) < 500_000
    assert sink.batches([message("a"), message("b", size=33_000), message("c")]) == [[0, 2]]
