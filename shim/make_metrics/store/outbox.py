"""The outbox: messages that wait for a sink to accept them, and the ledger of those that were sent.

A message is known by its sink and its message id. The id of an event never changes, so that nothing is sent twice.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from make_metrics.dataclass import dataclass
from make_metrics.sinks.sink import SinkSettings
from make_metrics.store import bounds
from make_metrics.store.bounds import DAY_NS

KEEP_NS = 14 * DAY_NS
KEEP_SENT_NS = 90 * DAY_NS
KEEP_KNOWN_NS = 8 * DAY_NS


@dataclass(frozen=True, slots=True)
class Entry:
    """A message for a sink: the sink's id (see `sink_id`), the project's directory, the message and its id.

    A message is a dict everywhere. Only the table holds it as JSON. `refused` is why it may not be sent, if it may not.
    """

    sink: str
    project: str
    message_id: str
    message: dict[str, Any]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last request to a project's sink: its time, its result in words, and the earliest time of the next one.

    Times are nanoseconds since the epoch.
    """

    sink: str
    tried_ns: int
    result: str
    not_before_ns: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that a sink accepted, byte for byte. `kind` is the sink's type; `sent_batches` fills it in."""

    sent_ns: int
    url: str
    events: int
    body: bytes
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of a project waits: events, their bytes, when the oldest was queued (0 for none); how many are aside."""

    events: int
    bytes: int
    oldest_ns: int
    aside: int


def sink_id(sink: SinkSettings) -> str:
    """The name of a sink in the store: its type, its host, and a hash of its key and all other settings."""
    settings = "".join(f"\n{name}={value!r}" for name, value in sink.more)
    return f"{sink.type} {sink.host} {hashlib.sha256(f'{sink.key}{settings}'.encode()).hexdigest()[:8]}"


def sink_type(sink: str) -> str:
    """The type of the sink with this id."""
    return sink.partition(" ")[0]


class Outbox:
    """The tables outbox, delivered, ledger, attempts and dropped. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode. Calls that belong together need a transaction of the caller's."""
        self._connection = connection

    def put(self, entries: Iterable[Entry], *, now_ns: int) -> None:
        """Queue messages. One that already waits is replaced; one that was accepted or refused is not queued again."""
        self._connection.executemany(
            "INSERT INTO outbox (sink, project, message_id, message, queued_ns) SELECT ?1, ?2, ?3, ?4, ?5 "
            "WHERE NOT EXISTS (SELECT 1 FROM delivered WHERE sink = ?1 AND message_id = ?3) "
            "ON CONFLICT (sink, message_id) DO UPDATE SET message = excluded.message WHERE aside IS NULL",
            [(entry.sink, entry.project, entry.message_id, json.dumps(entry.message), now_ns) for entry in entries],
        )

    def all_entries(self, project: str) -> list[Entry]:
        """All messages of a project, also those set aside, which may wait again one day."""
        rows = self._connection.execute(
            "SELECT sink, project, message_id, message FROM outbox WHERE project = ? ORDER BY queued_ns, message_id",
            (project,),
        )
        return _entries(rows)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the messages of entries that are in the outbox, also of those set aside."""
        self._connection.executemany(
            "UPDATE outbox SET message = ? WHERE sink = ? AND message_id = ?",
            [(json.dumps(entry.message), entry.sink, entry.message_id) for entry in entries],
        )

    def reload(self, entries: Sequence[Entry]) -> list[Entry]:
        """Read entries again: those that still wait, in the same order, each with its present message."""
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
        """The projects that have waiting messages."""
        rows = self._connection.execute("SELECT DISTINCT project FROM outbox WHERE aside IS NULL ORDER BY project")
        return [project for (project,) in rows]

    def accept(self, entries: Sequence[Entry], batch: Batch) -> None:
        """Move messages that a sink accepted from the outbox to the ledger. They are never queued again."""
        keys = [(entry.sink, entry.message_id) for entry in entries]
        self._connection.executemany("DELETE FROM outbox WHERE sink = ? AND message_id = ?", keys)
        self._connection.executemany(
            "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?)", [(*key, batch.sent_ns) for key in keys]
        )
        self._connection.execute(
            "INSERT INTO ledger (sink, project, sent_ns, url, events, body) VALUES (?, ?, ?, ?, ?, ?)",
            (entries[0].sink, entries[0].project, batch.sent_ns, batch.url, batch.events, zlib.compress(batch.body)),
        )

    def set_aside(self, entry: Entry, reason: str) -> None:
        """Keep a message that its sink refused for good. `status` counts it, and nothing sends it."""
        self._connection.execute(
            "UPDATE outbox SET aside = ? WHERE sink = ? AND message_id = ?", (reason, entry.sink, entry.message_id)
        )

    def take_up(self) -> int:
        """Have messages that were set aside wait again, of all projects, and sinks tried at once; return how many."""
        self._connection.execute("UPDATE attempts SET not_before_ns = 0")
        return self._connection.execute("UPDATE outbox SET aside = NULL WHERE aside IS NOT NULL").rowcount

    def note_attempt(self, project: str, attempt: Attempt) -> None:
        """Replace the last attempt at a sink."""
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
        """How much of a project waits."""
        row = self._connection.execute(
            "SELECT count(*) FILTER (WHERE aside IS NULL), "
            "coalesce(sum(length(CAST(message AS BLOB))) FILTER (WHERE aside IS NULL), 0), "
            "coalesce(min(queued_ns) FILTER (WHERE aside IS NULL), 0), count(aside) FROM outbox WHERE project = ?",
            (project,),
        ).fetchone()
        return Waiting(*row)

    def refused(self, project: str) -> dict[str, int]:
        """How many messages of a project are set aside, by reason."""
        rows = self._connection.execute(
            "SELECT aside, count(*) FROM outbox WHERE project = ? AND aside IS NOT NULL GROUP BY aside", (project,)
        )
        return dict(rows.fetchall())

    def sent_batches(self, project: str) -> list[Batch]:
        """The batches that a project's sinks accepted, oldest first."""
        rows = self._connection.execute(
            "SELECT sent_ns, url, events, body, sink FROM ledger WHERE project = ? ORDER BY id", (project,)
        )
        return [
            Batch(sent_ns, url, events, zlib.decompress(body), sink_type(sink))
            for sent_ns, url, events, body, sink in rows
        ]

    def count_dropped(self, project: str, reason: str, count: int) -> None:
        """Add to the number of messages that were dropped for a reason. `status` shows it."""
        self._connection.execute(
            "INSERT INTO dropped VALUES (?, ?, ?) ON CONFLICT (project, reason) DO UPDATE SET count = count + ?",
            (project, reason, count, count),
        )

    def dropped(self, project: str) -> dict[str, int]:
        """How many messages of a project were dropped, by reason."""
        rows = self._connection.execute("SELECT reason, count FROM dropped WHERE project = ?", (project,))
        return dict(rows.fetchall())

    def withdraw(self, project: str) -> int:
        """Delete a project's messages for all sinks, also those set aside; return how many there were."""
        count = self._connection.execute("DELETE FROM outbox WHERE project = ?", (project,)).rowcount
        self._connection.execute("DELETE FROM attempts WHERE project = ?", (project,))
        return count

    def keep_only(self, project: str, sinks: Iterable[str]) -> None:
        """Delete a project's messages for all other sinks: its settings no longer name these."""
        sink_ids = json.dumps(list(sinks))
        for table in ("outbox", "attempts"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE project = ? AND sink NOT IN (SELECT value FROM json_each(?))",  # noqa: S608
                (project, sink_ids),
            )

    def prune(
        self,
        *,
        now_ns: int,
        written_ns: int | None = None,
        limit_events: int = bounds.OUTBOX_EVENTS,
        limit_bytes: int = bounds.OUTBOX_BYTES,
        limit_delivered: int = bounds.DELIVERED_ROWS,
        limit_ledger: int = bounds.LEDGER_BYTES,
    ) -> None:
        """Keep outbox and ledger within their bounds. The oldest messages are dropped first, and counted.

        `now_ns` is a time that can be trusted (see `sweep.clock`). What was queued at `written_ns` stays for now.
        """
        self._prune_waiting(now_ns, written_ns, limit_events, limit_bytes)
        self._prune_sent(now_ns, limit_delivered, limit_ledger)

    def _prune_waiting(self, now_ns: int, written_ns: int | None, limit_events: int, limit_bytes: int) -> None:
        not_now = f" AND queued_ns IS NOT {written_ns}" if written_ns is not None else ""
        self._drop("older than 14 days", f"SELECT sink, message_id FROM outbox WHERE queued_ns < ?{not_now}",  # noqa: S608
                   now_ns - KEEP_NS)  # fmt: skip
        if self._count("outbox") > limit_events:
            self._drop(
                f"more than {bounds.OUTBOX_EVENTS:,} waited",
                "SELECT sink, message_id FROM (SELECT sink, message_id, queued_ns FROM outbox "  # noqa: S608
                f"ORDER BY queued_ns DESC, message_id DESC LIMIT -1 OFFSET ?) WHERE true{not_now}",
                limit_events,
            )
        if bounds.used_bytes(self._connection) > limit_bytes:
            self._drop(
                f"more than {bounds.OUTBOX_BYTES // 1_000_000} MB waited",
                "SELECT sink, message_id FROM (SELECT sink, message_id, queued_ns, sum(length(CAST(message AS BLOB))) "  # noqa: S608
                "OVER (ORDER BY queued_ns DESC, message_id DESC ROWS UNBOUNDED PRECEDING) AS size FROM outbox) "
                f"WHERE size > ?{not_now}",
                limit_bytes,
            )

    def _prune_sent(self, now_ns: int, limit_delivered: int, limit_ledger: int) -> None:
        self._connection.execute("DELETE FROM ledger WHERE sent_ns < ?", (now_ns - KEEP_SENT_NS,))
        self._connection.execute("DELETE FROM delivered WHERE sent_ns < ?", (now_ns - KEEP_SENT_NS,))
        if bounds.used_bytes(self._connection) > limit_ledger:
            count = self._connection.execute(
                "DELETE FROM ledger WHERE id IN (SELECT id FROM (SELECT id, sum(length(body)) "
                "OVER (ORDER BY id DESC ROWS UNBOUNDED PRECEDING) AS size FROM ledger) WHERE size > ?)",
                (limit_ledger,),
            ).rowcount
            bounds.note(self._connection, bounds.SENT, count, now_ns=now_ns)
        if self._count("delivered") > limit_delivered:
            # A run takes late lines for a week: so long its events could be sent again.
            count = self._connection.execute(
                "DELETE FROM delivered WHERE sent_ns < ? AND (sink, message_id) IN "
                "(SELECT sink, message_id FROM delivered ORDER BY sent_ns DESC LIMIT -1 OFFSET ?)",
                (now_ns - KEEP_KNOWN_NS, limit_delivered),
            ).rowcount
            bounds.note(self._connection, bounds.KNOWN, count, now_ns=now_ns)

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    def _drop(self, reason: str, query: str, value: int) -> None:
        """Delete and count the messages whose key (sink, message id) the query selects for a value."""
        counts = self._connection.execute(
            f"SELECT project, count(*) FROM outbox WHERE (sink, message_id) IN ({query}) GROUP BY project",  # noqa: S608
            (value,),
        ).fetchall()
        if counts:
            self._connection.execute(f"DELETE FROM outbox WHERE (sink, message_id) IN ({query})", (value,))  # noqa: S608
        for project, count in counts:
            self.count_dropped(project, reason, count)


def _entries(rows: Iterable[tuple[str, str, str, str]]) -> list[Entry]:
    return [Entry(sink, project, message_id, json.loads(text)) for sink, project, message_id, text in rows]
