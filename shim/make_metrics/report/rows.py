"""The report: one row per target, made from events. Pure.

A row's key is the project (the directory of the run's first make), the directory and level of the target's own make,
and the target's name. So if another make builds a library, the library's `all` is a row beside the project's `all`.

The rows do not add up: a goal's time includes its prerequisites', and the time of a target that starts another make
includes that make. So there is no grand total, here or anywhere.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from make_metrics.combine.event import Event, timestamp
from make_metrics.combine.summary import StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a target cost. Times are milliseconds and include the target's prerequisites, see the module.

    `directory` is its make's, relative to the project's if it is inside. `goal`: it was a goal of make at least once.
    `failures` counts runs whose status was not 0. `last_start` is ISO 8601.
    """

    project: str
    directory: str
    level: int
    target: str
    goal: bool
    runs: int
    failures: int
    total_ms: int
    median_ms: int
    p95_ms: int
    last_ms: int
    last_exit_status: int
    last_start: str


def _row(key: tuple[str, str, int, str], events: list[Event]) -> Row:
    project, directory, level, target = key
    durations = sorted(event.duration_ms for event in events)
    last = max(events, key=lambda event: (event.start_wall_ns, event.message_id))
    return Row(
        project=project,
        directory=directory,
        level=level,
        target=target,
        goal=any(event.goal for event in events),
        runs=len(events),
        failures=sum(event.exit_status != 0 for event in events),
        total_ms=sum(durations),
        median_ms=round(statistics.median(durations)),
        p95_ms=durations[math.ceil(len(durations) * 0.95) - 1],  # the nearest-rank method: one of the durations
        last_ms=last.duration_ms,
        last_exit_status=last.exit_status,
        last_start=timestamp(last.start_wall_ns),
    )


def _relative(project: str, directory: str) -> str:
    """A directory relative to the project's if it is inside, else unchanged."""
    if directory in ("", project):
        return "."
    return directory.removeprefix(project.rstrip("/") + "/") if project else directory


def rows(events: Iterable[StoredEvent]) -> list[Row]:
    """One row per target, the most expensive first."""
    groups: dict[tuple[str, str, int, str], list[Event]] = {}
    for stored in events:
        directory = _relative(stored.run_directory, stored.make_directory)
        key = (stored.run_directory, directory, stored.event.make_level, stored.event.target)
        groups.setdefault(key, []).append(stored.event)
    targets = [_row(key, group) for key, group in groups.items()]
    return sorted(targets, key=lambda row: (-row.total_ms, row.project, row.level, row.directory, row.target))


def document(targets: Iterable[Row], *, since_ns: int | None) -> dict[str, Any]:
    """The report as a JSON document; `since` is null if the report is about all stored events."""
    return {
        "version": 1,
        "since": None if since_ns is None else timestamp(since_ns),
        "targets": [asdict(row) for row in targets],
    }


def duration(ms: int) -> str:
    """A duration for people: `12ms`, `1.25s`, `2m05s`, `1h02m`."""
    if ms < 1_000:
        return f"{ms}ms"
    if ms < 59_995:
        return f"{ms / 1000:.2f}s"
    seconds = (ms + 500) // 1_000
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    minutes = (seconds + 30) // 60
    return f"{minutes // 60}h{minutes % 60:02d}m"
