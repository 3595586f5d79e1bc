"""The store's runs, events and records: writing and reading them. `store.history` says how long they are kept."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from make_metrics.combine import saved_run
from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import StoredEvent, Summary
from make_metrics.dataclass import dataclass
from make_metrics.properties.property import Value
from make_metrics.store.compact.rows import LINE_COLUMNS, MAKE_COLUMNS, TARGET_COLUMNS, Reader, Writer
from make_metrics.store.compact.texts import Texts, names_of
from make_metrics.store.questions.selection import FINISHED, NEWEST_FIRST, SLACK_NS, of_makes

_MAKES = f"SELECT {', '.join(MAKE_COLUMNS[1:])} FROM makes WHERE build = ? ORDER BY number"  # noqa: S608
_TARGETS = f"SELECT {', '.join(TARGET_COLUMNS[1:])} FROM targets WHERE build = ?"  # noqa: S608
_NAMED = "AND name IN (SELECT id FROM texts WHERE text IN (SELECT value FROM json_each(?)))"
_SUMMARY = (
    "SELECT id, started_ns, directory, goals, exit_status, duration_ms, before_ms, targets, make_version, jobs, "
    "commit_id, branch, torn FROM builds"
)
_start = attrgetter("start_wall_ns", "make_level", "message_id")


@dataclass(frozen=True, slots=True)
class SavedRun:
    """Whether the store has a run, and the run's parts. The parts are deleted after a week, so that `run` is None."""

    exists: bool
    run: Run | None


class Store:
    """The tables of runs and records. Every method may raise sqlite3.Error (see `store.database.opened`)."""

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
        row = self._connection.execute(
            "SELECT state FROM builds LEFT JOIN states ON states.build = builds.number WHERE id = ?", (run,)
        ).fetchone()
        if row is None or row[0] is None:
            return SavedRun(row is not None, None)
        try:
            return SavedRun(True, saved_run.load(row[0]))
        except (ValueError, TypeError):
            return SavedRun(True, None)

    def metrics(self, run: str, events: Iterable[Event] | None = None) -> dict[str, dict[str, Value]]:
        """The values of all metrics of a run's events, or of these of them, git's included, by message id."""
        names = None if events is None else sorted({event.target for event in events})
        values = {}
        for stored in self._stored("WHERE id = ?", run, names):
            event = stored.event
            git = {"git_checked_out_master": event.git_checked_out_master, "git_commit_time": event.git_commit_time}
            values[event.message_id] = dict(event.metrics) | {
                name: value for name, value in git.items() if value is not None
            }
        return values

    def combined_bytes(self, identity: str) -> int:
        """How many bytes from the beginning of a record are already combined."""
        row = self._connection.execute("SELECT bytes FROM records WHERE identity = ?", (identity,)).fetchone()
        return int(row[0]) if row else 0

    def mark(self, identity: str, *, size: int, now_ns: int) -> None:
        """Note that the first `size` bytes of a record are combined."""
        self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (identity, size, now_ns))

    def put(self, run: Run, summary: Summary, events: Sequence[Event], *, now_ns: int) -> None:
        """Write a run and its events. They replace an earlier form of the run."""
        build = self.put_summary(summary, now_ns=now_ns)
        self._connection.execute("INSERT INTO states VALUES (?, ?)", (build, saved_run.dump(run)))
        self.put_events(build, run, events)

    def put_run(self, run: Run, summary: Summary, *, now_ns: int) -> int:
        """Write a run without its events; those that it has stay, in their places. Return its number."""
        connection, texts = self._connection, Texts(self._connection)
        row = connection.execute("SELECT number, started_ns FROM builds WHERE id = ?", (run.id,)).fetchone()
        if row is None:
            build = self.put_summary(summary, now_ns=now_ns)
        else:
            build, started_ns = row
            earlier_us = started_ns // 1000 - summary.started_ns // 1000
            for table in ("targets", "makes"):  # their times begin with the run
                connection.execute(f"UPDATE {table} SET start_us = start_us + ? WHERE build = ?", (earlier_us, build))  # noqa: S608
            values = {**_row_of(texts, summary), "combined_ns": now_ns}
            assignments = ", ".join(f"{name} = ?" for name in values)
            connection.execute(f"UPDATE builds SET {assignments} WHERE number = ?", (*values.values(), build))  # noqa: S608
        connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (build, saved_run.dump(run)))
        return build

    def put_some(self, run: Run, events: Sequence[Event], summary: Summary, *, now_ns: int) -> None:
        """Write some events of a run. They replace earlier forms of themselves.

        `summary` is what is known of the run so far: it is written if the store has nothing of the run.
        """
        row = self._connection.execute("SELECT number FROM builds WHERE id = ?", (run.id,)).fetchone()
        build = row[0] if row else self.put_summary(summary, now_ns=now_ns)
        self._delete_events(build, {(event.make, event.target) for event in events})
        self.put_events(build, run, events)

    def count_events(self, run: str) -> int:
        """How many events of a run the store has."""
        query = "SELECT count(*) FROM targets WHERE build = (SELECT number FROM builds WHERE id = ?)"
        return int(self._connection.execute(query, (run,)).fetchone()[0])

    def keep_only(self, run: str, events: Iterable[tuple[str, str]]) -> None:
        """Delete a run's events but these, given by make and target."""
        kept = set(events)
        present = {(each.event.make, each.event.target) for each in self._stored("WHERE id = ?", run)}
        row = self._connection.execute("SELECT number FROM builds WHERE id = ?", (run,)).fetchone()
        if row is not None:
            self._delete_events(row[0], present - kept)

    def _delete_events(self, build: int, events: Iterable[tuple[str, str]]) -> None:
        texts = Texts(self._connection)
        numbers = dict(self._connection.execute("SELECT key, number FROM makes WHERE build = ?", (build,)).fetchall())
        keys = [(build, numbers[make], texts.number(target)) for make, target in events if make in numbers]
        for table in ("lines", "targets"):
            self._connection.executemany(f"DELETE FROM {table} WHERE build = ? AND make = ? AND name = ?", keys)  # noqa: S608
        self.count_lines([build])

    def count_lines(self, builds: Iterable[int]) -> None:
        """Note how many rows of the table lines belong to these runs, by their numbers."""
        self._connection.executemany(
            "UPDATE builds SET lines = (SELECT count(*) FROM lines WHERE build = ?1) WHERE number = ?1",
            [(build,) for build in builds],
        )

    def put_summary(self, summary: Summary, *, now_ns: int) -> int:
        """Write a run without its events, in place of an earlier form and its events; return its number."""
        row = self._connection.execute("SELECT number FROM builds WHERE id = ?", (summary.id,)).fetchone()
        if row is not None:
            self.delete(row)
        values = {
            "number": row and row[0],
            **_row_of(Texts(self._connection), summary),
            "combined_ns": now_ns,
            "lines": 0,
        }
        build = self._connection.execute(_insertion("builds", values), tuple(values.values())).lastrowid or 0
        for table in ("lines", "targets", "makes", "states"):  # of a run that damage has cost its row
            self._connection.execute(f"DELETE FROM {table} WHERE build = ?", (build,))  # noqa: S608
        return build

    def put_late(self, run: Run, events: Sequence[Event]) -> None:
        """Add events to a run whose parts are deleted. Events that the run already has stay as they are."""
        (build,) = self._connection.execute("SELECT number FROM builds WHERE id = ?", (run.id,)).fetchone()
        present = {(stored.event.make, stored.event.target) for stored in self._stored("WHERE id = ?", run.id)}
        new = [event for event in events if (event.make, event.target) not in present]
        self.put_events(build, run, new)

    def put_events(
        self, build: int, run: Run, events: Sequence[Event], *, parent_ids: Mapping[str, str] | None = None
    ) -> None:
        """Add events that the run with this number lacks.

        `parent_ids` are those of makes whose parents are unknown, by the make's key.
        """
        connection = self._connection
        started_ns = connection.execute("SELECT started_ns FROM builds WHERE number = ?", (build,)).fetchone()[0]
        known = connection.execute("SELECT key, number, metrics FROM makes WHERE build = ?", (build,)).fetchall()
        writer = Writer(
            Texts(connection),
            run.id,
            build,
            started_ns,
            numbers={key: number for key, number, _ in known},
            metrics={number: metrics for _, number, metrics in known},
        )
        makes = writer.makes(run, events, parent_ids=parent_ids)
        connection.executemany(_insertion("makes", MAKE_COLUMNS), makes)
        targets, lines = writer.targets(run, events)
        connection.executemany(_insertion("targets", TARGET_COLUMNS), targets)
        connection.executemany(_insertion("lines", LINE_COLUMNS), lines)
        connection.execute("UPDATE builds SET lines = lines + ? WHERE number = ?", (len(lines), build))

    def events(self, *, since_ns: int = 0) -> list[StoredEvent]:
        """All events that began at `since_ns` (nanoseconds since the epoch) or later, in order of their start."""
        return sorted(self.iterate_events(since_ns=since_ns), key=lambda stored: _start(stored.event))

    def iterate_events(self, *, since_ns: int = 0) -> Iterator[StoredEvent]:
        """The same, one run after the other in the order of their start: the memory that it takes is one run's."""
        condition = f"WHERE {FINISHED} AND started_ns + 1000000 * duration_ms >= ? ORDER BY started_ns, id"
        for stored in self._stored(condition, since_ns - SLACK_NS):
            if stored.event.start_wall_ns >= since_ns // 1000 * 1000:
                yield stored

    def _stored(self, condition: str, value: object, names: Sequence[str] | None = None) -> Iterator[StoredEvent]:
        """The events of the runs that an SQL condition with a value selects; each run's in order of their start.

        With `names` only the events of targets with these names.
        """
        query, more = (_TARGETS, ()) if names is None else (f"{_TARGETS} {_NAMED}", (json.dumps(names),))
        texts = Texts(self._connection)
        builds = self._connection.execute(f"SELECT number, id, started_ns, directory FROM builds {condition}", (value,))  # noqa: S608
        for number, run, started_ns, directory in builds:
            reader = Reader(texts, run, started_ns, self._connection.execute(_MAKES, (number,)))
            events = map(reader.event, self._connection.execute(query, (number, *more)))
            for event in sorted((event for event in events if event is not None), key=_start):
                yield StoredEvent(event, texts.text(directory), reader.directory_of(event.make))

    def runs(self, *, since_ns: int = 0, newest: int = -1, within: str = "") -> list[Summary]:
        """The newest runs, -1 for all, that started at `since_ns` (ns since the epoch) or later, the oldest first.

        Only those of makes in the directory `within` and below; empty for all.
        """
        (conditions, values), texts = of_makes(within, ""), Texts(self._connection)
        query = f"{_SUMMARY} WHERE {' AND '.join(conditions)} AND started_ns >= ? ORDER BY {NEWEST_FIRST} LIMIT ?"
        rows = self._connection.execute(query, (*values, since_ns, newest)).fetchall()[::-1]
        return [
            Summary(
                id=run,
                started_ns=started_ns,
                directory=texts.text(directory),
                goals=names_of(texts.text(goals)),
                exit_status=exit_status,
                duration_ms=duration_ms,
                targets=targets,
                make_version=texts.text(make_version),
                torn=torn,
                before_ms=before_ms,
                jobs=jobs,
                commit=texts.text(commit),
                branch=texts.text(branch),
            )
            for (run, started_ns, directory, goals, exit_status, duration_ms, before_ms, targets, make_version, jobs,
                 commit, branch, torn) in rows
        ]  # fmt: skip

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete runs, by their numbers in the table builds, and all that belongs to them."""
        wanted = json.dumps(list(numbers))
        for table in ("lines", "targets", "makes", "states", "builds"):
            column = "number" if table == "builds" else "build"
            self._connection.execute(
                f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608
                (wanted,),
            )


def _row_of(texts: Texts, summary: Summary) -> dict[str, str | int | None]:
    """A summary as columns of the table builds."""
    return {
        "id": summary.id,
        "started_ns": summary.started_ns,
        "directory": texts.number(summary.directory),
        "goals": texts.number(json.dumps(summary.goals)),
        "exit_status": summary.exit_status,
        "duration_ms": summary.duration_ms,
        "before_ms": summary.before_ms,
        "targets": summary.targets,
        "make_version": texts.number(summary.make_version),
        "jobs": summary.jobs,
        "commit_id": texts.number(summary.commit),
        "branch": texts.number(summary.branch),
        "torn": summary.torn,
    }


def _insertion(table: str, columns: Iterable[str]) -> str:
    """The INSERT statement that fills these columns."""
    columns = list(columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
