"""The store's tables, as the steps that create and migrate them."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Sequence

from make_metrics.errors import UserError

# A released step is never changed: a change of the tables is a new step. Times are nanoseconds since the epoch.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            started_ns INTEGER NOT NULL,
            directory TEXT NOT NULL,
            goals TEXT NOT NULL,          -- JSON list
            exit_status INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            targets INTEGER NOT NULL,
            make_version TEXT NOT NULL,
            torn INTEGER NOT NULL,
            combined_ns INTEGER NOT NULL, -- when lines were last added
            state BLOB                    -- for lines that come late; see make_metrics.combine.saved_run
        ) WITHOUT ROWID""",
        "CREATE INDEX runs_started ON runs (started_ns)",
        """CREATE TABLE events (
            message_id TEXT PRIMARY KEY,
            parent_id TEXT NOT NULL,
            run TEXT NOT NULL,
            make TEXT NOT NULL,
            target TEXT NOT NULL,
            start_wall_ns INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            exit_status INTEGER NOT NULL,
            goal INTEGER NOT NULL,
            recipe_ms INTEGER NOT NULL,
            recipe_lines INTEGER NOT NULL,
            make_level INTEGER NOT NULL,
            parallel INTEGER NOT NULL,
            is_test TEXT NOT NULL,
            git_checked_out_master INTEGER,
            git_commit_time TEXT,
            directory TEXT NOT NULL       -- of its make
        ) WITHOUT ROWID""",
        "CREATE INDEX events_run ON events (run)",
        "CREATE INDEX events_start ON events (start_wall_ns)",
        """CREATE TABLE records (
            identity TEXT PRIMARY KEY,
            bytes INTEGER NOT NULL,       -- how many from its beginning are combined
            seen_ns INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
    (
        # `sink` is its type, its host and a hash of its key; `message` is JSON; `aside` is why it was refused for good.
        """CREATE TABLE outbox (
            sink TEXT NOT NULL,
            message_id TEXT NOT NULL,
            project TEXT NOT NULL,        -- the directory of its settings
            queued_ns INTEGER NOT NULL,
            message TEXT NOT NULL,
            aside TEXT,
            PRIMARY KEY (sink, message_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX outbox_queued ON outbox (queued_ns)",
        """CREATE TABLE delivered (
            sink TEXT NOT NULL,
            message_id TEXT NOT NULL,
            sent_ns INTEGER NOT NULL,
            PRIMARY KEY (sink, message_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE ledger (
            id INTEGER PRIMARY KEY,
            sink TEXT NOT NULL,
            project TEXT NOT NULL,
            sent_ns INTEGER NOT NULL,
            url TEXT NOT NULL,
            events INTEGER NOT NULL,
            body BLOB NOT NULL            -- as it was sent, compressed
        )""",
        """CREATE TABLE attempts (          -- the last one of each sink
            project TEXT NOT NULL,
            sink TEXT NOT NULL,
            tried_ns INTEGER NOT NULL,
            result TEXT NOT NULL,
            not_before_ns INTEGER NOT NULL,
            PRIMARY KEY (project, sink)
        ) WITHOUT ROWID""",
        """CREATE TABLE dropped (           -- what the outbox's bounds cost
            project TEXT NOT NULL,
            reason TEXT NOT NULL,
            count INTEGER NOT NULL,
            PRIMARY KEY (project, reason)
        ) WITHOUT ROWID""",
    ),
    (
        # Of a target's own recipe lines: processor time, and the most memory that one of their programs held.
        "ALTER TABLE events ADD COLUMN cpu_us INTEGER",
        "ALTER TABLE events ADD COLUMN peak_kib INTEGER",
    ),
    (
        "ALTER TABLE events ADD COLUMN metrics TEXT NOT NULL DEFAULT '{}'",  # JSON: values by name
        """CREATE TABLE troubles (          -- what kept metrics from having a value
            metric TEXT NOT NULL,
            kind TEXT NOT NULL,
            count INTEGER NOT NULL,
            last_ns INTEGER NOT NULL,
            said TEXT NOT NULL,             -- the last one's words
            PRIMARY KEY (metric, kind)
        ) WITHOUT ROWID""",
    ),
)
TABLES = frozenset({"runs", "events", "records", "outbox", "delivered", "ledger", "attempts", "dropped", "troubles"})
_HIGHEST_VERSION = 1_000  # a higher one is no version of ours, but damage


@functools.cache
def columns() -> dict[str, frozenset[str]]:
    """The names of each table's columns."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        return {
            table: frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
            for table in sorted(TABLES)
        }


def version(connection: sqlite3.Connection) -> int:
    """The store's version: how many steps were applied to it."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Apply the steps that a store lacks, each in its own transaction. Several processes may do so at once.

    The connection must be in autocommit mode. Raises UserError if a newer make-metrics wrote the store, and ValueError
    if its version is impossible.
    """
    while (applied := version(connection)) != len(steps):
        if not 0 <= applied <= _HIGHEST_VERSION:
            raise ValueError(f"no version: {applied}")
        if applied > len(steps):
            raise UserError(
                f"the store is of version {applied}, newer than this make-metrics knows: upgrade make-metrics"
            )
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version(connection) == applied:  # no other process applied the step while we waited
                for statement in steps[applied]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {applied + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
