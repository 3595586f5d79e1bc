"""SQLite, which has one writer at a time: a day's roll-ups are made while others write, then put in their place."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Table, text

from make_metrics.server.storage import weeks
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.day.selects import IN_DAY, OF_DAY, selects
from make_metrics.server.storage.tables import BY_PERSON, DIRTY_DAYS, ROLL_UPS

_EVENTS_AT_ONCE = 10_000
_ROWS_AT_ONCE = 5_000
MARK_BITS = 62
_SELECTS_OF_COPY = selects("temp.made_events WHERE 1 = 1", "rowid")
_COPIED = "target, person, cut, own_ms, whole_ms, own_bucket, whole_bucket, status, commit_s, version"


class _Rows(NamedTuple):
    """Rows of a roll-up that were made: those after number `first` up to number `end`, and whether none follow."""

    table: Table
    first: int
    end: int
    is_last: bool


def refresh_beside(database: Database, days: Sequence[dict[str, int]]) -> int:
    """Make the roll-ups of days again; the number of days. Raises AwayError.

    Reading 100,000 events takes a second, putting some thousand rows of their roll-ups into place some milliseconds.
    Whoever else has made a day meanwhile has taken marks away: then this one is dropped, and the day is made again if
    marks are left.

    The events are copied, some at a time, each time in a transaction of its own: while one lasts, the log of what
    others write cannot begin anew, and grows. What changes between two of them leaves marks that are not among those of
    this day, so that the day is made again.
    """
    with database.in_turn() as (reading, writing):
        for values in days:
            with reading() as connection:
                for name in (DIRTY_DAYS.name, *(table.name for table in ROLL_UPS)):
                    _create(connection, _made(name), f"SELECT * FROM {name} WHERE 0")
                _create(connection, "temp.made_events", f"SELECT {_COPIED} FROM events WHERE 0")
                marks = "SELECT * FROM dirty_days WHERE project = :project AND day = :day"
                connection.execute(text(f"INSERT INTO {_made(DIRTY_DAYS.name)} {marks}"), values)
            start: int | None = values["start"]
            while start is not None:
                with reading() as connection:
                    start = _copy(connection, values | {"start": start})
            with reading() as connection:  # of nothing that others write
                for name, columns, select in _SELECTS_OF_COPY:
                    connection.execute(text(f"INSERT INTO {_made(name)} ({columns}) {select}"), values)
                connection.execute(text("DROP TABLE temp.made_events"))
                parts = _parts([(table, _count(connection, _made(table.name))) for table in ROLL_UPS])
            for part in parts:
                with writing() as connection:
                    if not _take_marks(connection, values, leaves_one=part is not parts[-1]):
                        break
                    for rows in part:
                        _put(connection, rows, values)
                    weeks.spoil(connection, values["project"], [values["day"]])
    return len(days)


def _copy(connection: Connection, values: dict[str, int]) -> int | None:
    """Copy a day's next events; where those after them start, in microseconds, None if there are none."""
    values["at_once"] = _EVENTS_AT_ONCE
    later: int | None = connection.scalar(
        text(f"SELECT started_us FROM events WHERE {IN_DAY} ORDER BY started_us LIMIT 1 OFFSET :at_once"), values
    )
    if later is not None and later == values["start"]:
        later += 1  # so many at the same moment
    copied = f"SELECT {_COPIED} FROM events WHERE {OF_DAY} ORDER BY started_us, message_id"
    connection.execute(
        text(f"INSERT INTO temp.made_events {copied}"), values if later is None else values | {"end": later}
    )
    return later


def _parts(counts: Sequence[tuple[Table, int]]) -> list[list[_Rows]]:
    """The rows that were made, in parts that a writer may wait for."""
    parts: list[list[_Rows]] = [[]]
    room = _ROWS_AT_ONCE
    for table, count in counts:
        first = 0
        while True:
            end = min(first + room, count)
            parts[-1].append(_Rows(table, first, end, end == count))
            first, room = end, room - (end - first)
            if first == count:
                break
            parts.append([])
            room = _ROWS_AT_ONCE
    return parts


def _take_marks(connection: Connection, values: dict[str, int], *, leaves_one: bool) -> bool:
    """Take a day's marks away, if all are still there, and leave one of one's own as long as parts are missing.

    So who is killed in between leaves the day to be made again, and of two who make the same day only one goes on: the
    other one does not find the marks that it knows.
    """
    marks = f"SELECT id FROM {_made(DIRTY_DAYS.name)}"
    count = _count(connection, _made(DIRTY_DAYS.name))
    if not count or _count(connection, f"dirty_days WHERE id IN ({marks})") != count:
        return False
    connection.execute(text(f"DELETE FROM dirty_days WHERE id IN ({marks})"))
    if leaves_one:
        connection.execute(text(f"DELETE FROM {_made(DIRTY_DAYS.name)}"))
        own = values | {"id": secrets.randbits(MARK_BITS)}
        for table in (DIRTY_DAYS.name, _made(DIRTY_DAYS.name)):
            connection.execute(text(f"INSERT INTO {table} (id, project, day) VALUES (:id, :project, :day)"), own)
    return True


def _put(connection: Connection, rows: _Rows, values: dict[str, int]) -> None:
    """Put rows of a day's roll-up in their place; with the last of them, take away which are there no more."""
    name = rows.table.name
    keys = ", ".join(column.name for column in rows.table.columns if column.primary_key)
    numbers = [column.name for column in rows.table.columns if not column.primary_key]
    # A person who was erased meanwhile is in none of them again.
    there = "person IN (SELECT id FROM people WHERE project = :project)" if rows.table in BY_PERSON else "1 = 1"
    update = ", ".join(f"{number} = excluded.{number}" for number in numbers)
    differ = " OR ".join(f"{name}.{number} <> excluded.{number}" for number in numbers)
    put = f"""
        INSERT INTO {name} SELECT * FROM {_made(name)} WHERE rowid > :first AND rowid <= :end AND {there}
        ON CONFLICT ({keys}) DO UPDATE SET {update} WHERE {differ}
    """
    connection.execute(text(put), {"project": values["project"], "first": rows.first, "end": rows.end})
    of_day = f"{name} WHERE project = :project AND day = :day"
    if rows.is_last and _count(connection, of_day, values) != rows.end:
        connection.execute(text(f"DELETE FROM {of_day} AND ({keys}) NOT IN (SELECT {keys} FROM {_made(name)})"), values)


def _create(connection: Connection, table: str, select: str) -> None:
    connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    connection.execute(text(f"CREATE TABLE {table} AS {select}"))


def _count(connection: Connection, rows: str, values: dict[str, int] | None = None) -> int:
    return connection.scalar(text(f"SELECT count(*) FROM {rows}"), values) or 0


def _made(table: str) -> str:
    """The table of this connection alone in which a roll-up is made."""
    return f"temp.made_{table}"
