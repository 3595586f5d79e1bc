"""Projects, and the write keys by which their events come in."""

from __future__ import annotations

import re
import secrets
import time
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, or_, select, update

from make_metrics.errors import UserError, did_you_mean
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.keeping import empty
from make_metrics.server.storage.statements import lock_project
from make_metrics.server.storage.tables import DAY_US, METADATA, PEOPLE, PROJECTS, SESSIONS, TOKENS, WRITE_KEYS

GRACE_DAYS = 90
_NAME = re.compile(r"[\w][\w .:+%-]{0,79}")
_MOST_RETENTION_DAYS = 3_650


class Project(NamedTuple):
    """A project as a list shows it. `keys` are its write keys that are taken now."""

    id: int
    name: str
    disabled: bool
    retention_days: int
    smallest_group: int
    keys: tuple[str, ...]
    people: int


def now_us() -> int:
    """The time in microseconds since 1970."""
    return time.time_ns() // 1000


def add_project(database: Database, name: str) -> str:
    """Add a project; its write key. Raises UserError if there is one of that name, or the name cannot be one."""
    if not _NAME.fullmatch(name):
        raise UserError("a project's name is 1 to 80 letters, digits, blanks and . : + % _ -")
    with database.writing() as connection:
        if connection.scalar(select(PROJECTS.c.id).where(PROJECTS.c.name == name)) is not None:
            raise UserError(f"there is a project {name} already: make-metrics server project list shows it")
        row = connection.execute(PROJECTS.insert().values(name=name, created_us=now_us()).returning(PROJECTS.c.id))
        return _new_key(connection, row.scalar_one())


def rotate_key(database: Database, name: str, *, at_once: bool = False) -> str:
    """Give a project a new write key; the old ones are taken for `GRACE_DAYS` more, or no longer with `at_once`.

    Contributors send with the old one until they have the new settings file and have said yes to it. Raises UserError.
    """
    until_us = now_us() + (0 if at_once else GRACE_DAYS * DAY_US)
    with database.writing() as connection:
        project = project_id(connection, name)
        lasting = or_(WRITE_KEYS.c.until_us.is_(None), WRITE_KEYS.c.until_us > until_us)
        connection.execute(update(WRITE_KEYS).where(WRITE_KEYS.c.project == project, lasting).values(until_us=until_us))
        return _new_key(connection, project)


def set_disabled(database: Database, name: str, *, disabled: bool) -> None:
    """Take no events for a project any more, or again. Raises UserError."""
    _change(database, name, disabled=disabled)


def change_project(
    database: Database, name: str, *, retention_days: int | None = None, smallest_group: int | None = None
) -> None:
    """Change what is not None, all or nothing. Raises UserError.

    Events are kept for `retention_days`, 3650 at most. A cell of a page must have `smallest_group` people behind it to
    be shown; 0 shows all.
    """
    if retention_days is not None and not 1 <= retention_days <= _MOST_RETENTION_DAYS:
        raise UserError(f"--retention must be 1 to {_MOST_RETENTION_DAYS} days")
    if smallest_group is not None and not 0 <= smallest_group <= 1_000:
        raise UserError("--smallest-group must be 0 to 1000 people")
    values = {"retention_days": retention_days, "smallest_group": smallest_group}
    _change(database, name, **{column: value for column, value in values.items() if value is not None})


def _change(database: Database, name: str, **values: bool | int) -> None:
    with database.writing() as connection:
        project = project_id(connection, name)
        connection.execute(update(PROJECTS).where(PROJECTS.c.id == project).values(**values))


def project_id(connection: Connection, name: str) -> int:
    """A project's number by its name; raises UserError if there is none."""
    names: dict[str, int] = {row.name: row.id for row in connection.execute(select(PROJECTS.c.name, PROJECTS.c.id))}
    if name not in names:
        raise UserError(f"there is no project {name}{did_you_mean(name, names)}: make-metrics server project list")
    return names[name]


def list_projects(database: Database) -> list[Project]:
    """All projects, by name."""
    with database.reading() as connection:
        keys: dict[int, list[str]] = {}
        live = or_(WRITE_KEYS.c.until_us.is_(None), WRITE_KEYS.c.until_us > now_us())
        for row in connection.execute(select(WRITE_KEYS).where(live).order_by(WRITE_KEYS.c.created_us.desc())):
            keys.setdefault(row.project, []).append(row.key)
        counted = select(PEOPLE.c.project, func.count().label("people")).group_by(PEOPLE.c.project)
        people: dict[int, int] = {row.project: row.people for row in connection.execute(counted)}
        return [
            Project(
                row.id,
                row.name,
                row.disabled,
                row.retention_days,
                row.smallest_group,
                tuple(keys.get(row.id, ())),
                people.get(row.id, 0),
            )
            for row in connection.execute(select(PROJECTS).order_by(PROJECTS.c.name))
        ]


def delete_project(database: Database, name: str) -> None:
    """Delete a project with all that is held of it. Raises UserError.

    It takes no events any more from the beginning, is there until all is deleted, and what takes long is done a little
    at a time: those who store other projects' events do not wait. After a kill, the same once more does the rest.
    """
    with database.writing() as connection:
        project = project_id(connection, name)
        connection.execute(delete(WRITE_KEYS).where(WRITE_KEYS.c.project == project))
        connection.execute(update(PROJECTS).where(PROJECTS.c.id == project).values(disabled=True))
    empty(database, project)
    with database.writing() as connection:
        lock_project(connection, project, alone=True)
        tokens = select(TOKENS.c.id).where(TOKENS.c.project == project)
        connection.execute(delete(SESSIONS).where(SESSIONS.c.token.in_(tokens)))
        for table in METADATA.tables.values():
            if "project" in table.columns:
                connection.execute(delete(table).where(table.c.project == project))
        connection.execute(delete(PROJECTS).where(PROJECTS.c.id == project))


def _new_key(connection: Connection, project: int) -> str:
    key = secrets.token_urlsafe(24)
    connection.execute(WRITE_KEYS.insert().values(key=key, project=project, created_us=now_us()))
    return key
