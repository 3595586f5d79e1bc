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
from make_metrics.server.storage.day.beside import MARK_BITS, refresh_beside
from make_metrics.server.storage.day.selects import OF_DAY, selects
from make_metrics.server.storage.statements import is_postgresql, try_lock_project
from make_metrics.server.storage.tables import BY_PERSON, DAY_US, DIRTY_DAYS, ROLL_UPS

_LOCK = 0x6D616B66  # any number but the one in `migrate`
_DAYS_AT_ONCE = 4
_DAYS_LISTED = 400

_SELECTS = selects(f"events WHERE {OF_DAY}", "started_us, message_id")
_REMOVE, _REMOVE_BY_PERSON = (
    tuple(f"DELETE FROM {table.name} WHERE project = :project AND day = :day" for table in tables)
    for tables in (ROLL_UPS, BY_PERSON)
)


def mark(connection: Connection, days: Iterable[tuple[int, int]]) -> None:
    """Note that events of these (project, day) changed, within the transaction that changes them."""
    rows: list[dict[str, int]] = [{"project": project, "day": day} for project, day in sorted(set(days))]
    if not is_postgresql(connection):
        # SQLite gives a number again once its row is gone: a mark must never be taken for another one.
        rows = [{"id": secrets.randbits(MARK_BITS), **row} for row in rows]
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
            made = (_refresh_within if database.is_postgresql else refresh_beside)(database, some)
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
