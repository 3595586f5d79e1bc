"""Messages as OpenTelemetry's signals: a span or a point of a histogram each. Pure; the SDK's own types.

Names are those of the semantic conventions for CI/CD (`cicd.pipeline...`, in development as of version 1.37) where they
have one, and `make.` and the property's own name for all others. Nothing is added to what the messages hold.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
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
_MS_NS = 1_000_000


class _Ids(NamedTuple):
    trace: int
    span: int
    parent: int


def spans(messages: Sequence[Message], service: str) -> list[ReadableSpan]:
    """A span for each message: of a run, of a target, or of a yes. `service` names the pipeline."""
    return [_span(message, service) for message in messages]


def metrics(messages: Sequence[Message], service: str) -> MetricsData:
    """How long each run and each target took, as deltas: a point for each message, with its own time.

    What is sent twice is the same point again, by its attributes and by both of its times.
    """
    return MetricsData([_of_user(user, messages, service) for user in dict.fromkeys(map(_user, messages))])


def _of_user(user: str, messages: Sequence[Message], service: str) -> ResourceMetrics:
    own = sorted((message for message in messages if _user(message) == user), key=lambda message: _times(message)[1])
    found = [
        _histogram("cicd.pipeline.run.duration", "Duration of a run of make", own, service, wanted=_is_run),
        _histogram("make.target.duration", "Duration of a target", own, service, wanted=_is_target),
    ]
    scope = ScopeMetrics(_SCOPE, [one for one in found if one.data.data_points], "")
    return ResourceMetrics(_resource(user, service), [scope], "")


def _histogram(
    name: str, description: str, messages: Sequence[Message], service: str, *, wanted: Callable[[Message], bool]
) -> Metric:
    points = [_point(message, service) for message in messages if wanted(message)]
    return Metric(name, description, "s", Histogram(points, AggregationTemporality.DELTA))


def _point(message: Message, service: str) -> HistogramDataPoint:
    start_ns, end_ns = _times(message)
    seconds = message["properties"]["duration_ms"] / 1_000
    counts = [0] * (len(BOUNDS_S) + 1)
    counts[bisect_left(BOUNDS_S, seconds)] = 1
    ids = _ids(message)
    attributes = _described(message, service)
    if _is_run(message):
        attributes["cicd.pipeline.run.state"] = "executing"
    attributes |= {name: value for name, value in _others(message).items() if name in ("make.goal", "make.is_test")}
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
    own: dict[str, Any] = {}
    if _is_run(message):
        own = {"cicd.pipeline.run.id": message["messageId"], "cicd.pipeline.action.name": "RUN"}
    elif _is_target(message):
        own = {"cicd.pipeline.task.run.id": message["messageId"]}
    if "exit_status" in properties and status >= 0:
        own["process.exit.code"] = status
    return ReadableSpan(
        name=f"RUN {service}" if _is_run(message) else str(properties["command"]),
        context=context,
        parent=parent if ids.parent else None,
        resource=_resource(_user(message), service),
        attributes={**_described(message, service), **own, **_others(message)},
        kind=SpanKind.SERVER if _is_run(message) else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if status else StatusCode.UNSET),
        start_time=start_ns,
        end_time=end_ns,
        instrumentation_scope=_SCOPE,
    )


def _described(message: Message, service: str) -> dict[str, Any]:
    """What the conventions call a run or a task, and what came of it."""
    found: dict[str, Any] = {"cicd.pipeline.name": service}
    status = message["properties"].get("exit_status")
    result = "success" if not status else "cancellation" if status in _GIVEN_UP else "failure"
    if _is_run(message):
        found["cicd.pipeline.result"] = result
    elif _is_target(message):
        found["cicd.pipeline.task.name"] = message["properties"]["command"]
        found["cicd.pipeline.task.run.result"] = result
    if status:
        found["error.type"] = _error(status)
    return found


def _error(status: int) -> str:
    try:
        return str(status) if status > 0 else Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _others(message: Message) -> dict[str, Any]:
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
    began = datetime.fromisoformat(message["properties"]["start_time"])
    start_ns = (began - _EPOCH) // timedelta(microseconds=1) * 1_000
    return start_ns, start_ns + message["properties"].get("duration_ms", 0) * _MS_NS


def _ids(message: Message) -> _Ids:
    """The span's ids; a yes belongs to no run, and is a trace of its own."""
    trace = message.get("trace")
    if trace:
        return _Ids(int(trace["traceId"], 16), int(trace["spanId"], 16), int(trace.get("parentSpanId", "0"), 16))
    made = hashlib.sha256(str(message["messageId"]).encode()).hexdigest()
    return _Ids(int(made[:32], 16), int(made[32:48], 16), 0)


def _resource(user: str, service: str) -> Resource:
    # Not Resource.create: that adds what the environment and the host say of themselves.
    return Resource({"service.name": service, "service.instance.id": user})
