"""The event: what one target did in one run, its properties and its envelope.

Names, meanings and units of the properties down to `start_time` are those of the devstack metrics specification, which
people have dashboards on; they do not drift.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from make_metrics.properties.property import Value

NAME = "make.target.run"
VERSION = 1
COMMAND_LIMIT = 50
_NAMESPACE = uuid.UUID("6b1f1d5e-52b5-5c54-9d0a-3c1d0c1a7f10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One target in one make process of one run.

    `message_id` is the same whenever the same event is made or sent again; `parent_id` is that of the target whose
    recipe started this make, or empty. Times are nanoseconds since the epoch and milliseconds, as named. `cpu_us` is
    the processor time of the target's own recipe lines, `peak_kib` the most memory that any program of them held (see
    `hot.record_format`); both are None when they are not known, or there are no such lines. `metrics` are the
    values of metrics that its project asks for, and its person has agreed to.
    """

    message_id: str
    parent_id: str
    run: str
    make: str
    target: str
    start_wall_ns: int
    duration_ms: int
    exit_status: int
    goal: bool
    recipe_ms: int
    recipe_lines: int
    make_level: int
    parallel: bool
    is_test: str = "no"
    git_checked_out_master: bool | None = None
    git_commit_time: str | None = None
    cpu_us: int | None = None
    peak_kib: int | None = None
    metrics: Mapping[str, Value] = field(default_factory=dict)


def message_id(run: str, make: str, target: str) -> str:
    """The id of a target's event, a version 5 UUID (RFC 9562, section 5.5) of where and what it is."""
    return str(uuid.uuid5(_NAMESPACE, f"{run}/{make}/{target}"))


def timestamp(wall_ns: int) -> str:
    """Nanoseconds since the epoch as ISO 8601, microseconds, UTC: `2021-05-17T19:44:09.105052+00:00`."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat(timespec="microseconds")


def properties(event: Event) -> dict[str, Any]:
    """The event's properties, with all its metrics; what is not known is left out, never guessed."""
    known: dict[str, Any] = {
        "command": event.target[:COMMAND_LIMIT],
        "command_type": "make",
        "duration_ms": event.duration_ms,
        "exit_status": event.exit_status,
        "git_checked_out_master": event.git_checked_out_master,
        "git_commit_time": event.git_commit_time,
        "is_test": event.is_test,
        "start_time": timestamp(event.start_wall_ns),
        "goal": event.goal,
        "recipe_ms": event.recipe_ms,
        "recipe_lines": event.recipe_lines,
        "make_level": event.make_level,
        "parallel": event.parallel,
        "event_version": VERSION,
    }
    more = {name: value for name, value in event.metrics.items() if name not in known}
    return {name: value for name, value in known.items() if value is not None} | more


def envelope(event: Event, *, anonymous_id: str | None = None, sent_at: str | None = None) -> dict[str, Any]:
    """The event as the Segment protocol's track call carries it; ids and sending time are null while it is local."""
    return {
        "event": NAME,
        "anonymousId": anonymous_id,
        "messageId": event.message_id,
        "timestamp": timestamp(event.start_wall_ns + event.duration_ms * 1_000_000),
        "sentAt": sent_at,
        "properties": properties(event),
    }
