"""A project's events as the messages that they came as: JSON lines, which an import takes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Column, Row, Select, select

from make_metrics.server.projects.projects import project_id
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import CHOICES, CUTS, EVENTS, NAMES, PEOPLE

_PAGE = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def export(database: Database, name: str) -> Iterator[str]:
    """The lines: yes and no first, then the events in the order of the times when they began. Raises UserError if there
    is no such project.

    The memory does not depend on the number of events. Each part is read by itself: however slowly the lines are taken,
    nobody waits for it, and a database's log does not grow. What comes meanwhile may be missing.
    """
    with database.reading() as connection:
        project = project_id(connection, name)
    events = NAMES.alias("event_names")
    choices = (
        select(CHOICES, PEOPLE.c.anonymous_id, events.c.name.label("event_name"))
        .join(PEOPLE, PEOPLE.c.id == CHOICES.c.person)
        .join(events, events.c.id == CHOICES.c.event)
        .where(CHOICES.c.project == project)
    )
    yield from (_line(_choice(row)) for row in _rows(database, choices, CHOICES.c.at_us, CHOICES.c.message_id))
    made = (
        select(EVENTS, PEOPLE.c.anonymous_id, NAMES.c.name.label("target_name"), events.c.name.label("event_name"))
        .add_columns(*(CUTS.c[column].label(f"cut_{column}") for column in ("system", "driver")))
        .join(PEOPLE, PEOPLE.c.id == EVENTS.c.person)
        .join(NAMES, NAMES.c.id == EVENTS.c.target)
        .join(events, events.c.id == EVENTS.c.event)
        .join(CUTS, CUTS.c.id == EVENTS.c.cut)
        .where(EVENTS.c.project == project)
    )
    yield from (_line(_event(row)) for row in _rows(database, made, EVENTS.c.started_us, EVENTS.c.message_id))


def _rows(database: Database, query: Select[Any], at: Column[int], message_id: Column[str]) -> Iterator[Row[Any]]:
    """The rows of a query by their time and id, some at a time."""
    query = query.order_by(at, message_id).limit(_PAGE)
    start: tuple[int, str] | None = None
    while True:
        if start is None:
            some = query
        else:
            later = (at > start[0]) | ((at == start[0]) & (message_id > start[1]))
            some = query.where(at >= start[0], later)
        with database.reading() as connection:
            rows = connection.execute(some).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        start = getattr(rows[-1], at.name), rows[-1].message_id


def _line(message: dict[str, Any]) -> str:
    return json.dumps(message) + "\n"


def _time(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds")


def _envelope(row: Row[Any], at_us: int, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track",
        "event": row.event_name,
        "anonymousId": row.anonymous_id,
        "messageId": row.message_id,
        "timestamp": _time(at_us),
        "properties": properties | (json.loads(row.rest) if row.rest else {}),
    }


def _choice(row: Row[Any]) -> dict[str, Any]:
    properties = {"command_type": "make", "choice": row.choice, "start_time": _time(row.at_us), "is_test": row.is_test}
    return _envelope(row, row.at_us, properties)


def _commit_time(row: Row[Any]) -> str | None:
    if row.commit_s is None:
        return None
    zone = timezone(timedelta(minutes=row.commit_offset_min or 0))
    try:
        return (_EPOCH + timedelta(seconds=row.commit_s)).astimezone(zone).isoformat(timespec="seconds")
    except OverflowError:  # a receiver of before took times that are in the year 0 in UTC
        return None


def _event(row: Row[Any]) -> dict[str, Any]:
    values = {
        "command": row.target_name,
        "command_type": "make",
        "duration_ms": row.whole_ms,
        "exit_status": row.status,
        "git_checked_out_master": row.on_default,
        "git_commit_time": _commit_time(row),
        "is_test": row.is_test,
        "start_time": _time(row.started_us),
        "goal": row.goal,
        "recipe_ms": row.own_ms,
        "recipe_lines": row.lines,
        "make_level": row.level,
        "parallel": row.parallel,
        "run_id": row.run,
        "parent_id": row.parent,
        "event_version": row.version,
        "jobs": row.jobs,
        "os": row.cut_system or None,
        "driver": row.cut_driver or None,
    }
    ended_us = row.started_us + 1_000 * (row.whole_ms or 0)
    return _envelope(row, ended_us, {name: value for name, value in values.items() if value is not None})
