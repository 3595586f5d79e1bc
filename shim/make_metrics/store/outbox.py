"""The outbox: messages that wait for a sink to accept them, and what was sent. All by message id, which is stable."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

DAY_NS = 86_400_000_000_000
KEEP_NS = 14 * DAY_NS
KEEP_SENT_NS = 90 * DAY_NS
LIMIT_EVENTS = 10_000
LIMIT_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A message for a sink: the sink's key (see `deliver.outgoing`), the project's directory, the message and its id.

    A message is a dict everywhere; only the table has it as JSON.
    """

    sink: str
    project: str
    message_id: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last attempt at a project's sink: when (nanoseconds since the epoch), what came of it, and the next time."""

    sink: str
    tried_ns: int
    result: str
    not_before_ns: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that a sink accepted, as it was sent. `kind` is the sink's, where it is read back."""

    sent_ns: int
    url: str
    events: int
    body: bytes
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a project: events, their bytes, and when the oldest was queued (0 for none); those set aside."""

    events: int
    bytes: int
    oldest_ns: int
    aside: int


class Outbox:
    """The tables as functions, on the store's connection; failures come out as sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode; several calls belong together only inside the caller's transaction."""
        self._connection = connection

    def put(self, entries: Iterable[Entry], *, now_ns: int) -> None:
        """Queue messages, or their newer form; what was accepted, or refused for good, is not queued again."""
        self._connection.executemany(
            "INSERT INTO outbox (sink, project, message_id, message, queued_ns) SELECT ?1, ?2, ?3, ?4, ?5 "
            "WHERE NOT EXISTS (SELECT 1 FROM delivered WHERE sink = ?1 AND message_id = ?3) "
            "ON CONFLICT (sink, message_id) DO UPDATE SET message = excluded.message WHERE aside IS NULL",
            [(entry.sink, entry.project, entry.message_id, json.dumps(entry.message), now_ns) for entry in entries],
        )

    def waiting(self, project: str, sink: str, limit: int = -1) -> list[Entry]:
        """What waits for a sink, oldest first."""
        rows = self._connection.execute(
            "SELECT sink, project, message_id, message FROM outbox WHERE project = ? AND sink = ? AND aside IS NULL "
            "ORDER BY queued_ns, message_id LIMIT ?",
            (project, sink, limit),
        )
        return _entries(rows)

    def still(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of the entries that wait at this moment, in the same order, each with its message of now."""
        keys = [(entry.sink, entry.project, entry.message_id) for entry in entries]
        rows = self._connection.execute(
            "SELECT outbox.sink, outbox.project, outbox.message_id, outbox.message FROM json_each(?) AS wanted "
            "JOIN outbox ON outbox.sink = json_extract(wanted.value, '$[0]') "
            "AND outbox.project = json_extract(wanted.value, '$[1]') "
            "AND outbox.message_id = json_extract(wanted.value, '$[2]') "
            "WHERE outbox.aside IS NULL ORDER BY wanted.key",
            (json.dumps(keys),),
        )
        return _entries(rows)

    def projects(self) -> list[str]:
        """The projects for which anything waits."""
        rows = self._connection.execute("SELECT DISTINCT project FROM outbox WHERE aside IS NULL ORDER BY project")
        return [project for (project,) in rows]

    def accept(self, entries: Sequence[Entry], batch: Batch) -> None:
        """A sink accepted these: they leave the outbox and are not queued again; the batch goes to the ledger."""
        ids = [(entry.sink, entry.message_id) for entry in entries]
        self._connection.executemany("DELETE FROM outbox WHERE sink = ? AND message_id = ?", ids)
        self._connection.executemany(
            "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?)", [(*named, batch.sent_ns) for named in ids]
        )
        self._connection.execute(
            "INSERT INTO ledger (sink, project, sent_ns, url, events, body) VALUES (?, ?, ?, ?, ?, ?)",
            (entries[0].sink, entries[0].project, batch.sent_ns, batch.url, batch.events, zlib.compress(batch.body)),
        )

    def set_aside(self, entry: Entry, reason: str) -> None:
        """A sink refuses this one for good: it stays, is shown, and is not tried again."""
        self._connection.execute(
            "UPDATE outbox SET aside = ? WHERE sink = ? AND message_id = ?", (reason, entry.sink, entry.message_id)
        )

    def tried(self, project: str, attempt: Attempt) -> None:
        """Note an attempt in the place of the one before it."""
        self._connection.execute(
            "INSERT OR REPLACE INTO attempts (project, sink, tried_ns, result, not_before_ns) VALUES (?, ?, ?, ?, ?)",
            (project, attempt.sink, attempt.tried_ns, attempt.result, attempt.not_before_ns),
        )

    def attempts(self, project: str) -> list[Attempt]:
        """The last attempt at each sink of a project."""
        rows = self._connection.execute(
            "SELECT sink, tried_ns, result, not_before_ns FROM attempts WHERE project = ? ORDER BY sink", (project,)
        )
        return [Attempt(*row) for row in rows]

    def count(self, project: str) -> Waiting:
        """How much waits in a project."""
        row = self._connection.execute(
            "SELECT count(*) FILTER (WHERE aside IS NULL), "
            "coalesce(sum(length(CAST(message AS BLOB))) FILTER (WHERE aside IS NULL), 0), "
            "coalesce(min(queued_ns) FILTER (WHERE aside IS NULL), 0), count(aside) FROM outbox WHERE project = ?",
            (project,),
        ).fetchone()
        return Waiting(*row)

    def aside(self, project: str) -> dict[str, int]:
        """How many messages of a project were refused for good, by reason."""
        rows = self._connection.execute(
            "SELECT aside, count(*) FROM outbox WHERE project = ? AND aside IS NOT NULL GROUP BY aside", (project,)
        )
        return dict(rows.fetchall())

    def sent(self, project: str) -> list[Batch]:
        """The batches that a project's sinks accepted, oldest first."""
        rows = self._connection.execute(
            "SELECT sent_ns, url, events, body, sink FROM ledger WHERE project = ? ORDER BY id", (project,)
        )
        return [
            Batch(sent_ns, url, events, zlib.decompress(body), sink.partition(" ")[0])
            for sent_ns, url, events, body, sink in rows
        ]

    def drop(self, project: str, reason: str, count: int) -> None:
        """Count messages that were lost, for `status` to show."""
        self._connection.execute(
            "INSERT INTO dropped VALUES (?, ?, ?) ON CONFLICT (project, reason) DO UPDATE SET count = count + ?",
            (project, reason, count, count),
        )

    def dropped(self, project: str) -> dict[str, int]:
        """How many messages of a project were lost, by reason."""
        rows = self._connection.execute("SELECT reason, count FROM dropped WHERE project = ?", (project,))
        return dict(rows.fetchall())

    def withdraw(self, project: str) -> int:
        """Remove everything of a project that waits, for whatever sink; how many messages that were."""
        gone = self._connection.execute("DELETE FROM outbox WHERE project = ?", (project,)).rowcount
        self._connection.execute("DELETE FROM attempts WHERE project = ?", (project,))
        return gone

    def keep_only(self, project: str, sinks: Iterable[str]) -> None:
        """Remove what waits for other sinks than these: nobody will ever ask for it."""
        kept = json.dumps(list(sinks))
        for table in ("outbox", "attempts"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE project = ? AND sink NOT IN (SELECT value FROM json_each(?))",  # noqa: S608
                (project, kept),
            )

    def prune(self, *, now_ns: int, limit_events: int = LIMIT_EVENTS, limit_bytes: int = LIMIT_BYTES) -> None:
        """Keep the outbox and the ledger within their bounds: the oldest go first, and are counted."""
        self._lose("older than 14 days", "SELECT sink, message_id FROM outbox WHERE queued_ns < ?", now_ns - KEEP_NS)
        self._lose(
            "more than 10,000 waited",
            "SELECT sink, message_id FROM outbox ORDER BY queued_ns DESC, message_id DESC LIMIT -1 OFFSET ?",
            limit_events,
        )
        self._lose(
            "more than 5 MB waited",
            "SELECT sink, message_id FROM (SELECT sink, message_id, sum(length(CAST(message AS BLOB))) "
            "OVER (ORDER BY queued_ns DESC, message_id DESC ROWS UNBOUNDED PRECEDING) AS size FROM outbox) "
            "WHERE size > ?",
            limit_bytes,
        )
        self._connection.execute("DELETE FROM ledger WHERE sent_ns < ?", (now_ns - KEEP_SENT_NS,))
        self._connection.execute("DELETE FROM delivered WHERE sent_ns < ?", (now_ns - KEEP_SENT_NS,))

    def _lose(self, reason: str, which: str, value: int) -> None:
        lost = self._connection.execute(
            f"SELECT project, count(*) FROM outbox WHERE (sink, message_id) IN ({which}) GROUP BY project",  # noqa: S608
            (value,),
        ).fetchall()
        if lost:
            self._connection.execute(f"DELETE FROM outbox WHERE (sink, message_id) IN ({which})", (value,))  # noqa: S608
        for project, count in lost:
            self.drop(project, reason, count)


def _entries(rows: Iterable[tuple[str, str, str, str]]) -> list[Entry]:
    return [Entry(sink, project, message_id, json.loads(text)) for sink, project, message_id, text in rows]
