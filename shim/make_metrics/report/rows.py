"""The report: what each target cost, as JSON and as cells of a table. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from make_metrics.combine.event import timestamp
from make_metrics.report.table import Column
from make_metrics.store.questions.costs import Cost, Times

VERSION = 1
_TIMES = ("total_ms", "median_ms", "p95_ms", "last_ms")
FIELDS = (
    "project", "directory", "level", "target", "goal", "runs", "failures", *_TIMES, *(f"own_{name}" for name in _TIMES),
    "cpu_ms", "peak_kib", "last_exit_status", "last_start",
)  # fmt: skip


def record(cost: Cost) -> dict[str, Any]:
    """A target's row for programs. Times are milliseconds; those without `own` are a goal's with its prerequisites."""
    whole, own = (_milliseconds(times) for times in (cost.whole, cost.own))
    return {
        "project": cost.project,
        "directory": cost.directory,
        "level": cost.level,
        "target": cost.target,
        "goal": cost.goal,
        "runs": cost.runs,
        "failures": cost.failures,
        **whole,
        **{f"own_{name}": value for name, value in own.items()},
        "cpu_ms": None if cost.cpu_us is None else _ms(cost.cpu_us),
        "peak_kib": cost.peak_kib,
        "last_exit_status": cost.last_exit_status,
        "last_start": timestamp(cost.last_start_ns),
    }


def document(targets: Iterable[Cost], *, since_ns: int | None, until_ns: int | None, project: str) -> dict[str, Any]:
    """The report as a JSON document. `since`, `until` and `project` are null where the report is about all."""
    return {
        "version": VERSION,
        "since": None if since_ns is None else timestamp(since_ns),
        "until": None if until_ns is None else timestamp(until_ns),
        "project": project or None,
        "targets": [record(cost) for cost in targets],
    }


def table(costs: Iterable[Cost]) -> tuple[list[Column], list[list[str]]]:
    """Columns and rows for people. Columns that only distinguish targets of one name are there if they differ."""
    costs = list(costs)
    columns = [
        Column("target", shrinks=True),
        Column("goal"),
        Column("runs", number=True),
        Column("failed", number=True, alarm=True),
        Column("own", number=True),
        Column("median", number=True),
        Column("p95", number=True, dropped=2),
        Column("last", number=True, dropped=1),
        Column("whole", number=True),
        Column("when", dropped=3),
    ]
    rows = [_cells(cost) for cost in costs]
    for heading, values in (
        ("level", [str(cost.level) for cost in costs]),
        ("directory", [cost.directory for cost in costs]),
        ("project", [cost.project for cost in costs]),
    ):
        if len(set(values)) > 1:
            number = heading == "level"
            columns.append(Column(heading, number=number, shrinks=not number, dropped=4 if number else 0))
            rows = [[*row, value] for row, value in zip(rows, values, strict=True)]
    return columns, rows


def _cells(cost: Cost) -> list[str]:
    last = datetime.fromisoformat(timestamp(cost.last_start_ns)).astimezone().strftime("%Y-%m-%d %H:%M")
    own = cost.own
    times = [duration(_ms(us)) for us in (own.total_us, own.median_us, own.p95_us, own.last_us)]
    whole = duration(_ms(cost.whole.median_us)) if cost.goal else ""
    return [cost.target, "goal" if cost.goal else "", str(cost.runs), str(cost.failures), *times, whole, last]


def _milliseconds(times: Times) -> dict[str, int]:
    values = (times.total_us, times.median_us, times.p95_us, times.last_us)
    return {name: _ms(us) for name, us in zip(_TIMES, values, strict=True)}


def _ms(us: int) -> int:
    return (us + 500) // 1_000


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
