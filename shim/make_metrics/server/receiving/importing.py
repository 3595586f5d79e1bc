"""Messages from files and from a local store into a project, by the same checks as those that come in by HTTP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import select

from make_metrics.combine.event import Event, envelope
from make_metrics.server.projects.projects import now_us, project_id
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import PROJECTS
from make_metrics.server.storage.write import Writer

_AT_ONCE = 1_000


class Imported(NamedTuple):
    """What became of an import: events that were not there yet, all messages, and what was refused of them.

    `refused` counts by property ("" for a whole message) and reason.
    """

    new: int
    messages: int
    refused: Counter[tuple[str, str]]


def messages_of_lines(lines: Iterable[bytes]) -> Iterator[object]:
    """The messages of JSON lines; None for a line that is no JSON."""
    for line in lines:
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            yield None


def messages_of_events(events: Iterable[Event], anonymous_id: str) -> Iterator[dict[str, Any]]:
    """The events of a local store as messages of one person."""
    for event in events:
        yield {"type": "track", **envelope(event, anonymous_id=anonymous_id)}


def import_messages(
    database: Database, name: str, messages: Iterable[object], *, any_command: bool = False
) -> Imported:
    """Store messages in a project; those that are there already are not stored again.

    With `any_command` targets may have any name: a local store has names that are never sent. Raises UserError or
    AwayError.
    """
    with database.reading() as connection:
        project = project_id(connection, name)
        days = connection.scalar(select(PROJECTS.c.retention_days).where(PROJECTS.c.id == project))
    writer, refused = Writer(database), Counter[tuple[str, str]]()
    new = count = 0
    for some in _in_pieces(messages):
        batch = check(project, some, limits(now_us(), days or 0), any_command=any_command)
        new += writer.store([batch])
        count += len(some)
        refused.update(batch.refused)
    return Imported(new, count, refused)


def _in_pieces(messages: Iterable[object]) -> Iterator[list[object]]:
    piece: list[object] = []
    for message in messages:
        piece.append(message)
        if len(piece) == _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
