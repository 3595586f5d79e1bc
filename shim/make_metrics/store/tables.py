"""The store's tables, as the steps that create and migrate them."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Sequence

from make_metrics.errors import UserError
from make_metrics.store.compact.views import VIEWS

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
    (
        # Runs in a fraction of the room: a text that many rows share is stored once, an id that can be computed never.
        # The tables runs and events are those of earlier versions; `store.earlier` moves their rows, and leaves them
        # empty. A column that refers to a text is 0 for the empty one.
        """CREATE TABLE texts (
            id INTEGER PRIMARY KEY,
            text TEXT NOT NULL UNIQUE
        )""",
        """CREATE TABLE builds (            -- one for each run
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            started_ns INTEGER NOT NULL,
            directory INTEGER NOT NULL,     -- a text, as all that follow where it says so
            goals INTEGER NOT NULL,         -- a text: a JSON list
            exit_status INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            before_ms INTEGER,              -- make's own time before the first recipe line; NULL if unknown
            targets INTEGER NOT NULL,
            make_version INTEGER NOT NULL,  -- a text
            jobs INTEGER NOT NULL,          -- 0 no limit, -1 unknown
            commit_id INTEGER NOT NULL,     -- a text
            branch INTEGER NOT NULL,        -- a text
            torn INTEGER NOT NULL,
            combined_ns INTEGER NOT NULL,   -- when lines were last added
            lines INTEGER NOT NULL          -- how many rows of the table lines belong to it
        )""",
        "CREATE INDEX builds_started ON builds (started_ns)",
        "CREATE INDEX builds_directory ON builds (directory, started_ns)",
        """CREATE TABLE states (            -- for lines that come late; see make_metrics.combine.saved_run
            build INTEGER PRIMARY KEY,
            state BLOB NOT NULL
        )""",
        """CREATE TABLE makes (             -- the make processes of each run
            build INTEGER NOT NULL,
            number INTEGER NOT NULL,
            key TEXT NOT NULL,
            parent INTEGER,                 -- the number of the make that started it; NULL for none, or if unknown
            parent_target INTEGER NOT NULL, -- a text: the target whose recipe started it
            parent_id TEXT,                 -- of the event of that target, where an earlier version stored only this
            level INTEGER NOT NULL,
            directory INTEGER NOT NULL,     -- a text
            goals INTEGER NOT NULL,         -- a text: a JSON list
            make_version INTEGER NOT NULL,  -- a text
            jobs INTEGER NOT NULL,
            parallel INTEGER NOT NULL,
            is_test INTEGER NOT NULL,       -- a text
            start_us INTEGER,               -- since the run's start; NULL if unknown
            metrics TEXT NOT NULL,          -- JSON: values by name, those that all its targets share
            PRIMARY KEY (build, number)
        ) WITHOUT ROWID""",
        # A target's own lines began `start_us` after the run, and took `span_us`, of which `idle_us` were between
        # them. Its event began `lead_us` before them; it took `whole_ms`, or as long as the lines if that is NULL.
        """CREATE TABLE targets (
            build INTEGER NOT NULL,
            make INTEGER NOT NULL,
            name INTEGER NOT NULL,          -- a text
            start_us INTEGER NOT NULL,
            span_us INTEGER NOT NULL,
            idle_us INTEGER NOT NULL,
            exit_status INTEGER NOT NULL,
            lines INTEGER NOT NULL,
            cpu_us INTEGER,
            peak_kib INTEGER,
            goal INTEGER NOT NULL,
            lead_us INTEGER NOT NULL,
            whole_ms INTEGER,
            prerequisites INTEGER,          -- a text: two JSON lists, normal and order-only ones; NULL if unknown
            newer INTEGER,                  -- bits: which normal ones were newer, the first is 1; NULL if unknown
            metrics TEXT,                   -- JSON: values by name, as far as they differ from the make's
            PRIMARY KEY (build, make, name)
        ) WITHOUT ROWID""",
        # The only line of a target has no row: its target says the same, unless make ignored that it failed.
        """CREATE TABLE lines (
            build INTEGER NOT NULL,
            make INTEGER NOT NULL,
            name INTEGER NOT NULL,          -- a text: its target
            number INTEGER NOT NULL,        -- from 1
            start_us INTEGER NOT NULL,      -- since the first line of its target
            duration_us INTEGER NOT NULL,
            exit_status INTEGER NOT NULL,
            cpu_us INTEGER,
            peak_kib INTEGER,
            PRIMARY KEY (build, make, name, number)
        ) WITHOUT ROWID""",
        """CREATE TABLE notes (             -- what the store knows about itself
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) WITHOUT ROWID""",
        *VIEWS,
    ),
    (
        """CREATE TABLE clock (             -- what the clock showed; see make_metrics.sweep.clock
            id INTEGER PRIMARY KEY CHECK (id = 1),
            seen_ns INTEGER NOT NULL,
            trusted_ns INTEGER NOT NULL,
            jumped_ns INTEGER NOT NULL
        )""",
        """INSERT INTO clock SELECT 1, last_ns, last_ns, 0 FROM (SELECT max(
            coalesce((SELECT max(combined_ns) FROM runs), 0),
            coalesce((SELECT max(combined_ns) FROM builds), 0),
            coalesce((SELECT max(seen_ns) FROM records), 0)) AS last_ns) WHERE last_ns > 0""",
        """CREATE TABLE given_up (          -- what the bounds of each kind of data cost
            kind TEXT PRIMARY KEY,
            count INTEGER NOT NULL,
            last_ns INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX delivered_sent ON delivered (sent_ns)",
        """CREATE TABLE pieces (            -- of runs that are too large to be combined at once
            run TEXT NOT NULL,
            identity TEXT NOT NULL,       -- of the record
            start INTEGER NOT NULL,       -- where the piece begins in the record
            state BLOB NOT NULL,          -- see make_metrics.combine.saved_run
            PRIMARY KEY (run, identity, start)
        ) WITHOUT ROWID""",
        """CREATE TABLE unfinished (        -- runs whose pieces become events, some thousands at a time
            run TEXT PRIMARY KEY,
            done INTEGER NOT NULL,        -- how many targets are written
            targets INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE resting (           -- receivers that failed, of all projects
            receiver TEXT PRIMARY KEY,
            failures INTEGER NOT NULL,    -- in a row
            not_before_ns INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
    # A page of what waits is read without the rest.
    ("CREATE INDEX outbox_waiting ON outbox (project, sink, queued_ns, message_id) WHERE aside IS NULL",),
)
TABLES = frozenset(
    {"runs", "events", "records", "outbox", "delivered", "ledger", "attempts", "dropped", "troubles"}
    | {"texts", "builds", "states", "makes", "targets", "lines", "notes"}
    | {"clock", "given_up", "pieces", "unfinished", "resting"}
)
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


def holds_earlier(connection: sqlite3.Connection) -> bool:
    """Whether tables of an earlier version still hold something (`store.earlier` moves it). Raises sqlite3.Error."""
    (holds,) = connection.execute("SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM events)").fetchone()
    return bool(holds)
