"""What waits for receivers, some messages at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from make_metrics.store.outbox import Entry

_PAGE = 2_000  # a multiple of what our sinks send at once


def pages(connection: sqlite3.Connection, project: str, sink: str, *, messages: int = _PAGE) -> Iterator[list[Entry]]:
    """The messages of a project that wait for a sink, oldest first, at most `messages` at a time.

    What is queued meanwhile may be missed. Raises sqlite3.Error.
    """
    last = (-(2**63), "")
    while True:
        rows = connection.execute(
            "SELECT queued_ns, message_id, message FROM outbox WHERE project = ? AND sink = ? AND aside IS NULL "
            "AND (queued_ns, message_id) > (?, ?) ORDER BY queued_ns, message_id LIMIT ?",
            (project, sink, *last, messages),
        ).fetchall()
        if not rows:
            return
        last = rows[-1][:2]
        yield [Entry(sink, project, message_id, json.loads(text)) for _, message_id, text in rows]


def count_waiting(connection: sqlite3.Connection, project: str, sink: str) -> int:
    """How many messages of a project wait for a sink."""
    query = "SELECT count(*) FROM outbox WHERE project = ? AND sink = ? AND aside IS NULL"
    return int(connection.execute(query, (project, sink)).fetchone()[0])
