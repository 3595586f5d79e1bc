"""The report: what each target cost, as JSON and as cells of a table. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from make_metrics.analysis.build import NO_LIMIT, UNKNOWN_JOBS
from make_metrics.combine.event import timestamp
from make_metrics.report.local_time import local_time
from make_metrics.report.table import Column
from make_metrics.store.questions.costs import Cost, Times

VERSION = 1
BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "12345678"
_TREND_DAYS = 14
_TIMES = ("total_ms", "median_ms", "p95_ms", "last_ms")
FIELDS = (
    "project", "directory", "level", "target", "goal", "runs", "failures", *_TIMES, *(f"own_{name}" for name in _TIMES),
    "cpu_ms", "peak_kib", "last_exit_status", "last_start", "flaky", "jobs", "days",
)  # fmt: skip


def record(cost: Cost) -> dict[str, Any]:
    """A target's row for programs. Times are milliseconds; those without `own` are a goal's with its prerequisites.

    `days` has for each day on which it was made the median of its own time.
    """
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
        "flaky": cost.trend.flaky,
        "jobs": cost.jobs,
        "days": [[day, _ms(median_us)] for day, median_us in cost.trend.days],
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


def table(costs: Iterable[Cost], *, bars: str = BARS) -> tuple[list[Column], list[list[str]]]:
    """Columns and rows for people. Columns that only distinguish targets of one name are there if they differ.

    So are those of failures that passed again, and of the trend if there are several days; `bars` draw it.
    """
    costs = list(costs)
    columns = [
        Column("target", shrinks=True),
        Column("goal"),
        Column("runs", number=True),
        Column("failed", number=True, alarm=True),
        Column("own", number=True),
        Column("median", number=True),
        Column("p95", number=True, dropped=5),
        Column("last", number=True, dropped=4),
        Column("whole", number=True, dropped=1),
        Column("when", dropped=8),
        Column("cpu", number=True, dropped=6),
        Column("memory", number=True, dropped=7),
    ]
    rows = [_cells(cost) for cost in costs]
    if any(len(cost.trend.days) > 1 for cost in costs):
        columns.append(Column("trend", dropped=3))
        rows = [[*row, _trend(cost, bars)] for row, cost in zip(rows, costs, strict=True)]
    if any(cost.trend.flaky for cost in costs):
        columns.append(Column("flaky", number=True, alarm=True, dropped=2))
        rows = [[*row, str(cost.trend.flaky)] for row, cost in zip(rows, costs, strict=True)]
    if any(cost.jobs is not None for cost in costs):
        columns.append(Column("jobs"))
        rows = [
            [*row, "" if cost.jobs is None else jobs_text(cost.jobs)] for row, cost in zip(rows, costs, strict=True)
        ]
    for heading, values in (
        ("level", [str(cost.level) for cost in costs]),
        ("directory", [cost.directory for cost in costs]),
        ("project", [cost.project for cost in costs]),
    ):
        if len(set(values)) > 1:
            number = heading == "level"
            columns.append(Column(heading, number=number, shrinks=not number, dropped=9 if number else 0))
            rows = [[*row, value] for row, value in zip(rows, values, strict=True)]
    return columns, rows


def _cells(cost: Cost) -> list[str]:
    last = local_time(cost.last_start_ns)
    own = cost.own
    times = [duration(_ms(us)) for us in (own.total_us, own.median_us, own.p95_us, own.last_us)]
    whole = duration(_ms(cost.whole.median_us)) if cost.goal else ""
    cpu = "" if cost.cpu_us is None else duration(_ms(cost.cpu_us))
    memory = "" if cost.peak_kib is None else size(cost.peak_kib)
    return [
        cost.target, "goal" if cost.goal else "", str(cost.runs), str(cost.failures), *times, whole, last, cpu, memory
    ]  # fmt: skip


def _trend(cost: Cost, bars: str) -> str:
    return sparkline([median_us for _, median_us in cost.trend.days[-_TREND_DAYS:]], bars)


def sparkline(values: Sequence[float], bars: str = BARS) -> str:
    """A bar for each value, the highest for the largest one; none for values that are all 0."""
    largest = max(values, default=0)
    heights = [math.ceil(value * len(bars) / largest) if largest > 0 else 0 for value in values]
    return "".join(bars[max(0, height - 1)] for height in heights)


def size(kib: int) -> str:
    """An amount of memory for people: `900KiB`, `3.1MiB`, `120MiB`, `2.5GiB`."""
    if kib < 1_000:
        return f"{kib}KiB"
    number, unit = (kib / 1024, "MiB") if kib < 1_000 * 1024 else (kib / 1024**2, "GiB")
    return f"{number:.1f}{unit}" if number < 99.95 else f"{number:.0f}{unit}"


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


def jobs_text(jobs: int) -> str:
    """A number of jobs as it is given to make."""
    return "-j" if jobs == NO_LIMIT else "jobs unknown" if jobs == UNKNOWN_JOBS else f"-j{jobs}"
