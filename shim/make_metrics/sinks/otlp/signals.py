"""Messages as OpenTelemetry's signals, in the SDK's types: each message is a span, or a point of a histogram. Pure.

Attributes have their names from the semantic conventions for CI/CD (`cicd.pipeline...`, in development as of version
1.37). A property without a convention is `make.` and its own name. Nothing is added to what the messages hold.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from signal import Signals
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from make_metrics.sinks.sink import Message

BOUNDS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1_800.0, 3_600.0)
_SCOPE = InstrumentationScope("make-metrics")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED = frozenset({"command", "command_type", "duration_ms", "start_time"})
_GIVEN_UP = frozenset({-Signals.SIGHUP, -Signals.SIGINT, -Signals.SIGQUIT, -Signals.SIGTERM})
_LABELS = "make.label_"  # attributes of the project's labels
_MS_NS = 1_000_000


class _Ids(NamedTuple):
    trace: int
    span: int
    parent: int


def spans(messages: Sequence[Message], service: str) -> list[ReadableSpan]:
    """A span for each message, be it about a run, a target or a yes. `service` names the pipeline."""
    return [_span(message, service) for message in messages]


def metrics(messages: Sequence[Message], service: str) -> MetricsData:
    """The durations of runs and targets as histograms of deltas: a point for each message.

    A message that is sent twice is the same point twice: it has the same attributes, start and end.
    """
    return MetricsData([_of_user(user, messages, service) for user in dict.fromkeys(map(_user, messages))])


def _of_user(user: str, messages: Sequence[Message], service: str) -> ResourceMetrics:
    theirs = sorted((message for message in messages if _user(message) == user), key=lambda message: _times(message)[1])
    runs, targets = filter(_is_run, theirs), filter(_is_target, theirs)
    histograms = [
        _histogram("cicd.pipeline.run.duration", "Duration of a run of make", runs, service),
        _histogram("make.target.duration", "Duration of a target", targets, service),
    ]
    scope = ScopeMetrics(_SCOPE, [histogram for histogram in histograms if histogram.data.data_points], "")
    return ResourceMetrics(_resource(user, service), [scope], "")


def _histogram(name: str, description: str, messages: Iterable[Message], service: str) -> Metric:
    points = [_point(message, service) for message in messages]
    return Metric(name, description, "s", Histogram(points, AggregationTemporality.DELTA))


def _point(message: Message, service: str) -> HistogramDataPoint:
    start_ns, end_ns = _times(message)
    seconds = message["properties"]["duration_ms"] / 1_000
    counts = [0] * (len(BOUNDS_S) + 1)
    counts[bisect_left(BOUNDS_S, seconds)] = 1
    ids = _ids(message)
    attributes = _conventional_attributes(message, service)
    if _is_run(message):
        attributes["cicd.pipeline.run.state"] = "executing"
    attributes |= {
        name: value
        for name, value in _other_attributes(message).items()
        if name in ("make.goal", "make.is_test") or name.startswith(_LABELS)
    }
    exemplar = Exemplar({}, seconds, end_ns, ids.span, ids.trace)
    return HistogramDataPoint(
        attributes, start_ns, end_ns, 1, seconds, counts, BOUNDS_S, seconds, seconds, exemplars=[exemplar]
    )


def _span(message: Message, service: str) -> ReadableSpan:
    properties = message["properties"]
    start_ns, end_ns = _times(message)
    ids, status = _ids(message), properties.get("exit_status", 0)
    context, parent = (
        SpanContext(ids.trace, span, is_remote=remote, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        for span, remote in ((ids.span, False), (ids.parent, _is_run(message)))
    )
    extra: dict[str, Any] = {}
    if _is_run(message):
        extra = {"cicd.pipeline.run.id": message["messageId"], "cicd.pipeline.action.name": "RUN"}
    elif _is_target(message):
        extra = {"cicd.pipeline.task.run.id": message["messageId"]}
    if "exit_status" in properties and status >= 0:
        extra["process.exit.code"] = status
    return ReadableSpan(
        name=f"RUN {service}" if _is_run(message) else str(properties["command"]),
        context=context,
        parent=parent if ids.parent else None,
        resource=_resource(_user(message), service),
        attributes={**_conventional_attributes(message, service), **extra, **_other_attributes(message)},
        kind=SpanKind.SERVER if _is_run(message) else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if status else StatusCode.UNSET),
        start_time=start_ns,
        end_time=end_ns,
        instrumentation_scope=_SCOPE,
    )


def _conventional_attributes(message: Message, service: str) -> dict[str, Any]:
    """The conventions' attributes of a run or a task and its result."""
    attributes: dict[str, Any] = {"cicd.pipeline.name": service}
    status = message["properties"].get("exit_status")
    result = "success" if not status else "cancellation" if status in _GIVEN_UP else "failure"
    if _is_run(message):
        attributes["cicd.pipeline.result"] = result
    elif _is_target(message):
        attributes["cicd.pipeline.task.name"] = message["properties"]["command"]
        attributes["cicd.pipeline.task.run.result"] = result
    if status:
        attributes["error.type"] = _error(status)
    return attributes


def _error(status: int) -> str:
    try:
        return str(status) if status > 0 else Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _other_attributes(message: Message) -> dict[str, Any]:
    return {
        f"make.{name.removeprefix('make_')}": value
        for name, value in message["properties"].items()
        if name not in _NAMED
    }


def _is_run(message: Message) -> bool:
    return "command" not in message["properties"]


def _is_target(message: Message) -> bool:
    return "command" in message["properties"] and "duration_ms" in message["properties"]


def _user(message: Message) -> str:
    return str(message["anonymousId"])


def _times(message: Message) -> tuple[int, int]:
    """Start and end in nanoseconds since the epoch."""
    start = datetime.fromisoformat(message["properties"]["start_time"])
    start_ns = (start - _EPOCH) // timedelta(microseconds=1) * 1_000
    return start_ns, start_ns + message["properties"].get("duration_ms", 0) * _MS_NS


def _ids(message: Message) -> _Ids:
    """The span's ids. A yes belongs to no run: it is a trace of its own."""
    trace = message.get("trace")
    if trace:
        return _Ids(int(trace["traceId"], 16), int(trace["spanId"], 16), int(trace.get("parentSpanId", "0"), 16))
    digest = hashlib.sha256(str(message["messageId"]).encode()).hexdigest()
    return _Ids(int(digest[:32], 16), int(digest[32:48], 16), 0)


def _resource(user: str, service: str) -> Resource:
    # Not Resource.create: it adds attributes of the environment and the host.
    return Resource({"service.name": service, "service.instance.id": user})
