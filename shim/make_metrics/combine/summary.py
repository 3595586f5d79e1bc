"""What the store keeps and gives back: a summary of each run, and events with the place they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from make_metrics.combine.event import Event
from make_metrics.combine.record import Make
from make_metrics.combine.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One run. `started_ns` is in nanoseconds since the epoch; `torn` counts entries that could not be read.

    `exit_status` is the gravest of its goals: a signal (negative) before the highest failure before 0. `duration_ms` is
    from the start of its first recipe line to the end of its last. `directory` and `make_version` may be empty.
    """

    id: str
    started_ns: int
    directory: str
    goals: tuple[str, ...]
    exit_status: int
    duration_ms: int
    targets: int
    make_version: str
    torn: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An event with its run's directory and its make's own; both may be empty."""

    event: Event
    project: str
    directory: str


def top(run: Run) -> Make:
    """The make that the developer started: its header, or one without any facts."""
    return run.makes.get(run.id) or Make(key=run.id)


def summarise(run: Run, events: Sequence[Event], *, fallback_ns: int) -> Summary:
    """What a run comes to; `fallback_ns` is when it started if neither its make nor any line says so."""
    first = top(run)
    asked = [event for event in events if event.goal] or [event for event in events if not event.make_level]
    statuses = [event.exit_status for event in asked]
    works = run.work.values()
    span_ns = max(work.final.end_ns for work in works) - min(work.start_ns for work in works) if works else 0
    return Summary(
        id=run.id,
        started_ns=first.wall_ns or min((event.start_wall_ns for event in events), default=fallback_ns),
        directory=first.directory,
        goals=first.goals or tuple(event.target for event in events if event.goal),
        exit_status=min(statuses, default=0) if any(status < 0 for status in statuses) else max(statuses, default=0),
        duration_ms=(span_ns + 500_000) // 1_000_000,
        targets=len(events),
        make_version=first.version,
        torn=run.torn,
    )
