"""The statements that differ between SQLite and PostgreSQL, or that are written by hand to be fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, Text, text
from sqlalchemy.dialects import postgresql, sqlite

from make_metrics.server.storage.rows import ChoiceRow, Cut, Row
from make_metrics.server.storage.tables import CHOICES, EVENTS

_LOCK = 0x6D616B67  # a number of its own beside those of `migrate`, `rollups` and `partitions`
_COLUMNS = [column.name for column in EVENTS.columns]
_IDS = ("message_id", "run", "parent")
_TYPES = {
    "BIGINT": "int8",
    "INTEGER": "int4",
    "SMALLINT": "int2",
    "BOOLEAN": "bool",
    "TEXT": "text",
}
_ARRAYS = ", ".join(f"%s::{'uuid' if column.name in _IDS else _TYPES[str(column.type)]}[]" for column in EVENTS.columns)
_POSTGRESQL = f"INSERT INTO events ({', '.join(_COLUMNS)}) SELECT * FROM unnest({_ARRAYS}) ON CONFLICT DO NOTHING"
# SQLite keeps an id as 32 digits (sqlalchemy.Uuid).
_PLACES = ", ".join("replace(?, '-', '')" if name in _IDS else "?" for name in _COLUMNS)
_SQLITE = f"INSERT OR IGNORE INTO events ({', '.join(_COLUMNS)}) VALUES ({_PLACES})"
_LOCK_SHARED, _LOCK_ALONE = (
    text(f"SELECT pg_advisory_xact_lock{shared}(:lock, :project)") for shared in ("_shared", "")
)


def is_postgresql(connection: Connection) -> bool:
    """Whether a connection is to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def lock_project(connection: Connection, project: int, *, alone: bool) -> None:
    """Keep a project's persons and the project from being deleted until the transaction ends.

    Whoever deletes them asks for `alone`, and waits for all others. SQLite has one writer at a time anyway.
    """
    if is_postgresql(connection):
        statement = _LOCK_ALONE if alone else _LOCK_SHARED
        connection.execute(statement, {"lock": _LOCK, "project": project % 2**31})


def try_lock_project(connection: Connection, project: int) -> bool:
    """The same without `alone`, where nobody has it alone or waits for that; else False. Only on PostgreSQL."""
    statement = "SELECT pg_try_advisory_xact_lock_shared(:lock, :project)"
    return bool(connection.scalar(text(statement), {"lock": _LOCK, "project": project % 2**31}))


def insert(connection: Connection, table: Table) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT."""
    return postgresql.insert(table) if is_postgresql(connection) else sqlite.insert(table)


def insert_events(
    connection: Connection,
    project: int,
    rows: Sequence[Row],
    people: Mapping[str, int],
    names: Mapping[str, int],
    cuts: Mapping[Cut, int],
) -> int:
    """Insert the events that are not there yet; how many there were."""
    if not rows:
        return 0
    stored = [
        (project, row[0], row[1], people[row[2]], names[row[3]], cuts[row[4]], names[row[5]], *row[6:]) for row in rows
    ]
    if is_postgresql(connection):
        columns = zip(*stored, strict=True)
        arrays = tuple(write(column) for write, column in zip(_WRITTEN, columns, strict=True))
        return connection.exec_driver_sql(_POSTGRESQL, arrays).rowcount
    return connection.exec_driver_sql(_SQLITE, stored).rowcount


def _array_of_numbers(values: Sequence[int | bool | None]) -> str:
    """An array as PostgreSQL reads it: a list as Python writes it, in other brackets."""
    return f"{{{str(list(values))[1:-1].replace('None', 'NULL')}}}"


def _array_of_ids(values: Sequence[str | None]) -> str:
    """The same of ids, which are digits and hyphens only (`messages.check`)."""
    return f"{{{','.join([value or 'NULL' for value in values])}}}"


def _array_of_texts(values: Sequence[str | None]) -> str:
    """The same of any texts."""
    return f"{{{','.join(['NULL' if value is None else _quoted(value) for value in values])}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# psycopg writes arrays too, but with some calls for each value: half of what storing an event took.
_WRITTEN: tuple[Callable[[Any], str], ...] = tuple(
    _array_of_ids if column.name in _IDS else _array_of_texts if isinstance(column.type, Text) else _array_of_numbers
    for column in EVENTS.columns
)


def insert_choices(
    connection: Connection,
    project: int,
    choices: Sequence[ChoiceRow],
    people: Mapping[str, int],
    names: Mapping[str, int],
) -> None:
    """Insert the choices that are not there yet."""
    if choices:
        rows = [
            {**choice._asdict(), "project": project, "person": people[choice.person], "event": names[choice.event]}
            for choice in choices
        ]
        connection.execute(insert(connection, CHOICES).on_conflict_do_nothing(), rows)
