"""Rows of the store that none of our versions writes: a text for a number, a number beyond all bounds, no JSON.

A command that fails asks for them: then they are removed, counted and said, and the command is run again without them.
Looking at each row would take too long for every command.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib

from make_metrics.files.paths import Paths
from make_metrics.store import tables

_BUSY_S = 5
_LARGEST = 2**53
_LARGEST_NS = 9_000_000_000_000_000_000  # in the year 2255
_NEVER_NEGATIVE = ("started_ns", "combined_ns", "sent_ns", "queued_ns", "seen_ns", "tried_ns", "duration_ms")
_TYPES = {"INTEGER": "integer", "TEXT": "text", "BLOB": "blob"}
_JSON = {("makes", "metrics"), ("targets", "metrics"), ("outbox", "message")}


def remove(paths: Paths) -> str:
    """Remove what is impossible; a line about it, empty if there was nothing. Raises sqlite3.Error or OSError."""
    if not paths.store.is_file():
        return ""
    with contextlib.closing(sqlite3.connect(paths.store, timeout=_BUSY_S, isolation_level=None)) as connection:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("BEGIN IMMEDIATE")
        counts = {table: count for table in sorted(tables.TABLES) if (count := _clear(connection, table))}
        connection.execute("COMMIT")
    if not counts:
        return ""
    rows = ", ".join(f"{count} of {table}" for table, count in counts.items())
    return f"rows of the store had impossible values, and were removed: {rows}"


def _clear(connection: sqlite3.Connection, table: str) -> int:
    wrong = [_fault(table, *column) for column in connection.execute(
        f"SELECT name, type, \"notnull\" OR pk FROM pragma_table_info('{table}')"  # noqa: S608
    )]  # fmt: skip
    if table == "builds":  # a run is written with its makes, but for one that is combined in pieces
        wrong.append(
            "(NOT EXISTS (SELECT 1 FROM makes WHERE makes.build = builds.number)"
            " AND id NOT IN (SELECT run FROM unfinished) AND id NOT IN (SELECT run FROM pieces))"
        )
    count = connection.execute(f"DELETE FROM {table} WHERE {' OR '.join(wrong)}").rowcount  # noqa: S608
    if table == "ledger":
        for number, body in connection.execute("SELECT id, body FROM ledger").fetchall():
            try:
                zlib.decompress(body)
            except zlib.error:
                count += connection.execute("DELETE FROM ledger WHERE id = ?", (number,)).rowcount
    return count


def _fault(table: str, name: str, kind: str, required: int) -> str:
    """An expression that is true for a value that the column never has."""
    types = f"'{_TYPES.get(kind.upper(), 'text')}'" + ("" if required else ", 'null'")
    fault = f"typeof({name}) NOT IN ({types})"
    if kind.upper() == "INTEGER":
        if name.endswith(("_ns", "_us", "_ms", "_kib")):
            fault += f" OR {name} NOT BETWEEN {-1 if name in _NEVER_NEGATIVE else -_LARGEST} AND " + str(
                _LARGEST_NS if name.endswith("_ns") else _LARGEST
            )
    elif (table, name) in _JSON:
        fault += f" OR ({name} IS NOT NULL AND NOT json_valid({name}))"
    return f"({fault})"
