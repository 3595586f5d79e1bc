"""What each target cost over many runs, computed by SQLite: no event becomes an object of Python."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from make_metrics.dataclass import dataclass
from make_metrics.store.questions.selection import ORDER, Selection, glob
from make_metrics.store.questions.trends import NO_TREND, QUERY, Trend, trends

# A place is a project (the directory of the run's first make) with the directory and level of the target's own make. A
# key is a target's name, its place, and whether it was a goal: so the times of a goal are never mixed with those of the
# same target as a prerequisite of another one. It is one integer, which SQLite sorts faster than five.
_PLACES = """chosen AS MATERIALIZED (
    SELECT number, started_ns, {order} AS position, directory, commit_id, {jobs} AS jobs,
        CAST(strftime('%Y%m%d', started_ns / 1000000000, 'unixepoch', 'localtime') AS INTEGER) AS day
    FROM builds WHERE {runs}
), placed AS MATERIALIZED (
    SELECT build, number, project, directory, level, jobs, started_ns, position, commit_id, day,
        dense_rank() OVER (ORDER BY project, directory, level, jobs) << 1 AS key_part
    FROM (
        SELECT makes.build, makes.number, chosen.directory AS project,
            CASE WHEN makes.directory = 0 THEN chosen.directory ELSE makes.directory END AS directory, makes.level,
            chosen.jobs, chosen.started_ns, chosen.position, chosen.commit_id, chosen.day
        FROM chosen CROSS JOIN makes ON makes.build = chosen.number
    )
)"""
_MADE = """places AS MATERIALIZED (
    SELECT DISTINCT key_part, project, directory, level, jobs FROM placed
), made AS MATERIALIZED (
    SELECT placed.key_part | (targets.name << 21) | (targets.goal != 0) AS key,
        max(targets.span_us - targets.idle_us, 0) AS own_us,
        max(coalesce(1000 * targets.whole_ms, targets.span_us), 0) AS whole_us,
        targets.exit_status AS exit_status,
        placed.started_ns + 1000 * (targets.start_us - targets.lead_us) AS start_ns,
        targets.cpu_us AS cpu_us,
        targets.peak_kib AS peak_kib
    FROM placed CROSS JOIN targets ON targets.build = placed.build AND targets.make = placed.number
    WHERE placed.started_ns + 1000 * (targets.start_us - targets.lead_us) BETWEEN ? AND ? {named}
), sums AS MATERIALIZED (
    SELECT key, count(*) AS count, sum(exit_status != 0) AS failures, sum(cpu_us) AS cpu_us, max(peak_kib) AS peak_kib,
        sum(own_us) AS own_total, sum(whole_us) AS whole_total, max(own_us != whole_us) AS differ
    FROM made GROUP BY key {having}
), last AS (
    SELECT key, own_us, whole_us, exit_status, max(start_ns) AS start_ns FROM made GROUP BY key
)"""
# Of an even number of values the median is the mean of the two in the middle; the 95th percentile is one of the values
# (nearest rank), so that it is a time that was measured.
_MIDDLE = """{which}_times AS (
    SELECT key,
        avg(CASE WHEN place IN ((count + 1) / 2, count / 2 + 1) THEN value END) AS median,
        max(CASE WHEN place = (95 * count + 99) / 100 THEN value END) AS p95
    FROM (
        SELECT key, {which}_us AS value, row_number() OVER (PARTITION BY key ORDER BY {which}_us) AS place FROM made
        {where}
    ) JOIN sums USING (key) GROUP BY key
)"""
_DIFFERENT = "WHERE key IN (SELECT key FROM sums WHERE differ)"
# The columns of `last` without an aggregate are those of the row with the maximum (SQLite, "Bare columns").
_SHOWN = """
SELECT sums.key, places.jobs, coalesce(project_text.text, ''), coalesce(directory_text.text, ''), places.level,
    name_text.text, sums.key & 1, sums.count, sums.failures, sums.cpu_us, sums.peak_kib,
    own_total, own_times.median, own_times.p95, last.own_us,
    whole_total, coalesce(whole_times.median, own_times.median), coalesce(whole_times.p95, own_times.p95),
    last.whole_us, last.exit_status, last.start_ns
FROM sums JOIN own_times USING (key) LEFT JOIN whole_times USING (key) JOIN last USING (key)
    JOIN places ON places.key_part = sums.key & 2097150
    LEFT JOIN texts AS project_text ON project_text.id = places.project
    LEFT JOIN texts AS directory_text ON directory_text.id = places.directory
    JOIN texts AS name_text ON name_text.id = sums.key >> 21
"""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of a target over its runs, in microseconds; the median and the 95th percentile (nearest rank)."""

    total_us: int
    median_us: int
    p95_us: int
    last_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a target cost, as a goal or as a prerequisite of others.

    `own` are the times of its recipe lines, with the makes that they start. `whole` are those of a goal with its
    prerequisites, and of other targets from their first line to the end of the last. `directory` is its make's,
    relative to the project's if it is inside. `failures` counts runs whose status was not 0. `cpu_us` is the sum of its
    lines' processor times, `peak_kib` the most memory that one program held; None if unknown. `jobs` is the number of
    jobs of its runs, None where all numbers are one row.
    """

    project: str
    directory: str
    level: int
    target: str
    goal: bool
    runs: int
    failures: int
    own: Times
    whole: Times
    cpu_us: int | None
    peak_kib: int | None
    last_exit_status: int
    last_start_ns: int
    jobs: int | None = None
    trend: Trend = NO_TREND


SORTS: dict[str, Callable[[Cost], int]] = {
    "own": lambda cost: -cost.own.total_us,
    "whole": lambda cost: -cost.whole.total_us,
    "median": lambda cost: -cost.own.median_us,
    "p95": lambda cost: -cost.own.p95_us,
    "last": lambda cost: -cost.own.last_us,
    "runs": lambda cost: -cost.runs,
    "failed": lambda cost: -cost.failures,
    "cpu": lambda cost: -(cost.cpu_us or 0),
    "flaky": lambda cost: -cost.trend.flaky,
    "memory": lambda cost: -(cost.peak_kib or 0),
    "when": lambda cost: -cost.last_start_ns,
    "name": lambda _: 0,
}


def costs(
    connection: sqlite3.Connection, selection: Selection, *, target: str = "", failed: bool = False, sort: str = "own",
    each_jobs: bool = False,
) -> list[Cost]:  # fmt: skip
    """One row for each target, and for each of its two roles; the one that comes first by `sort` first.

    `target` is a pattern of names (`*`, `?`, `[...]`), empty for all. `failed`: only what failed at least once. `sort`
    is a key of SORTS. `each_jobs`: a row for each number of jobs. Raises sqlite3.Error.
    """
    runs, values = selection.runs()
    named = "AND targets.name IN (SELECT id FROM texts WHERE text GLOB ?)" if target else ""
    places = _PLACES.format(runs=runs, order=ORDER, jobs="jobs" if each_jobs else "NULL")
    parts = [
        places,
        _MADE.format(named=named, having="HAVING failures > 0" if failed else ""),
        _MIDDLE.format(which="own", where=""),
        _MIDDLE.format(which="whole", where=_DIFFERENT),
    ]
    values += [selection.since_ns // 1000 * 1000, selection.until_ns - 1]
    if target:
        values.append(glob(target))
    connection.execute("BEGIN")  # both queries see the same runs, and so the same keys
    try:
        rows = connection.execute(f"WITH {', '.join(parts)}{_SHOWN}", values).fetchall()
        changed = trends(connection.execute(f"WITH {places}{QUERY.format(named=named)}", values)) if rows else {}
    finally:
        connection.execute("ROLLBACK")
    return sorted(
        (_cost(row, changed.get(row[0], NO_TREND)) for row in rows),
        key=lambda cost: (SORTS[sort](cost), cost.target, cost.project, cost.level, cost.directory, cost.goal),
    )


def _cost(row: tuple[Any, ...], trend: Trend) -> Cost:
    _, jobs, project, directory, level, target, goal, runs, failures, cpu_us, peak_kib, *times, status, start_ns = row
    numbers = [round(value) for value in times]
    return Cost(
        project=str(project),
        directory=relative(str(project), str(directory)),
        level=level,
        target=str(target),
        goal=bool(goal),
        runs=runs,
        failures=failures,
        own=Times(*numbers[:4]),
        whole=Times(*numbers[4:]),
        cpu_us=cpu_us,
        peak_kib=peak_kib,
        last_exit_status=status,
        last_start_ns=start_ns,
        jobs=jobs,
        trend=trend,
    )


def relative(project: str, directory: str) -> str:
    """A directory relative to the project's if it is inside, else unchanged."""
    if directory in ("", project):
        return "."
    return directory.removeprefix(project.rstrip("/") + "/") if project else directory
