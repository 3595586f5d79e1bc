"""What the store returns: a summary of each run, and each event with its directories."""

from __future__ import annotations

from collections.abc import Sequence

from make_metrics.combine.event import Event
from make_metrics.combine.record import Make
from make_metrics.combine.run import Run, milliseconds
from make_metrics.dataclass import dataclass

_BEFORE_LIMIT_NS = 7 * 86_400_000_000_000  # a clock that was set meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One run.

    `started_ns` is nanoseconds since the epoch. `exit_status` is the most severe one of the run's goals: a signal (a
    negative number), else the highest failure, else 0. `duration_ms` is from make's start to the end of the last recipe
    line, `before_ms` the part of it before the first one: make reads makefiles then. If make's start is unknown,
    `duration_ms` begins with the first line, and `before_ms` is None. `torn` is how many entries could not be read.
    `jobs` is how many recipes ran at once, 0 for no limit, -1 if unknown. The texts are empty if unknown; `commit` and
    `branch` are those that were checked out.
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
    before_ms: int | None = None
    jobs: int = -1
    commit: str = ""
    branch: str = ""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with the directories in which the run's top make and the event's own make ran; empty if unknown."""

    event: Event
    run_directory: str
    make_directory: str


def top_make(run: Run) -> Make:
    """The make that the developer started. Nothing but its key is known if the record lacks its header."""
    return run.makes.get(run.id) or Make(key=run.id)


def before_first_line_ns(run: Run) -> int | None:
    """How long make worked before its first recipe line: nanoseconds; None if its start, or a line's, is unknown."""
    top_ns = top_make(run).wall_ns
    if not top_ns or not run.work:
        return None
    first = min(run.work.values(), key=lambda work: (work.start_ns, work.wall_ns))
    return min(max(first.wall_ns - top_ns, 0), _BEFORE_LIMIT_NS)


def summarise(run: Run, events: Sequence[Event], *, fallback_ns: int) -> Summary:
    """The summary of a run; `fallback_ns` is its start if neither its make nor any line has a time."""
    top = top_make(run)
    goals = [event for event in events if event.goal] or [event for event in events if not event.make_level]
    statuses = [event.exit_status for event in goals]
    works = run.work.values()
    span_ns = max(work.final.end_ns for work in works) - min(work.start_ns for work in works) if works else 0
    before_ns = before_first_line_ns(run)
    return Summary(
        id=run.id,
        started_ns=top.wall_ns or min((event.start_wall_ns for event in events), default=fallback_ns),
        directory=top.directory,
        goals=top.goals or tuple(event.target for event in events if event.goal),
        exit_status=min(statuses, default=0) if any(status < 0 for status in statuses) else max(statuses, default=0),
        duration_ms=milliseconds((before_ns or 0) + span_ns),
        targets=len(events),
        make_version=top.version,
        torn=run.torn,
        before_ms=None if before_ns is None else milliseconds(before_ns),
        jobs=top.jobs,
        commit=top.head,
        branch=top.branch,
    )
