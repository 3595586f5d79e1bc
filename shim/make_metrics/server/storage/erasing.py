"""Erasure: what is held of a random id goes, in every project, and nothing of it comes back.

Who stores events holds a project's lock for a moment (`statements.lock_project`), and whoever asks for it alone makes
them all wait. So an erasure asks for it alone only twice, each time for one or two rows: to note that the id is taken
no more, and to delete the person. What takes long comes in between and after, without it: the person's events, a few at
a time, and its rows in the roll-ups, for which the erasure may wait until a day of them is made.
"""

from __future__ import annotations

import time

from sqlalchemy import ColumnElement, Connection, delete, func, select

from make_metrics.server.storage import rollups, weeks
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.statements import insert, lock_project
from make_metrics.server.storage.tables import BY_PERSON, CHOICES, DAY_US, ERASED, EVENTS, PEOPLE, PROJECTS
from make_metrics.server.storage.weeks import DAYS_IN_WEEK, OF_PERSONS
from make_metrics.server.storage.write import digest

_EVENTS_AT_ONCE = 2_000
_DAYS_AT_ONCE = 28


def is_known(database: Database, person: str) -> bool:
    """Whether anything is held of a random id, or it was erased before. Raises AwayError."""
    with database.reading() as connection:
        projects = _projects(connection)
        known = select(PEOPLE.c.id).where(PEOPLE.c.project.in_(projects), PEOPLE.c.anonymous_id == person)
        digests = [digest(project, person) for project in projects]
        erased = select(ERASED.c.project).where(ERASED.c.project.in_(projects), ERASED.c.digest.in_(digests))
        return any(connection.execute(query.limit(1)).first() is not None for query in (known, erased))


def erase(database: Database, person: str) -> int:
    """Delete all that is held of a random id, in every project; the number of its events. Raises AwayError.

    The id is random and secret, so knowing it is the permission. Events of it that come later are not taken. An erasure
    that was cut off goes on when it is asked for again.
    """
    with database.reading() as connection:
        projects = _projects(connection)
    return sum(_erase(database, project, person) for project in projects)


def _projects(connection: Connection) -> list[int]:
    return list(connection.scalars(select(PROJECTS.c.id).order_by(PROJECTS.c.id)))


def _erase(database: Database, project: int, person: str) -> int:
    with database.reading() as connection:
        is_marked, number = _is_marked(connection, project, person), _number(connection, project, person)
    if not is_marked:
        with database.writing() as connection:
            lock_project(connection, project, alone=True)
            if connection.scalar(select(PROJECTS.c.id).where(PROJECTS.c.id == project)) is None:
                return 0
            mark = {"project": project, "digest": digest(project, person), "at_us": time.time_ns() // 1000}
            connection.execute(insert(connection, ERASED).on_conflict_do_nothing(), mark)
            number = _number(connection, project, person)
    if number is None:
        return 0
    erased, days = _erase_events(database, project, number)
    with database.writing() as connection:
        lock_project(connection, project, alone=True)
        connection.execute(delete(CHOICES).where(CHOICES.c.project == project, CHOICES.c.person == number))
        connection.execute(delete(PEOPLE).where(PEOPLE.c.id == number))
    # From here on nothing makes a roll-up of the person. A kill before the end leaves the marks of these days.
    for start in range(0, len(days), _DAYS_AT_ONCE):
        some = days[start : start + _DAYS_AT_ONCE]
        with database.writing() as connection:
            for table in BY_PERSON:
                of_days = (table.c.project == project, table.c.day.in_(some))
                connection.execute(delete(table).where(*of_days, table.c.person == number))
            weeks.spoil(connection, project, some)
            for table in OF_PERSONS:
                of_weeks = (table.c.project == project, table.c.week.in_({day // DAYS_IN_WEEK for day in some}))
                connection.execute(delete(table).where(*of_weeks, table.c.person == number))
    return erased


def _is_marked(connection: Connection, project: int, person: str) -> bool:
    query = select(ERASED.c.project).where(ERASED.c.project == project, ERASED.c.digest == digest(project, person))
    return connection.scalar(query) is not None


def _number(connection: Connection, project: int, person: str) -> int | None:
    return connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.project == project, PEOPLE.c.anonymous_id == person))


def _erase_events(database: Database, project: int, number: int) -> tuple[int, list[int]]:
    """Delete a person's events, the first ones first, and mark their days: how many there were, and these days."""
    own: tuple[ColumnElement[bool], ...] = (EVENTS.c.project == project, EVENTS.c.person == number)
    started = select(EVENTS.c.started_us).where(*own).order_by(EVENTS.c.started_us)
    erased, days = 0, set[int]()
    while True:
        with database.writing() as connection:
            end = connection.scalar(started.offset(_EVENTS_AT_ONCE - 1).limit(1))
            some = (*own, EVENTS.c.started_us <= end) if end is not None else own
            found = connection.scalars(select(func.distinct(EVENTS.c.started_us // DAY_US)).where(*some)).all()
            rollups.mark(connection, ((project, int(day)) for day in found))
            erased += connection.execute(delete(EVENTS).where(*some)).rowcount
        days.update(map(int, found))
        if end is None:
            return erased, sorted(days)
