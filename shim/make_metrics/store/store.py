"""The store's runs, events and records: writing and reading them, and how long they are kept."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

from make_metrics.combine import saved_run
from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import StoredEvent, Summary
from make_metrics.properties.property import Value

DAY_NS = 86_400_000_000_000
KEEP_NS = 90 * DAY_NS
KEEP_STATE_NS = 7 * DAY_NS
LIMIT_BYTES = 64 * 1024 * 1024
_EVENT_COLUMNS = tuple(field.name for field in fields(Event))  # the last one, metrics, is JSON
_values_but_metrics = attrgetter(*_EVENT_COLUMNS[:-1])
_GIT_COLUMNS = ("git_checked_out_master", "git_commit_time")
_SUMMARY_COLUMNS = tuple(field.name for field in fields(Summary))


@dataclass(frozen=True, slots=True)
class SavedRun:
    """Whether the store has a run, and the run's parts. The parts are deleted after a week, so that `run` is None."""

    exists: bool
    run: Run | None


class Store:
    """The tables runs, events and records. Every method may raise sqlite3.Error (see `store.database.opened`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode, with migrated tables."""
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for other tables of the same store."""
        return self._connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction for the length of a `with` block. An exception in the block undoes all its writes."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def load_run(self, run: str) -> SavedRun:
        """A run's parts, as far as they are still stored."""
        row = self._connection.execute("SELECT state FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None or row[0] is None:
            return SavedRun(row is not None, None)
        try:
            return SavedRun(True, saved_run.load(row[0]))
        except (ValueError, TypeError):
            return SavedRun(True, None)

    def metrics(self, run: str) -> dict[str, dict[str, Value]]:
        """The values of all metrics of a run's events, those of git included, by message id."""
        columns = ", ".join(_GIT_COLUMNS)
        rows = self._connection.execute(f"SELECT message_id, metrics, {columns} FROM events WHERE run = ?", (run,))  # noqa: S608
        values = {}
        for message_id, metrics, on_default_branch, commit_time in rows:
            git = dict(zip(_GIT_COLUMNS, (_boolean(on_default_branch), commit_time), strict=True))
            values[message_id] = _metrics(metrics) | {name: value for name, value in git.items() if value is not None}
        return values

    def combined_bytes(self, identity: str) -> int:
        """How many bytes from the beginning of a record are already combined."""
        row = self._connection.execute("SELECT bytes FROM records WHERE identity = ?", (identity,)).fetchone()
        return int(row[0]) if row else 0

    def mark(self, identity: str, *, size: int, now_ns: int) -> None:
        """Note that the first `size` bytes of a record are combined."""
        self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (identity, size, now_ns))

    def put(self, run: Run, summary: Summary, events: Iterable[Event], *, now_ns: int) -> None:
        """Write a run and its events. They replace an earlier form of the run."""
        self._connection.execute("DELETE FROM events WHERE run = ?", (run.id,))
        values = {name: getattr(summary, name) for name in _SUMMARY_COLUMNS}
        values |= {"goals": json.dumps(summary.goals), "combined_ns": now_ns, "state": saved_run.dump(run)}
        self._connection.execute(f"INSERT OR REPLACE INTO runs {_columns_and_values(values)}", tuple(values.values()))
        self._insert(run, events)

    def put_late(self, run: Run, events: Iterable[Event]) -> None:
        """Add events to a run whose parts are deleted. Events that the run already has stay as they are."""
        self._insert(run, events)

    def _insert(self, run: Run, events: Iterable[Event]) -> None:
        directories = {key: make.directory for key, make in run.makes.items()}
        self._connection.executemany(
            f"INSERT OR IGNORE INTO events {_columns_and_values((*_EVENT_COLUMNS, 'directory'))}",
            (
                (*_values_but_metrics(event), json.dumps(event.metrics), directories.get(event.make, ""))
                for event in events
            ),
        )

    def events(self, *, since_ns: int = 0) -> list[StoredEvent]:
        """All events that began at `since_ns` (nanoseconds since the epoch) or later, in order of their start."""
        columns = ", ".join(f"events.{name}" for name in (*_EVENT_COLUMNS, "directory"))
        rows = self._connection.execute(
            f"SELECT {columns}, coalesce(runs.directory, '') FROM events LEFT JOIN runs ON runs.id = events.run "  # noqa: S608
            "WHERE start_wall_ns >= ? ORDER BY start_wall_ns, make_level, message_id",
            (since_ns,),
        )
        return [
            StoredEvent(_event(values), run_directory, make_directory)
            for *values, make_directory, run_directory in rows
        ]

    def runs(self, *, since_ns: int = 0) -> list[Summary]:
        """All runs that started at `since_ns` (nanoseconds since the epoch) or later, in order of their start."""
        rows = self._connection.execute(
            f"SELECT {', '.join(_SUMMARY_COLUMNS)} FROM runs WHERE started_ns >= ? ORDER BY started_ns, id",  # noqa: S608
            (since_ns,),
        )
        runs = [dict(zip(_SUMMARY_COLUMNS, row, strict=True)) for row in rows]
        return [Summary(**{**run, "goals": tuple(json.loads(run["goals"]))}) for run in runs]

    def prune(self, *, now_ns: int, limit_bytes: int = LIMIT_BYTES) -> None:
        """Delete what is too old, then the oldest runs until the store holds no more than `limit_bytes`."""
        oldest_ns = now_ns - KEEP_NS
        with self.transaction():
            self._delete_runs("started_ns < ?", oldest_ns)
            self._connection.execute(
                "UPDATE runs SET state = NULL WHERE state IS NOT NULL AND combined_ns < ?", (now_ns - KEEP_STATE_NS,)
            )
            self._connection.execute("DELETE FROM records WHERE seen_ns < ?", (oldest_ns,))
        while self.used_bytes() > limit_bytes and (count := self._number("SELECT count(*) FROM runs")):
            with self.transaction():
                self._delete_runs("id IN (SELECT id FROM runs ORDER BY started_ns, id LIMIT ?)", 1 + count // 20)
        if self._number("PRAGMA freelist_count"):
            # This pragma returns a row for each freed page. `execute` would stop at the first one.
            self._connection.executescript("PRAGMA incremental_vacuum")

    def used_bytes(self) -> int:
        """The size of the store's contents in bytes, without free pages."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._number("PRAGMA page_size")

    def _delete_runs(self, condition: str, value: int) -> None:
        """Delete the runs for which an SQL condition holds with this value, and their events."""
        self._connection.execute(f"DELETE FROM events WHERE run IN (SELECT id FROM runs WHERE {condition})", (value,))  # noqa: S608
        self._connection.execute(f"DELETE FROM runs WHERE {condition}", (value,))  # noqa: S608

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


def _columns_and_values(names: Iterable[str]) -> str:
    """The end of an INSERT statement that fills these columns."""
    names = list(names)
    return f"({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def _boolean(value: object) -> bool | None:
    """A boolean from its column, which holds 0, 1 or NULL."""
    return None if value is None else bool(value)


def _metrics(column: object) -> dict[str, Value]:
    """Metrics from their column, without values of a wrong type; empty if the column holds no JSON object."""
    try:
        values = json.loads(str(column))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, Value)}


def _event(row: Sequence[object]) -> Event:
    values = dict(zip(_EVENT_COLUMNS, row, strict=True))
    for name in ("goal", "parallel"):
        values[name] = bool(values[name])
    values["git_checked_out_master"] = _boolean(values["git_checked_out_master"])
    values["metrics"] = _metrics(values["metrics"])
    return Event(**values)  # type: ignore[arg-type]
