"""One run, put together from its events as a `Build`; and the latest runs, for who may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, text

from make_metrics.analysis.build import UNKNOWN_JOBS, Build, BuiltTarget, MakeProcess
from make_metrics.server.pages.questions.scope import Scope, names_of
from make_metrics.server.storage.tables import DAY_US, EVENTS

MOST_EVENTS = 20_000
_LATEST = 50
_COLUMNS = (
    EVENTS.c.message_id, EVENTS.c.started_us, EVENTS.c.target, EVENTS.c.own_ms, EVENTS.c.whole_ms, EVENTS.c.status,
    EVENTS.c.goal, EVENTS.c.level, EVENTS.c.jobs, EVENTS.c.parent, EVENTS.c.commit_s,
)  # fmt: skip


class LatestRun(NamedTuple):
    """A run in a list: its id, and when its first event began (microseconds since 1970).

    Target, duration (milliseconds) and exit status are the goal's, or the first target's where no goal is known.
    """

    run: str
    started_us: int
    target: str
    whole_ms: int
    status: int
    events: int


def run_of(connection: Connection, project: int, run: str) -> Build | None:
    """A run as a build; None if there is none of this id. At most `MOST_EVENTS` events.

    A goal's event says when make began to work towards it, and how long that took. Its own recipe's time is drawn at
    the end, as make runs it last.
    """
    rows = connection.execute(
        select(*_COLUMNS)
        .where(EVENTS.c.project == project, EVENTS.c.run == run)
        .order_by(EVENTS.c.started_us, EVENTS.c.message_id)
        .limit(MOST_EVENTS)
    ).all()
    if not rows:
        return None
    return build_of(run, rows, names_of(connection, project, {row.target for row in rows}))


def build_of(run: str, rows: Sequence[Any], names: Mapping[int, str]) -> Build:
    """The build that these rows of EVENTS tell of."""
    name_of = {str(row.message_id): names.get(row.target, "") for row in rows}
    start_us = min(row.started_us for row in rows)
    numbers: dict[tuple[int, str], int] = {(0, ""): 0}  # a make by its level and the event that started it
    for row in sorted(rows, key=lambda row: row.level or 0):
        numbers.setdefault(_make(row), len(numbers))
    make_of = {str(row.message_id): numbers[_make(row)] for row in rows}
    goals: dict[int, list[str]] = {number: [] for number in numbers.values()}
    jobs: dict[int, int] = {}
    for row in rows:
        number = numbers[_make(row)]
        if row.goal:
            goals[number].append(names.get(row.target, ""))
        if row.jobs is not None:
            jobs.setdefault(number, row.jobs)
    makes = tuple(
        MakeProcess(
            number=number,
            parent=make_of.get(parent, 0) if number else None,
            parent_target=name_of.get(parent, ""),
            level=level,
            goals=tuple(goals[number]),
            jobs=jobs.get(number, UNKNOWN_JOBS),
        )
        for (level, parent), number in numbers.items()
    )
    targets = sorted(
        (_target(row, numbers[_make(row)], names.get(row.target, ""), start_us) for row in rows),
        key=lambda target: (target.start_us, -target.end_us),
    )
    top = [row for row in rows if row.goal and not row.level] or rows
    end_us = max(row.started_us + (row.whole_ms or 0) * 1_000 for row in rows)
    return Build(
        id=run,
        started_ns=start_us * 1_000,
        duration_us=end_us - start_us,
        status=next((row.status for row in top if row.status), 0),
        makes=makes,
        targets=tuple(targets),
    )


def _make(row: Row[Any]) -> tuple[int, str]:
    return (row.level or 0, str(row.parent or "")) if row.level else (0, "")


def _target(row: Row[Any], make: int, name: str, start_us: int) -> BuiltTarget:
    end_us = row.started_us - start_us + (row.whole_ms or 0) * 1_000
    own_us = min(row.own_ms or 0, row.whole_ms or 0) * 1_000
    return BuiltTarget(
        make=make,
        name=name,
        start_us=end_us - own_us if row.goal else row.started_us - start_us,
        end_us=end_us,
        own_us=own_us,
        status=row.status or 0,
        is_goal=bool(row.goal),
    )


def latest_runs(connection: Connection, scope: Scope) -> list[LatestRun]:
    """The latest runs of the period: each is of one person, so a page asks only where no group is too small."""
    rows = connection.execute(
        text(
            """
            SELECT run, min(started_us) AS started_us, count(*) AS events FROM (
                SELECT run, started_us FROM events
                WHERE project = :project AND started_us BETWEEN :oldest AND :newest AND run IS NOT NULL
                ORDER BY started_us DESC LIMIT 5000
            ) AS latest GROUP BY run ORDER BY min(started_us) DESC LIMIT :most
            """
        ),
        {
            "project": scope.project,
            "oldest": scope.first * DAY_US,
            "newest": (scope.last + 1) * DAY_US - 1,
            "most": _LATEST,
        },
    ).all()
    runs = [_with_hyphens(str(row.run)) for row in rows]
    events = _events_of(connection, scope.project, runs)
    names = names_of(connection, scope.project, {event.target for each in events.values() for event in each})
    found = []
    for run, row in zip(runs, rows, strict=True):
        if not events[run]:
            continue
        build = build_of(run, events[run], names)
        goal = next((target for target in build.targets if target.is_goal), build.targets[0])
        found.append(
            LatestRun(build.id, row.started_us, goal.name, build.duration_us // 1_000, build.status, len(build.targets))
        )
    return found


def _events_of(connection: Connection, project: int, runs: Sequence[str]) -> dict[str, list[Any]]:
    """The events of each of these runs, at most `MOST_EVENTS` of one."""
    place = func.row_number().over(partition_by=EVENTS.c.run, order_by=(EVENTS.c.started_us, EVENTS.c.message_id))
    numbered = (
        select(*_COLUMNS, EVENTS.c.run, place.label("place"))
        .where(EVENTS.c.project == project, EVENTS.c.run.in_(runs))
        .subquery()
    )
    statement = select(numbered).where(numbered.c.place <= MOST_EVENTS).order_by(numbered.c.run, numbered.c.place)
    found: dict[str, list[Any]] = {run: [] for run in runs}
    for row in connection.execute(statement):
        found[_with_hyphens(str(row.run))].append(row)
    return found


def _with_hyphens(run: str) -> str:
    """SQLite keeps an id as 32 digits."""
    digits = run.replace("-", "")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
