"""What only receivers of traces are told, declared as in `registry`: a run, and an event's place in its trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from make_metrics.properties.property import Property
from make_metrics.properties.registry import ENVELOPE, PROPERTIES

_OF_A_RUN = (
    "command_type",
    "duration_ms",
    "exit_status",
    "git_checked_out_master",
    "git_commit_time",
    "is_test",
    "start_time",
    "parallel",
    "event_version",
)

# A run itself is an event for them; it has these.
RUN: tuple[Property, ...] = tuple(entry for entry in PROPERTIES if entry.name in _OF_A_RUN)

# With each event: its place in the trace of its run.
TRACE: tuple[Property, ...] = (
    Property(
        name="traceId",
        kind="string",
        values="32 hexadecimal digits: the trace's that TRACEPARENT names, or else made from your id and the run",
        purpose="which events are of one run of make, and what started that",
        example="0af7651916cd43dd8448eb211c80319c",
        sources=("make_metrics/deliver/trace.py",),
        pattern=r"[0-9a-f]{32}",
    ),
    Property(
        name="spanId",
        kind="string",
        values="16 hexadecimal digits, the same when the same event is sent again",
        purpose="to count an event once",
        example="b7ad6b7169203331",
        sources=("make_metrics/deliver/trace.py",),
        pattern=r"[0-9a-f]{16}",
    ),
    Property(
        name="parentSpanId",
        kind="string",
        values="16 hexadecimal digits: the span's of the target that started make, of the run, or of TRACEPARENT",
        purpose="which target a make was started from, and what started the first one",
        example="00f067aa0ba902b7",
        sources=("make_metrics/deliver/trace.py",),
        always=False,
        pattern=r"[0-9a-f]{16}",
    ),
)


def check(message: Mapping[str, Any]) -> list[str]:
    """What may not be sent of a message's place in a trace, a line each; of a run, of the whole message.

    The rest of other messages is checked by `properties.registry` before they are given a place.
    """
    trace = message.get("trace")
    if not isinstance(trace, Mapping):
        return ["trace: is missing"]
    wrong = _check(trace, TRACE)
    if "command" not in message["properties"]:
        around = {name: value for name, value in message.items() if name not in ("properties", "trace")}
        wrong += _check(message["properties"], RUN) + _check(around, ENVELOPE)
    return wrong


def _check(given: Mapping[str, Any], declared: tuple[Property, ...]) -> list[str]:
    known = {entry.name: entry for entry in declared}
    wrong = [f"{name}: is not declared" for name in given if name not in known]
    for name, entry in known.items():
        if name not in given:
            wrong += [f"{name}: is missing"] if entry.always else []
        elif not entry.allows(given[name]):
            wrong.append(f"{name}: {entry.values}")
    return wrong
