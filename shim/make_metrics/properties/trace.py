"""Properties that only receivers of traces get: those of the run itself, and an event's place in the run's trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from make_metrics.properties.property import Property
from make_metrics.properties.registry import ENVELOPE, PROPERTIES, check_values

_RUN_NAMES = (
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

# The properties of the run itself, which is an event in a trace.
RUN: tuple[Property, ...] = tuple(entry for entry in PROPERTIES if entry.name in _RUN_NAMES)

# The place of an event in its run's trace.
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


def check(message: Mapping[str, Any], labels: Sequence[Property] = ()) -> list[str]:
    """Why a message with a trace may not be sent, one line for each reason; empty if it may.

    Only the trace of a target's message is checked: `registry.check` has seen the rest. A run's message is checked
    whole: it has the project's `labels` as well.
    """
    trace = message.get("trace")
    if not isinstance(trace, Mapping):
        return ["trace: is missing"]
    problems = check_values(trace, TRACE)
    if "command" not in message["properties"]:
        envelope = {name: value for name, value in message.items() if name not in ("properties", "trace")}
        problems += check_values(message["properties"], (*RUN, *labels)) + check_values(envelope, ENVELOPE)
    return problems
