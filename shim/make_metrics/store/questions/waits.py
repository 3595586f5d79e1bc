"""How long people waited for make, day by day or week by week, and for what."""

from __future__ import annotations

import sqlite3
from datetime import date

from make_metrics.dataclass import dataclass, field
from make_metrics.store.compact.texts import names_of
from make_metrics.store.questions.selection import Selection, glob

_CHOSEN = """
WITH chosen AS MATERIALIZED (
    SELECT number, goals, exit_status, duration_ms, date(started_ns / 1000000000, 'unixepoch', 'localtime') AS day
    FROM builds WHERE {runs}
)"""
_RUNS = """
SELECT day, text, count(*), sum(exit_status != 0), sum(duration_ms)
FROM chosen LEFT JOIN texts ON texts.id = goals WHERE day IS NOT NULL GROUP BY day, goals
"""
_TARGETS = """
SELECT day, text, sum(max(span_us - idle_us, 0)) FROM (
    SELECT chosen.day, targets.name, targets.span_us, targets.idle_us
    FROM chosen CROSS JOIN targets ON targets.build = chosen.number WHERE targets.lines > 0 AND day IS NOT NULL {named}
) JOIN texts ON texts.id = name GROUP BY day, name
"""
_NAMED = "AND targets.name IN (SELECT id FROM texts WHERE text GLOB ?)"


@dataclass(slots=True)
class Wait:
    """A day (`2026-01-31`, in local time) or an ISO week (`2026-W05`) in which make was run.

    `waited_ms` is the duration of its runs added up; runs at the same time count each. `goals` has the milliseconds of
    the runs that had these goals, `targets` the microseconds of each target's own lines; what took longest comes first.
    """

    period: str
    runs: int = 0
    failures: int = 0
    waited_ms: int = 0
    goals: dict[str, int] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)


def waits(
    connection: sqlite3.Connection, selection: Selection, *, by: str, target: str = "", failed: bool = False
) -> list[Wait]:
    """A row for each day or week (`by`) in which a run of the selection began, in their order.

    `target` is a pattern of the targets that are listed, empty for all; `failed`: only runs that failed. Raises
    sqlite3.Error.
    """
    condition, values = selection.begun()
    chosen = _CHOSEN.format(runs=f"{condition} AND builds.exit_status != 0" if failed else condition)
    by_period: dict[str, Wait] = {}
    for day, goals, runs, failures, waited_ms in connection.execute(chosen + _RUNS, values):
        period = _period(day, by)
        wait = by_period.setdefault(period, Wait(period))
        wait.runs += runs
        wait.failures += failures
        wait.waited_ms += waited_ms
        name = _goals(goals)
        wait.goals[name] = wait.goals.get(name, 0) + waited_ms
    query = chosen + _TARGETS.format(named=_NAMED if target else "")
    for day, name, own_us in connection.execute(query, [*values, glob(target)] if target else values):
        targets = by_period.setdefault(_period(day, by), Wait(_period(day, by))).targets
        targets[name] = targets.get(name, 0) + own_us
    for wait in by_period.values():
        wait.goals, wait.targets = _longest_first(wait.goals), _longest_first(wait.targets)
    return [by_period[period] for period in sorted(by_period)]


def _longest_first(times: dict[str, int]) -> dict[str, int]:
    return dict(sorted(times.items(), key=lambda item: (-item[1], item[0])))


def _period(day: str, by: str) -> str:
    if by == "day":
        return day
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02}"


def _goals(text: str | None) -> str:
    """The goals of a run as a text; `-` if it has none."""
    return " ".join(names_of(text)) or "-"
