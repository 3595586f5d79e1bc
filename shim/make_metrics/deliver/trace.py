"""A run as a trace: which span each event is, below which other, and the span of the run itself. Pure.

Ids are made from ids that are stable, so that what is sent twice has the same ones. They are made with the project's
pseudonymous id, so that the collectors of two projects cannot match what one run of make did in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from make_metrics.combine.event import Event, message_id, properties, timestamp
from make_metrics.deliver import traceparent
from make_metrics.properties.trace import RUN

_MS_NS = 1_000_000


def run_id(run: str, anonymous_id: str) -> str:
    """The message id of a run itself, in a project."""
    return message_id(run, anonymous_id, "")


def span_id(message: str, anonymous_id: str) -> str:
    """The id of a message's span: 16 hexadecimal digits."""
    return hashlib.sha256(f"span {anonymous_id} {message}".encode()).hexdigest()[:16]


def trace_id(run: str, anonymous_id: str) -> str:
    """The id of the trace of a run that joins none: 32 hexadecimal digits."""
    return hashlib.sha256(f"trace {anonymous_id} {run}".encode()).hexdigest()[:32]


def traced(events: Sequence[Event], made: Mapping[str, Mapping[str, Any]], *, joins: str = "") -> list[dict[str, Any]]:
    """The messages of one run in one project, each with its place in the run's trace, and one for the run itself.

    `events` are all of the run, `made` the messages of those that are sent to that project, by id. `joins` is the value
    of TRACEPARENT when make was started.
    """
    if not made:
        return []
    run, anonymous_id = events[0].run, str(next(iter(made.values()))["anonymousId"])
    joined = traceparent.parts(joins)
    trace = joined[0] if joined else trace_id(run, anonymous_id)
    root = run_id(run, anonymous_id)
    above = {event.message_id: event.parent_id for event in events}
    makes = {event.make for event in events if event.message_id in made}
    own = [event for event in events if event.make in makes]

    def place(message: str, parent: str) -> dict[str, str]:
        found = {"traceId": trace, "spanId": span_id(message, anonymous_id)}
        return {**found, "parentSpanId": parent} if parent else found

    found = [_run(own, next(iter(made.values())), root) | {"trace": place(root, joined[1] if joined else "")}]
    for message in made.values():
        parent = _sent_above(str(message["messageId"]), above, made) or root
        found.append({**message, "trace": place(str(message["messageId"]), span_id(parent, anonymous_id))})
    return found


def _sent_above(message: str, above: Mapping[str, str], made: Iterable[str]) -> str:
    """The nearest message above one that is sent, empty if none is: a target that is a file stays here."""
    seen = {message}
    parent = above.get(message, "")
    while parent and parent not in made and parent not in seen:
        seen.add(parent)
        parent = above.get(parent, "")
    return parent if parent in made and parent not in seen else ""


def _run(events: Sequence[Event], like: Mapping[str, Any], root: str) -> dict[str, Any]:
    """The run's own message: from the start of its first event to the end of its last, and what make ended with.

    `events` are those of the makes of which anything is sent: another project's are none of this one's business.
    """
    first = min(events, key=lambda event: (event.start_wall_ns, event.make_level))
    end_ns = max(event.start_wall_ns + event.duration_ms * _MS_NS for event in events)
    top = min(event.make_level for event in events)
    asked = [event for event in events if event.goal] or [event for event in events if event.make_level == top]
    statuses = [event.exit_status for event in asked]
    known = {entry.name for entry in RUN}
    own = {name: value for name, value in properties(first).items() if name in known}
    own["duration_ms"] = (end_ns - first.start_wall_ns) // _MS_NS
    own["exit_status"] = min(statuses) if min(statuses) < 0 else max(statuses)
    return {**like, "messageId": root, "timestamp": timestamp(end_ns), "properties": own}
