"""Retention: what is deleted for its age, and that the roll-ups follow."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select, text

from make_metrics.server.storage import partitions, weeks
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.statements import lock_project
from make_metrics.server.storage.tables import CHOICES, DAY_US, EVENTS, PROJECTS, REFUSED, ROLL_UPS, SESSIONS
from make_metrics.server.storage.weeks import BY_WEEK

_EVENTS_AT_ONCE = 5_000
_DAYS_AT_ONCE = 7


def delete_old(database: Database, *, now_us: int) -> int:
    """Delete events and roll-ups that are older than their project keeps, by whole days; the number of events.

    Raises AwayError.
    """
    deleted = 0
    with database.reading() as connection:
        projects = connection.execute(select(PROJECTS.c.id, PROJECTS.c.retention_days)).all()
    today = now_us // DAY_US
    if database.is_postgresql:
        longest = max((days for _, days in projects), default=0)
        _drop_months(database, (today - longest) * DAY_US)
    for project, days in projects:
        deleted += _delete_before(database, project, today - days)
    with database.writing() as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.until_us < now_us))
    return deleted


def _delete_before(database: Database, project: int, day: int) -> int:
    """Delete what a project holds of days before one; a day is a transaction, so that writers wait only briefly."""
    old = (EVENTS.c.project == project, EVENTS.c.started_us < day * DAY_US)
    deleted = 0
    while True:
        with database.writing() as connection:
            first = connection.scalar(select(func.min(EVENTS.c.started_us)).where(*old))
            if first is not None:
                end = min((first // DAY_US + 1) * DAY_US, day * DAY_US)
                deleted += connection.execute(
                    delete(EVENTS).where(EVENTS.c.project == project, EVENTS.c.started_us < end)
                ).rowcount
                continue
        with database.writing() as connection:  # may wait until a day is made, so not while others wait for the lock
            gone = 0
            for table in (*ROLL_UPS, REFUSED):
                old_days = (table.c.project == project, table.c.day < day)
                gone += connection.execute(delete(table).where(*old_days)).rowcount
            if gone:
                weeks.forget(connection, project, day)
        with database.writing() as connection:
            lock_project(connection, project, alone=True)
            connection.execute(delete(CHOICES).where(CHOICES.c.project == project, CHOICES.c.at_us < day * DAY_US))
            _forget_people(connection, project, day * DAY_US)
            return deleted


def empty(database: Database, project: int) -> None:
    """Delete a project's events and roll-ups, a little at a time, so that nobody waits long. Raises AwayError."""
    started = select(EVENTS.c.started_us).where(EVENTS.c.project == project).order_by(EVENTS.c.started_us)
    end: int | None = 0
    while end is not None:
        with database.writing() as connection:
            end = connection.scalar(started.offset(_EVENTS_AT_ONCE).limit(1))
            some = (
                EVENTS.c.project == project
                if end is None
                else (EVENTS.c.project == project) & (EVENTS.c.started_us <= end)
            )
            connection.execute(delete(EVENTS).where(some))
    for table in (*ROLL_UPS, *BY_WEEK):
        at = table.c.day if table in ROLL_UPS else table.c.week
        first: int | None = 0
        while first is not None:
            with database.writing() as connection:
                first = connection.scalar(select(func.min(at)).where(table.c.project == project))
                if first is not None:
                    old = (table.c.project == project, at < first + _DAYS_AT_ONCE)
                    connection.execute(delete(table).where(*old))


def _forget_people(connection: Connection, project: int, before_us: int) -> None:
    """Delete the ids of which nothing is held any more."""
    connection.execute(
        text(
            "DELETE FROM people WHERE project = :project AND last_us < :before AND NOT EXISTS "
            "(SELECT 1 FROM events WHERE events.project = people.project AND events.person = people.id) AND NOT EXISTS "
            "(SELECT 1 FROM choices WHERE choices.project = people.project AND choices.person = people.id)"
        ),
        {"project": project, "before": before_us},
    )


def _drop_months(database: Database, before_us: int) -> None:
    with database.reading() as connection:
        months = partitions.existing(connection)
    for month in months:
        if partitions.start_us(partitions.next_month(month)) <= before_us:
            with database.writing() as connection:
                partitions.drop(connection, month)
