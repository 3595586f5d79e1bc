"""The store: runs, their events, and how far each record is combined; what it keeps, and for how long."""

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
_EVENT = tuple(field.name for field in fields(Event))  # its metrics last, as JSON
_plain = attrgetter(*_EVENT[:-1])
_OWN_COLUMN = ("git_checked_out_master", "git_commit_time")
_SUMMARY = tuple(field.name for field in fields(Summary))


@dataclass(frozen=True, slots=True)
class SavedRun:
    """Whether the store has a run, and the run's parts. The parts are deleted after a week, so that `run` is None."""

    exists: bool
    run: Run | None


class Store:
    """The tables as functions; every failure of SQLite comes out as sqlite3.Error (see `store.database.opened`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode, whose tables are up to date."""
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for other tables of the same store."""
        return self._connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block is written, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def load_run(self, run: str) -> SavedRun:
        """What is known of a run so far."""
        row = self._connection.execute("SELECT state FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None or row[0] is None:
            return SavedRun(row is not None, None)
        try:
            return SavedRun(True, saved_run.load(row[0]))
        except (ValueError, TypeError):
            return SavedRun(True, None)

    def metrics(self, run: str) -> dict[str, dict[str, Value]]:
        """The values of metrics that a run's events have, by message id; those of git are among them."""
        columns = ", ".join(_OWN_COLUMN)
        rows = self._connection.execute(f"SELECT message_id, metrics, {columns} FROM events WHERE run = ?", (run,))  # noqa: S608
        found = {}
        for message_id, metrics, *own in rows:
            known = dict(zip(_OWN_COLUMN, (_truth(own[0]), own[1]), strict=True))
            found[message_id] = _load(metrics) | {name: value for name, value in known.items() if value is not None}
        return found

    def combined_bytes(self, identity: str) -> int:
        """How many bytes from the beginning of a record are combined already."""
        row = self._connection.execute("SELECT bytes FROM records WHERE identity = ?", (identity,)).fetchone()
        return int(row[0]) if row else 0

    def mark(self, identity: str, *, size: int, now_ns: int) -> None:
        """Say that a record is combined up to `size` bytes."""
        self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (identity, size, now_ns))

    def put(self, run: Run, summary: Summary, events: Iterable[Event], *, now_ns: int) -> None:
        """Write a run and its events in place of what was known of it."""
        self._connection.execute("DELETE FROM events WHERE run = ?", (run.id,))
        values = {name: getattr(summary, name) for name in _SUMMARY}
        values |= {"goals": json.dumps(summary.goals), "combined_ns": now_ns, "state": saved_run.dump(run)}
        self._connection.execute(f"INSERT OR REPLACE INTO runs {_into(values)}", tuple(values.values()))
        self._insert(run, events)

    def put_late(self, run: Run, events: Iterable[Event]) -> None:
        """Add events of a run whose parts were given up: those that it has stay as they are."""
        self._insert(run, events)

    def _insert(self, run: Run, events: Iterable[Event]) -> None:
        directories = {key: make.directory for key, make in run.makes.items()}
        self._connection.executemany(
            f"INSERT OR IGNORE INTO events {_into((*_EVENT, 'directory'))}",
            ((*_plain(event), json.dumps(event.metrics), directories.get(event.make, "")) for event in events),
        )

    def events(self, *, since_ns: int = 0) -> list[StoredEvent]:
        """All events that began at or after a time, in the order in which they began."""
        columns = ", ".join(f"events.{name}" for name in (*_EVENT, "directory"))
        rows = self._connection.execute(
            f"SELECT {columns}, coalesce(runs.directory, '') FROM events LEFT JOIN runs ON runs.id = events.run "  # noqa: S608
            "WHERE start_wall_ns >= ? ORDER BY start_wall_ns, make_level, message_id",
            (since_ns,),
        )
        return [StoredEvent(_event(values), project, directory) for *values, directory, project in rows]

    def runs(self, *, since_ns: int = 0) -> list[Summary]:
        """All runs that started at or after a time, in the order in which they started."""
        rows = self._connection.execute(
            f"SELECT {', '.join(_SUMMARY)} FROM runs WHERE started_ns >= ? ORDER BY started_ns, id",  # noqa: S608
            (since_ns,),
        )
        found = [dict(zip(_SUMMARY, row, strict=True)) for row in rows]
        return [Summary(**{**run, "goals": tuple(json.loads(run["goals"]))}) for run in found]

    def prune(self, *, now_ns: int, limit_bytes: int = LIMIT_BYTES) -> None:
        """Give up what is too old, and then the oldest runs until no more than `limit_bytes` are in use."""
        old = now_ns - KEEP_NS
        with self.transaction():
            self._forget("started_ns < ?", old)
            self._connection.execute(
                "UPDATE runs SET state = NULL WHERE state IS NOT NULL AND combined_ns < ?", (now_ns - KEEP_STATE_NS,)
            )
            self._connection.execute("DELETE FROM records WHERE seen_ns < ?", (old,))
        while self.used_bytes() > limit_bytes and (count := self._number("SELECT count(*) FROM runs")):
            with self.transaction():
                self._forget("id IN (SELECT id FROM runs ORDER BY started_ns, id LIMIT ?)", 1 + count // 20)
        if self._number("PRAGMA freelist_count"):
            # It gives a row without columns for each page, at the first of which `execute` would stop.
            self._connection.executescript("PRAGMA incremental_vacuum")

    def used_bytes(self) -> int:
        """The size of what the store holds, without pages that are free."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._number("PRAGMA page_size")

    def _forget(self, which: str, value: int) -> None:
        self._connection.execute(f"DELETE FROM events WHERE run IN (SELECT id FROM runs WHERE {which})", (value,))  # noqa: S608
        self._connection.execute(f"DELETE FROM runs WHERE {which}", (value,))  # noqa: S608

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


def _into(names: Iterable[str]) -> str:
    names = list(names)
    return f"({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)


def _load(metrics: object) -> dict[str, Value]:
    """Metrics from their column; what is none costs itself only."""
    try:
        found = json.loads(str(metrics))
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, Value)} if isinstance(found, dict) else {}


def _event(values: Sequence[object]) -> Event:
    found = dict(zip(_EVENT, values, strict=True))
    for name in ("goal", "parallel"):
        found[name] = bool(found[name])
    found["git_checked_out_master"] = _truth(found["git_checked_out_master"])
    found["metrics"] = _load(found["metrics"])
    return Event(**found)  # type: ignore[arg-type]
