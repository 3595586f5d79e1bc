"""A success counts only if it is the receiver's: a network that asks to sign in answers 200 too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from make_metrics.crashes.sentry import SentrySink
from make_metrics.project.settings import Dsn
from make_metrics.sinks import Outcome, SinkSettings, Verdict
from make_metrics.sinks.otlp.sink import OtlpSink
from make_metrics.sinks.segment import SegmentSink
from tests.support.events import traced_batch
from tests.support.segment_receiver import Answer, Receiver, receiving

PAGE = b"<!DOCTYPE html><html><title>Welcome to the hotel</title></html>"
Send = Callable[[], Verdict]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture(params=["segment", "otlp", "sentry"])
def send(request: pytest.FixtureRequest, receiver: Receiver) -> Send:
    """Sends a batch, or a report, to the receiver by one of our protocols."""
    if request.param == "sentry":
        address = receiver.host.replace("//", "//key@")
        sentry = SentrySink(Dsn(f"{address}/1", receiver.host))
        return lambda: sentry.send({"event_id": "0" * 32, "release": "1", "level": "error"}, timeout_s=20)
    if request.param == "otlp":
        otlp = OtlpSink(SinkSettings("otlp", "key", f"{receiver.host}/v1/traces"))
        return lambda: otlp.send(traced_batch(), timeout_s=20)
    segment = SegmentSink(key="key", host=receiver.host)
    return lambda: segment.send(traced_batch(), timeout_s=20)


def typed(kind: str, body: bytes, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {**({"Content-Type": kind} if kind else {}), **headers}, body)


@pytest.mark.parametrize(
    "answer",
    [
        typed("text/html", PAGE),
        typed("text/html; charset=utf-8", b""),
        typed("TEXT/HTML", b'{"success": true}'),
        typed("text/html", PAGE, 201),
        typed("application/xhtml+xml", PAGE),
        typed("", PAGE),
        typed("text/plain", b"\xef\xbb\xbf\n " + PAGE),
        typed("application/json", PAGE),
        typed("application/json", b"please sign in"),
        typed("application/json", b'{"success": false}'),
        typed("application/json", b'{"ok": false}'),
        typed("application/json", b'{"error": "sign in first"}'),
        typed("", b'{"errors": [{"code": 511}]}'),
        typed("application/json", b"false"),
        typed("application/json", b"[" * 60_000),
        typed("text/plain", b"Sign in please.\nThis network belongs to a hotel."),
        typed("text/plain", b"Sign in please. " * 20),
        typed("image/png", b"\x89PNG\r\n"),
        typed("application/javascript", b"location='/sign-in'"),
        typed("", b"\xff\xfe\x00"),
    ],
    ids=lambda answer: f"{answer.headers.get('Content-Type')} {answer.body[:20]!r}",
)
def test_what_no_receiver_answers_is_not_acceptance(send: Send, receiver: Receiver, answer: Answer) -> None:
    receiver.answers(answer)
    verdict = send()
    assert verdict.outcome is Outcome.LATER
    assert f"the answer {answer.status} is not a receiver's, but " in verdict.said
    assert "sign in" in verdict.said
    assert verdict.said.isprintable()
    assert send().outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "answer",
    [
        typed("application/json", b'{"success": true}'),
        typed("application/json; charset=utf-8", b"{}"),
        typed("application/problem+json", b"{}"),
        typed("text/plain; charset=utf-8", b"OK"),
        typed("text/plain", b"OK\n"),
        typed("text/plain", b'{"ok": 1}'),
        typed("", b"OK"),
        typed("", b""),
        typed("application/json", b""),
        typed("application/octet-stream", b""),
        typed("", b"", 204),
        typed("text/html", b"", 204),
        typed("", b"[1]", 202),
        typed("application/json", b'{"success": true, "error": null, "errors": []}'),
        typed("application/json", json.dumps({"id": "0" * 32}).encode()),
    ],
    ids=lambda answer: f"{answer.headers.get('Content-Type')} {answer.body[:20]!r} {answer.status}",
)
def test_what_receivers_answer_is_acceptance(send: Send, receiver: Receiver, answer: Answer) -> None:
    receiver.answers(answer)
    verdict = send()
    assert (verdict.outcome, verdict.said) == (Outcome.ACCEPTED, "accepted")


@pytest.mark.parametrize("kind", ["application/x-protobuf", "", "application/octet-stream"])
def test_an_otlp_receiver_may_answer_in_protobuf(receiver: Receiver, kind: str) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    response = ExportTraceServiceResponse()
    response.partial_success.error_message = "slow\ndown\x00"
    receiver.answers(typed(kind, response.SerializeToString()), typed("application/x-protobuf", b"\xff\xff"))
    sink = OtlpSink(SinkSettings("otlp", "key", f"{receiver.host}/v1/traces"))
    assert sink.send(traced_batch(), timeout_s=20).outcome is Outcome.ACCEPTED
    assert sink.send(traced_batch(), timeout_s=20).outcome is Outcome.LATER


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 407, 422, 451])
@pytest.mark.parametrize(
    "answer",
    [
        typed("text/html", PAGE),
        typed("", PAGE),
        typed("application/json", PAGE),
        typed("text/html", b""),
        typed("image/png", b"\x89PNG\r\n"),
        typed("text/plain", b"x" * 70_000),
    ],
    ids=lambda answer: f"{answer.headers.get('Content-Type')} {answer.body[:9]!r}",
)
def test_a_page_blames_neither_a_message_nor_the_settings(
    send: Send, receiver: Receiver, answer: Answer, status: int
) -> None:
    receiver.answers(Answer(status, answer.headers, answer.body))
    verdict = send()
    assert (verdict.outcome, verdict.after_s) == (Outcome.LATER, 0)
    assert f"the answer {status} is not a receiver's, but " in verdict.said


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize(
    "answer",
    [
        typed("application/json", b'{"success": false, "message": "malformed"}'),
        typed("application/problem+json", b"{}"),
        typed("text/plain; charset=utf-8", b"request body:\nno such property"),
        typed("", b""),
    ],
    ids=lambda answer: f"{answer.headers.get('Content-Type')} {answer.body[:9]!r}",
)
def test_a_receivers_own_refusal_is_one(send: Send, receiver: Receiver, answer: Answer, status: int) -> None:
    receiver.answers(Answer(status, answer.headers, answer.body))
    assert send().outcome is Outcome.REFUSED


def test_a_proxys_page_for_too_large_a_batch_halves_it_and_sets_no_message_aside(receiver: Receiver) -> None:
    receiver.answers(*[typed("text/html", PAGE, 413)] * 2)
    sink = SegmentSink(key="key", host=receiver.host)
    two = [*traced_batch()][:1] * 2
    assert sink.send(two, timeout_s=20).outcome is Outcome.REFUSED
    verdict = sink.send(two[:1], timeout_s=20)
    assert (verdict.outcome, verdict.only_this) == (Outcome.LATER, True)


def test_a_page_with_an_error_keeps_its_status(send: Send, receiver: Receiver) -> None:
    receiver.answers(typed("text/html", PAGE, 503))
    verdict = send()
    assert (verdict.outcome, verdict.said) == (Outcome.LATER, "the receiver answered 503")
