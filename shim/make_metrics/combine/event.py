"""The event: what one target did in one run, its properties and its envelope.

The properties down to `start_time` have the names, meanings and units of the devstack metrics specification. Dashboards
are built on them, so they never change.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from make_metrics.dataclass import dataclass, field
from make_metrics.properties.property import Value

NAME = "make.target.run"
VERSION = 2
COMMAND_LIMIT = 50
_NAMESPACE = uuid.UUID("6b1f1d5e-52b5-5c54-9d0a-3c1d0c1a7f10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One target in one make process of one run.

    `message_id` stays the same when the run is combined or the event is sent again. `parent_id` is the message id of
    the target whose recipe started this make, empty for the top make. `start_wall_ns` is nanoseconds since the epoch.

    `cpu_us` is the processor time of the target's own recipe lines in microseconds, `peak_kib` the most memory that
    any of their programs held (see `hot.record_format`). Both are None if unknown, or if there are no such lines.
    `metrics` are the optional metrics that the project asks for and the person has agreed to, by name.
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
    """The id of a target's event: a version 5 UUID (RFC 9562, section 5.5) of its run, make and target."""
    return str(uuid.uuid5(_NAMESPACE, f"{run}/{make}/{target}"))


def run_id(run: str, anonymous_id: str) -> str:
    """The id of a run in a project. It is made from the person's id there, so that two projects cannot match theirs."""
    return message_id(run, anonymous_id, "")


def timestamp(wall_ns: int) -> str:
    """Nanoseconds since the epoch as ISO 8601 in UTC, with microseconds: `2021-05-17T19:44:09.105052+00:00`."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat(timespec="microseconds")


def properties(event: Event, *, anonymous_id: str = "") -> dict[str, Any]:
    """The event's properties and all its metrics. Unknown values are left out, never guessed."""
    values: dict[str, Any] = {
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
        "run_id": run_id(event.run, anonymous_id),
        "parent_id": event.parent_id or None,
        "event_version": VERSION,
    }
    metrics = {name: value for name, value in event.metrics.items() if name not in values}
    return {name: value for name, value in values.items() if value is not None} | metrics


def envelope(event: Event, *, anonymous_id: str | None = None, sent_at: str | None = None) -> dict[str, Any]:
    """The event as a track call of the Segment protocol. A local event has no id of a person and no sending time."""
    return {
        "event": NAME,
        "anonymousId": anonymous_id,
        "messageId": event.message_id,
        "timestamp": timestamp(event.start_wall_ns + event.duration_ms * 1_000_000),
        "sentAt": sent_at,
        "properties": properties(event, anonymous_id=anonymous_id or ""),
    }
