"""The OpenTelemetry sink against a scripted receiver: the traps of the SDK's exporters, each."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.semconv._incubating.attributes import cicd_attributes, process_attributes
from opentelemetry.semconv._incubating.metrics import cicd_metrics

from make_metrics.combine.event import run_id
from make_metrics.deliver import trace
from make_metrics.deliver.message import message
from make_metrics.sinks.otlp.sink import OtlpSink
from make_metrics.sinks.otlp.text import readable
from make_metrics.sinks.sink import Network, Outcome, SinkSettings
from tests.support.events import ID, nested_run, traced_batch
from tests.support.segment_receiver import Answer, Receiver, receiving

SIGNALS = ("traces", "metrics")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture(params=SIGNALS)
def sink(receiver: Receiver, request: pytest.FixtureRequest) -> OtlpSink:
    return sink_to(receiver, request.param)


def sink_to(receiver: Receiver, signal: str = "traces", **more: str) -> OtlpSink:
    key = more.pop("key", "")
    return OtlpSink(SinkSettings("otlp", key, f"{receiver.host}/v1/{signal}", tuple(more.items())))


def said(receiver: Receiver) -> dict[str, Any]:
    """The last request, as it is shown."""
    request = receiver.requests[-1]
    found: dict[str, Any] = json.loads(readable(request.path, request.body).split("\n")[1])
    return found


def attributes(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in found}


def test_a_batch_is_one_request_with_the_prepared_bytes(receiver: Receiver, sink: OtlpSink) -> None:
    prepared = sink.prepare(traced_batch())
    assert receiver.requests == []
    verdict = sink.send(traced_batch(), timeout_s=5)
    assert (verdict.outcome, verdict.said) == (Outcome.ACCEPTED, "accepted")
    (request,) = receiver.requests
    assert request.headers["Content-Type"] == "application/x-protobuf"
    assert "Authorization" not in request.headers
    # The same messages are the same bytes: what a preview shows, and what is sent again.
    assert request.body == verdict.body == prepared.body == sink.prepare(traced_batch()).body
    assert verdict.url == prepared.url == f"{receiver.host}{request.path}"


def test_nothing_is_opened_to_prepare(sink: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    before = threading.active_count()
    assert sink.prepare(traced_batch()).body
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("more", "header", "value"),
    [({}, "Authorization", "Bearer key"), ({"key-header": "x-team"}, "x-team", "key")],
)
def test_the_key_goes_where_the_receiver_wants_it(
    receiver: Receiver, more: dict[str, str], header: str, value: str
) -> None:
    assert sink_to(receiver, key="key", **more).send(traced_batch(), timeout_s=5).outcome is Outcome.ACCEPTED
    assert receiver.requests[0].headers[header.title()] == value


def test_nothing_of_the_environment_is_sent(
    receiver: Receiver, sink: OtlpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is meant for another receiver: a key above all."""
    for name, value in {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret,x-other=secret",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/secret",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/secret",
        "OTEL_RESOURCE_ATTRIBUTES": "host.name=secret",
        "OTEL_SERVICE_NAME": "secret",
        "NETRC": str(tmp_path / "netrc"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "netrc").write_text("default login secret password secret\n")
    assert sink.send(traced_batch(), timeout_s=5).outcome is Outcome.ACCEPTED
    (request,) = receiver.requests
    known = {"host", "user-agent", "accept-encoding", "accept", "connection", "content-type", "content-length"}
    assert {name.lower() for name in request.headers} == known
    assert b"secret" not in request.body
    (resource,) = next(iter(said(receiver).values()))
    assert attributes(resource["resource"]["attributes"]) == {"service.name": "make", "service.instance.id": ID}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.ACCEPTED), (202, Outcome.ACCEPTED)]
    + [(status, Outcome.REFUSED) for status in (400, 413, 422)]
    + [(status, Outcome.HELD) for status in (301, 302, 307, 308, 304, 401, 402, 403, 404, 411, 415, 426, 431, 451, 501)]
    + [(status, Outcome.LATER) for status in (408, 429, 500, 502, 503, 504)],
)
def test_each_status_has_one_verdict_and_is_one_request(
    receiver: Receiver, sink: OtlpSink, status: int, outcome: Outcome, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.answers(Answer(status, {"Location": f"{receiver.host}/elsewhere"}, body=b""))
    verdict = sink.send(traced_batch(), timeout_s=5)
    assert verdict.outcome is outcome
    assert len(receiver.requests) == 1  # the exporter would try again, and follow
    assert outcome is Outcome.ACCEPTED or str(status) in verdict.said
    assert capfd.readouterr() == ("", "")


def test_retry_after_is_heeded(receiver: Receiver, sink: OtlpSink) -> None:
    receiver.answers(Answer(429, {"Retry-After": "7"}), Answer(503, {"Retry-After": "1"}))
    assert [sink.send(traced_batch(), timeout_s=5).after_s for _ in range(2)] == [7, 1]


@pytest.mark.parametrize("deed", ["reset", "garbage", "hang", "cut-short"])
def test_after_a_broken_answer_we_try_again_later(
    receiver: Receiver, sink: OtlpSink, deed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.answers(Answer(deed=deed))
    assert sink.send(traced_batch(), timeout_s=0.5).outcome is Outcome.LATER
    assert len(receiver.requests) == 1
    assert capfd.readouterr() == ("", "")


def test_without_a_receiver_the_verdict_names_the_cause(receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for host, outcome in (
        (f"http://127.0.0.1:{port}", Outcome.LATER),
        ("http://127.0.0.1:99999", Outcome.HELD),
        (receiver.host.replace("http:", "https:"), Outcome.LATER),
    ):
        sink = OtlpSink(SinkSettings("otlp", "", f"{host}/v1/traces"))
        assert sink.send(traced_batch(), timeout_s=2).outcome is outcome


def partial(signal: str, rejected: int, text: str) -> bytes:
    if signal == "traces":
        traces = ExportTraceServiceResponse()
        traces.partial_success.rejected_spans, traces.partial_success.error_message = rejected, text
        return traces.SerializeToString()
    points = ExportMetricsServiceResponse()
    points.partial_success.rejected_data_points, points.partial_success.error_message = rejected, text
    return points.SerializeToString()


@pytest.mark.parametrize("signal", SIGNALS)
def test_after_partial_success_nothing_is_sent_again(receiver: Receiver, signal: str) -> None:
    """The protocol forbids to send such a request again: which of several were rejected is not known."""
    sink = sink_to(receiver, signal)
    receiver.answers(*(Answer(body=partial(signal, rejected, "too\nold")) for rejected in (2, 1, 0)))
    several = sink.send(traced_batch(), timeout_s=5)
    assert (several.outcome, several.said) == (
        Outcome.ACCEPTED, "accepted, but the receiver rejected 2 of 5: tooold",
    )  # fmt: skip
    one = sink.send(traced_batch()[:1], timeout_s=5)
    assert (one.outcome, one.said) == (Outcome.REFUSED, "the receiver rejected 1 of 1: tooold")
    warned = sink.send(traced_batch(), timeout_s=5)
    assert (warned.outcome, warned.said) == (Outcome.ACCEPTED, "accepted")


@pytest.mark.skipif(
    not hasattr(cicd_attributes, "CICD_PIPELINE_TASK_RUN_RESULT"),
    reason="this release of the conventions has fewer names",
)
def test_spans_have_the_names_of_the_conventions(receiver: Receiver) -> None:
    sink_to(receiver, service="build").send(traced_batch(status=3), timeout_s=5)
    (resource,) = said(receiver)["resourceSpans"]
    spans = {span["name"]: span for span in resource["scopeSpans"][0]["spans"]}
    assert set(spans) == {"RUN build", "all", "a", "inner", "deep"}
    root, deep = spans["RUN build"], spans["deep"]
    assert (root["kind"], deep["kind"]) == ("SPAN_KIND_SERVER", "SPAN_KIND_INTERNAL")
    assert root["status"] == deep["status"] == {"code": "STATUS_CODE_ERROR"}
    events = {event.target: event for event in nested_run()}
    described = attributes(deep["attributes"])
    assert {name: described.pop(name) for name in list(described) if not name.startswith("make.")} == {
        cicd_attributes.CICD_PIPELINE_NAME: "build",
        cicd_attributes.CICD_PIPELINE_TASK_NAME: "deep",
        cicd_attributes.CICD_PIPELINE_TASK_RUN_RESULT: "failure",
        cicd_attributes.CICD_PIPELINE_TASK_RUN_ID: events["deep"].message_id,
        process_attributes.PROCESS_EXIT_CODE: "3",
        "error.type": "3",
    }
    # Everything else of the event is there by its own name, and nothing that is not of the event.
    properties = message(events["deep"], name="x", anonymous_id=ID)["properties"]
    rest = set(properties) - {"command", "command_type", "duration_ms", "start_time"}
    assert set(described) == {f"make.{name.removeprefix('make_')}" for name in rest}
    described = attributes(root["attributes"])
    assert described[cicd_attributes.CICD_PIPELINE_RESULT] == "failure"
    assert described[cicd_attributes.CICD_PIPELINE_RUN_ID] == run_id("m", ID)
    assert described[cicd_attributes.CICD_PIPELINE_ACTION_NAME] == "RUN"
    assert int(deep["endTimeUnixNano"]) - int(deep["startTimeUnixNano"]) == 10_000_000
    assert int(root["endTimeUnixNano"]) - int(root["startTimeUnixNano"]) == 60_000_000


@pytest.mark.parametrize(
    ("status", "result", "error"),
    [(0, "success", None), (2, "failure", "2"), (-2, "cancellation", "SIGINT"), (-11, "failure", "SIGSEGV"),
     (-200, "failure", "signal 200")],
)  # fmt: skip
def test_an_exit_status_is_a_result_and_an_error_type(
    receiver: Receiver, status: int, result: str, error: str | None
) -> None:
    sink_to(receiver).send(traced_batch(status=status), timeout_s=5)
    for span in said(receiver)["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        described = attributes(span["attributes"])
        assert described.get("error.type") == error
        assert result in (described.get("cicd.pipeline.result"), described.get("cicd.pipeline.task.run.result"))
        assert ("process.exit.code" in described) == (status >= 0)
        assert span["status"] == ({} if not status else {"code": "STATUS_CODE_ERROR"})


def test_a_yes_is_a_trace_of_its_own(receiver: Receiver) -> None:
    yes = {**traced_batch()[1], "messageId": "yes", "properties": {
        "command": "metrics-opt-in", "command_type": "make", "choice": "in", "is_test": "no",
        "start_time": "2021-05-17T19:44:09.105052+00:00",
    }}  # fmt: skip
    del yes["trace"]
    sink_to(receiver).send([yes, *traced_batch()], timeout_s=5)
    one, *rest = said(receiver)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert one["name"] == "metrics-opt-in"
    assert one["startTimeUnixNano"] == one["endTimeUnixNano"] == "1621280649105052000"
    assert one["traceId"] not in {span["traceId"] for span in rest}
    assert "parentSpanId" not in one


def test_durations_are_deltas_that_are_the_same_when_they_come_twice(receiver: Receiver) -> None:
    sink = sink_to(receiver, "metrics")
    receiver.answers(503)
    assert sink.send(traced_batch(), timeout_s=5).outcome is Outcome.LATER
    assert sink.send(traced_batch(), timeout_s=5).outcome is Outcome.ACCEPTED
    assert receiver.requests[0].body == receiver.requests[1].body
    metrics = {one["name"]: one for one in said(receiver)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]}
    assert set(metrics) == {cicd_metrics.CICD_PIPELINE_RUN_DURATION, "make.target.duration"}
    points = {}
    for name, metric in metrics.items():
        assert (metric["unit"], metric["histogram"]["aggregationTemporality"]) == (
            "s", "AGGREGATION_TEMPORALITY_DELTA",
        )  # fmt: skip
        for point in metric["histogram"]["dataPoints"]:
            described = attributes(point["attributes"])
            points[described.get("cicd.pipeline.task.name", name)] = point
            assert point["count"] == "1"
            assert sum(map(int, point["bucketCounts"])) == 1
            assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
    assert {name: point["sum"] for name, point in points.items()} == {
        "cicd.pipeline.run.duration": 0.06, "all": 0.06, "a": 0.05, "inner": 0.03, "deep": 0.01,
    }  # fmt: skip
    assert points["deep"]["bucketCounts"][:2] == ["1", "0"]  # a bound belongs to what is below it
    assert points["a"]["bucketCounts"][:3] == ["0", "1", "0"]


def test_batches_keep_to_the_limits(sink: OtlpSink) -> None:
    assert sink.batches([]) == []
    small = [{"messageId": str(number)} for number in range(1_200)]
    assert [len(one) for one in sink.batches(small)] == [500, 500, 200]
    large = [{"messageId": "x" * 300_000}] * 7
    assert sink.batches(large) == [[0, 1, 2], [3, 4, 5], [6]]


def test_sent_bytes_are_readable_and_other_bytes_are_base64(receiver: Receiver) -> None:
    from make_metrics.sinks import kinds

    prepared = sink_to(receiver).prepare(traced_batch())
    text = kinds.readable("otlp", prepared.url, prepared.body)
    assert text.startswith(f"protobuf, {len(prepared.body)} bytes, SHA-256 ")
    assert f'"traceId": "{trace.trace_id("m", ID)}"' in text
    assert kinds.readable("otlp", prepared.url, b"\xff\xff") == "base64: //8=\n"
    assert kinds.readable("nowhere", prepared.url, b"\xff\xff") == "base64: //8=\n"


def test_the_user_limits_the_time(receiver: Receiver) -> None:
    sink = OtlpSink(SinkSettings("otlp", "", f"{receiver.host}/v1/traces"), Network(timeout_s=0.2))
    receiver.answers(Answer(deed="hang"))
    verdict = sink.send(traced_batch(), timeout_s=60)
    assert (verdict.outcome, verdict.said) == (Outcome.LATER, "no answer within 0.2 s")
