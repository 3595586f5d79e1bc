"""A run as a trace: a span for each event, below the span of what started it, and a span for the run itself. Pure.

All ids are hashes of stable ids, so that a message that is sent again has the same ones. The person's pseudonymous id
in the project goes into each hash, so that two projects cannot tell that one run of make worked in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from make_metrics.combine.event import Event, properties, run_id, timestamp
from make_metrics.dataclass import replace
from make_metrics.deliver import traceparent
from make_metrics.properties.is_test import marker
from make_metrics.properties.labels import PREFIX
from make_metrics.properties.trace import RUN

_MS_NS = 1_000_000


def span_id(message: str, anonymous_id: str) -> str:
    """The id of the span of a message id: 16 hexadecimal digits."""
    return hashlib.sha256(f"span {anonymous_id} {message}".encode()).hexdigest()[:16]


def trace_id(run: str, anonymous_id: str) -> str:
    """The id of the trace of a run that joins no other trace: 32 hexadecimal digits."""
    return hashlib.sha256(f"trace {anonymous_id} {run}".encode()).hexdigest()[:32]


def with_trace(
    events: Sequence[Event], messages: Mapping[str, Mapping[str, Any]], *, inherited: str = ""
) -> list[dict[str, Any]]:
    """A project's messages of one run, each with its place in the run's trace, and before them one for the run itself.

    `events` are all events of the run, `messages` those that go to the project, by message id. `inherited` is the value
    of TRACEPARENT that make was started with: the run joins that trace.
    """
    if not messages:
        return []
    sample = next(iter(messages.values()))
    run, anonymous_id = events[0].run, str(sample["anonymousId"])
    joined = traceparent.parse(inherited)
    trace, outer_span = joined or (trace_id(run, anonymous_id), "")
    root = run_id(run, anonymous_id)
    parents = {event.message_id: event.parent_id for event in events}
    makes = {event.make for event in events if event.message_id in messages}

    def position(message: str, parent_span: str) -> dict[str, str]:
        ids = {"traceId": trace, "spanId": span_id(message, anonymous_id)}
        return {**ids, "parentSpanId": parent_span} if parent_span else ids

    run_message = _run_message([event for event in events if event.make in makes], sample, root)
    traced = [{**run_message, "trace": position(root, outer_span)}]
    for name, message in messages.items():
        parent = sent_ancestor(name, parents, messages) or root
        traced.append({**message, "trace": position(name, span_id(parent, anonymous_id))})
    return traced


def sent_ancestor(message: str, parents: Mapping[str, str], sent: Iterable[str]) -> str:
    """The nearest ancestor of a message that is sent itself; empty if there is none.

    Ancestors that are not sent, such as targets that are files, are skipped.
    """
    seen = {message}
    parent = parents.get(message, "")
    while parent and parent not in sent and parent not in seen:
        seen.add(parent)
        parent = parents.get(parent, "")
    return parent if parent in sent and parent not in seen else ""


def _run_message(events: Sequence[Event], sample: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """The run's own message: from the start of its first event to the end of its last, with make's exit status.

    `events` are those of the makes that have any message in the project: other makes are no business of the project's.
    `sample` is one of these messages; the envelope and the labels are copied from it.
    """
    first = min(events, key=lambda event: (event.start_wall_ns, event.make_level))
    end_ns = max(event.start_wall_ns + event.duration_ms * _MS_NS for event in events)
    top_level = min(event.make_level for event in events)
    goals = [event for event in events if event.goal] or [event for event in events if event.make_level == top_level]
    statuses = [event.exit_status for event in goals]
    names = {declaration.name for declaration in RUN}
    first = replace(first, is_test=marker(first.is_test))
    values = {name: value for name, value in properties(first).items() if name in names}
    values |= {name: value for name, value in sample["properties"].items() if name.startswith(PREFIX)}
    values["duration_ms"] = (end_ns - first.start_wall_ns) // _MS_NS
    values["exit_status"] = min(statuses) if min(statuses) < 0 else max(statuses)
    return {**sample, "messageId": message_id, "timestamp": timestamp(end_ns), "properties": values}
