"""How much the store keeps of each kind of data, and what these bounds have cost.

No kind takes another's room: many sent messages cost no history. What is given up is counted, and `status` shows it.
"""

from __future__ import annotations

import sqlite3

from make_metrics.dataclass import dataclass
from make_metrics.sinks.user_settings import HISTORY_MIB

DAY_NS = 86_400_000_000_000
MIB = 1024 * 1024
HISTORY_BYTES = HISTORY_MIB * MIB
LEDGER_BYTES = 256 * MIB
DELIVERED_ROWS = 2_000_000
OUTBOX_EVENTS = 400_000
OUTBOX_BYTES = 250_000_000

RUNS, SENT, KNOWN = "runs", "copies of sent batches", "ids of sent events"
_ROW_BYTES = 40
_FILL = 1.4  # pages whose keys come in no order are two thirds full


@dataclass(frozen=True, slots=True)
class GivenUp:
    """How much of a kind of data was deleted because of its bound, and when last (nanoseconds since the epoch)."""

    kind: str
    count: int
    last_ns: int


def note(connection: sqlite3.Connection, kind: str, count: int, *, now_ns: int) -> None:
    """Count what was deleted because of a bound. May raise sqlite3.Error."""
    if count > 0:
        connection.execute(
            "INSERT INTO given_up VALUES (?1, ?2, ?3) "
            "ON CONFLICT (kind) DO UPDATE SET count = count + ?2, last_ns = ?3",
            (kind, count, now_ns),
        )


def given_up(connection: sqlite3.Connection) -> list[GivenUp]:
    """What the bounds have cost. May raise sqlite3.Error."""
    return [GivenUp(*row) for row in connection.execute("SELECT kind, count, last_ns FROM given_up ORDER BY kind")]


def used_bytes(connection: sqlite3.Connection) -> int:
    """The size of the store's contents in bytes, without free pages."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def other_bytes(connection: sqlite3.Connection) -> int:
    """About how many bytes all tables take but those of the history. Reads these tables to their ends."""
    total = 0.0
    for table, columns in (
        ("outbox", ("sink", "message_id", "project", "message")),
        ("delivered", ("sink", "message_id")),
        ("ledger", ("sink", "project", "body")),
        ("pieces", ("state",)),
    ):
        lengths = " + ".join(f"length(CAST({column} AS BLOB))" for column in columns)
        query = f"SELECT count(*), coalesce(sum({lengths}), 0) FROM {table}"  # noqa: S608
        rows, length = connection.execute(query).fetchone()
        total += (length + rows * _ROW_BYTES) * _FILL
    return int(total)
