"""Retention and erasure: what is deleted, and that the roll-ups follow."""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, func, select, text

from make_metrics.server.storage import partitions, rollups
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.statements import insert, lock_project
from make_metrics.server.storage.tables import (
    BY_PERSON,
    CHOICES,
    DAY_US,
    ERASED,
    EVENTS,
    PEOPLE,
    PROJECTS,
    REFUSED,
    ROLL_UPS,
    SESSIONS,
)
from make_metrics.server.storage.write import digest


def erase(database: Database, person: str) -> tuple[int, bool]:
    """Delete all that is held of a random id, in every project. Raises AwayError.

    The number of its events, and whether it was known, or was erased before.

    The id is random and secret, so knowing it is the permission. Events of it that come later are not taken.
    """
    erased = 0
    with database.reading() as connection:
        known = connection.scalars(select(PEOPLE.c.project).where(PEOPLE.c.anonymous_id == person)).all()
        projects = connection.scalars(select(PROJECTS.c.id).order_by(PROJECTS.c.id)).all()
        digests = [digest(project, person) for project in projects]
        before = connection.scalar(select(func.count()).select_from(ERASED).where(ERASED.c.digest.in_(digests)))
    for project in projects:
        with database.writing() as connection:
            lock_project(connection, project, alone=True)
            if connection.scalar(select(PROJECTS.c.id).where(PROJECTS.c.id == project)) is not None:
                erased += _erase(connection, project, person)
    return erased, bool(known or before)


def _erase(connection: Connection, project: int, person: str) -> int:
    mark = {"project": project, "digest": digest(project, person), "at_us": time.time_ns() // 1000}
    connection.execute(insert(connection, ERASED).on_conflict_do_nothing(), mark)
    number = connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.project == project, PEOPLE.c.anonymous_id == person))
    if number is None:
        return 0
    own = (EVENTS.c.project == project, EVENTS.c.person == number)
    days = connection.scalars(select(EVENTS.c.started_us // DAY_US).where(*own).distinct()).all()
    rollups.mark(connection, ((project, int(day)) for day in days))
    # The roll-ups by person go at once; the rest follows from the marks.
    for table in BY_PERSON:
        connection.execute(delete(table).where(table.c.project == project, table.c.person == number))
    connection.execute(delete(CHOICES).where(CHOICES.c.project == project, CHOICES.c.person == number))
    erased = connection.execute(delete(EVENTS).where(*own)).rowcount
    connection.execute(delete(PEOPLE).where(PEOPLE.c.id == number))
    return erased


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
            lock_project(connection, project, alone=True)
            for table in (*ROLL_UPS, REFUSED):
                connection.execute(delete(table).where(table.c.project == project, table.c.day < day))
            connection.execute(delete(CHOICES).where(CHOICES.c.project == project, CHOICES.c.at_us < day * DAY_US))
            _forget_people(connection, project, day * DAY_US)
            return deleted


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
