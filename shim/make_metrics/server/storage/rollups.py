"""The daily roll-ups that the pages read, made again from the events of each day that changed.

Whoever changes events puts their days into DIRTY_DAYS in the same transaction (`mark`). `refresh` makes the roll-ups
of these days again, as a whole, and takes the marks away in one transaction. So late events, repeated ones and
deletions need no rule of their own, and a killed receiver leaves either the mark or the right numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from make_metrics.server.storage import weeks
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.statements import is_postgresql, try_lock_project
from make_metrics.server.storage.tables import (
    BUCKETS,
    BY_PERSON,
    DAY_US,
    DAYS,
    DIRTY_DAYS,
    FACTS,
    ROLL_UPS,
    STATUSES,
)

_LOCK = 0x6D616B66  # any number but the one in `migrate`
_DAYS_AT_ONCE = 4
_DAYS_LISTED = 400
_EVENTS_AT_ONCE = 10_000
_MARK_BITS = 62

# Of a status: given up by Ctrl-C; failed in any other way.
_GIVEN_UP = "status IN (-2, 130)"
_FAILED = f"status <> 0 AND NOT ({_GIVEN_UP})"
_IN_DAY = "project = :project AND started_us >= :start AND started_us < :end"
_OF_DAY = f"{_IN_DAY} AND is_test = 'no'"


def _selects(events: str, order: str) -> tuple[tuple[str, str, str], ...]:
    """Of each roll-up its table, its columns, and how they are made of a day's events.

    These are a table with its condition, and what tells their order.
    """
    return (
        (
            DAYS.name,
            "project, day, target, person, cut, runs, own_ms, whole_ms, failures, given_up, then_passed",
            f"""
            SELECT :project, :day, target, person, cut, count(*), coalesce(sum(own_ms), 0), coalesce(sum(whole_ms), 0),
                coalesce(sum(CASE WHEN {_FAILED} THEN 1 ELSE 0 END), 0),
                coalesce(sum(CASE WHEN {_GIVEN_UP} THEN 1 ELSE 0 END), 0),
                coalesce(sum(CASE WHEN {_FAILED} AND next_status = 0 THEN 1 ELSE 0 END), 0)
            FROM (
                SELECT target, person, cut, own_ms, whole_ms, status,
                    lead(status) OVER (PARTITION BY person, target ORDER BY {order}) AS next_status
                FROM {events}
            ) AS following
            GROUP BY target, person, cut
            """,
        ),
        *(
            (
                BUCKETS.name,
                "project, day, target, cut, kind, bucket, runs",
                f"""
                SELECT :project, :day, target, cut, {kind}, {column}, count(*) FROM {events}
                AND status = 0 AND {column} IS NOT NULL GROUP BY target, cut, {column}
                """,
            )
            for kind, column in enumerate(("own_bucket", "whole_bucket"))
        ),
        (
            STATUSES.name,
            "project, day, target, cut, status, person, runs",
            f"""
            SELECT :project, :day, target, cut, status, person, count(*) FROM {events}
            AND status <> 0 GROUP BY target, cut, status, person
            """,
        ),
        *(
            (
                FACTS.name,
                "project, day, kind, value, person, runs",
                f"""
                SELECT :project, :day, {kind}, {column}, person, count(*) FROM {events}
                AND {column} IS NOT NULL GROUP BY {column}, person
                """,
            )
            for kind, column in enumerate(("commit_s", "version"))
        ),
    )


_SELECTS = _selects(f"events WHERE {_OF_DAY}", "started_us, message_id")
_SELECTS_OF_COPY = _selects("temp.made_events WHERE 1 = 1", "rowid")
_COPIED = "target, person, cut, own_ms, whole_ms, own_bucket, whole_bucket, status, commit_s, version"
_REMOVE, _REMOVE_BY_PERSON = (
    tuple(f"DELETE FROM {table.name} WHERE project = :project AND day = :day" for table in tables)
    for tables in (ROLL_UPS, BY_PERSON)
)


def mark(connection: Connection, days: Iterable[tuple[int, int]]) -> None:
    """Note that events of these (project, day) changed, within the transaction that changes them."""
    rows: list[dict[str, int]] = [{"project": project, "day": day} for project, day in sorted(set(days))]
    if not is_postgresql(connection):
        # SQLite gives a number again once its row is gone: a mark must never be taken for another one.
        rows = [{"id": secrets.randbits(_MARK_BITS), **row} for row in rows]
    if rows:
        connection.execute(DIRTY_DAYS.insert(), rows)


def refresh(database: Database, *, most_days: int = 0) -> int:
    """Make the roll-ups of changed days again, the latest first: all, or once of `most_days`. The number of days.

    Weeks follow where all are made; else they are left to `weeks.make`.

    Where another process is doing it, or somebody deletes a person or project in this moment, what is left is left to
    a later call. Raises AwayError.
    """
    done = 0
    while days := _changed_days(database, most_days or _DAYS_LISTED):
        for start in range(0, len(days), _DAYS_AT_ONCE):
            some = days[start : start + _DAYS_AT_ONCE]
            made = (_refresh_within if database.is_postgresql else _refresh_beside)(database, some)
            done += made
            if made < len(some):
                return done
        if most_days:
            return done
    weeks.make(database, calm_s=0)
    return done


def _changed_days(database: Database, most: int) -> list[dict[str, int]]:
    with database.reading() as connection:
        rows = connection.execute(
            text("SELECT DISTINCT project, day FROM dirty_days ORDER BY day DESC LIMIT :most"), {"most": most}
        ).all()
    return [{"project": project, "day": day, "start": day * DAY_US, "end": (day + 1) * DAY_US} for project, day in rows]


def _refresh_within(database: Database, days: Sequence[dict[str, int]]) -> int:
    """PostgreSQL: each day in one transaction, for which no other writer waits. How many days were made.

    Who deletes a person or a project does not see the rows of a transaction that is not complete. So the project is
    locked, and what belongs to nobody any more is left out; that is at the end and takes a moment, because those who
    store events would wait behind somebody who waits for this lock. It is not waited for: who has it may wait for rows
    of this transaction.
    """
    made = 0
    for values in days:
        with database.writing() as connection, connection.begin_nested() as all_or_nothing:
            if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
                return made
            # Millions of events of one day take longer than any page may, and nobody waits for them.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            # The marks go first: each later statement sees the changes whose marks this one has seen.
            connection.execute(text("DELETE FROM dirty_days WHERE project = :project AND day = :day"), values)
            for statement in _REMOVE:
                connection.execute(text(statement), values)
            for table, columns, select in _SELECTS:
                connection.execute(text(f"INSERT INTO {table} ({columns}) {select}"), values)
            weeks.spoil(connection, values["project"], [values["day"]])
            if not try_lock_project(connection, values["project"]):
                all_or_nothing.rollback()
                return made
            _leave_out(connection, values)
        made += 1
    return made


def _leave_out(connection: Connection, values: dict[str, int]) -> None:
    """Take out of a day's roll-ups who was erased while they were made, and all of them if the project is gone."""
    if connection.scalar(text("SELECT count(*) FROM projects WHERE id = :project"), values):
        gone = "NOT EXISTS (SELECT 1 FROM people WHERE people.project = :project AND people.id = person)"
        statements = [f"{statement} AND {gone}" for statement in _REMOVE_BY_PERSON]
    else:
        statements = [*_REMOVE]
    for statement in statements:
        connection.execute(text(statement), values)


def _refresh_beside(database: Database, days: Sequence[dict[str, int]]) -> int:
    """SQLite, which has one writer at a time: make the roll-ups while others write, then put them in their place.

    Reading 100,000 events takes a second, putting their roll-ups in place some milliseconds. Whoever else has made a
    day meanwhile has taken marks away: then this one is dropped, and the day is made again if marks are left.

    The events are copied, some at a time, each time in a transaction of its own: while one lasts, the log of what
    others write cannot begin anew, and grows. What changes between two of them leaves marks that are not among those of
    this day, so that the day is made again.
    """
    with database.in_turn() as (reading, writing):
        for values in days:
            with reading() as connection:
                for name in (DIRTY_DAYS.name, *(table.name for table in ROLL_UPS)):
                    connection.execute(text(f"DROP TABLE IF EXISTS {_made(name)}"))
                    connection.execute(text(f"CREATE TABLE {_made(name)} AS SELECT * FROM {name} WHERE 0"))
                connection.execute(text("DROP TABLE IF EXISTS temp.made_events"))
                connection.execute(text(f"CREATE TABLE temp.made_events AS SELECT {_COPIED} FROM events WHERE 0"))
                marks = "SELECT * FROM dirty_days WHERE project = :project AND day = :day"
                connection.execute(text(f"INSERT INTO {_made(DIRTY_DAYS.name)} {marks}"), values)
            start: int | None = values["start"]
            while start is not None:
                with reading() as connection:
                    start = _copy(connection, values | {"start": start})
            with reading() as connection:  # of nothing that others write
                for table, columns, select in _SELECTS_OF_COPY:
                    connection.execute(text(f"INSERT INTO {_made(table)} ({columns}) {select}"), values)
                connection.execute(text("DROP TABLE temp.made_events"))
            with writing() as connection:
                _put(connection, values)
    return len(days)


def _copy(connection: Connection, values: dict[str, int]) -> int | None:
    """Copy a day's next events; where those after them start, in microseconds, None if there are none."""
    values["at_once"] = _EVENTS_AT_ONCE
    later: int | None = connection.scalar(
        text(f"SELECT started_us FROM events WHERE {_IN_DAY} ORDER BY started_us LIMIT 1 OFFSET :at_once"), values
    )
    if later is not None and later == values["start"]:
        later += 1  # so many at the same moment
    copied = f"SELECT {_COPIED} FROM events WHERE {_OF_DAY} ORDER BY started_us, message_id"
    connection.execute(
        text(f"INSERT INTO temp.made_events {copied}"), values if later is None else values | {"end": later}
    )
    return later


def _put(connection: Connection, values: dict[str, int]) -> None:
    """Put the roll-ups of a day in their place, if all its marks are still there; else leave the marks as they are."""
    of_day = "WHERE project = :project AND day = :day"
    marks = f"SELECT id FROM {_made(DIRTY_DAYS.name)}"
    count = connection.scalar(text(f"SELECT count(*) FROM ({marks})"))
    there = connection.scalar(text(f"SELECT count(*) FROM dirty_days WHERE id IN ({marks})"))
    if not count or there != count:
        return
    connection.execute(text(f"DELETE FROM dirty_days WHERE id IN ({marks})"))
    for statement in _REMOVE:
        connection.execute(text(statement), values)
    for table in ROLL_UPS:
        # A person who was erased meanwhile is in none of them again.
        there = "AND person IN (SELECT id FROM people WHERE project = :project)" if table in BY_PERSON else ""
        connection.execute(text(f"INSERT INTO {table.name} SELECT * FROM {_made(table.name)} {of_day} {there}"), values)
    weeks.spoil(connection, values["project"], [values["day"]])


def _made(table: str) -> str:
    """The table of this connection alone in which a roll-up is made."""
    return f"temp.made_{table}"
