"""Moves the runs and events that an earlier version wrote to the tables of this one.

They move in pieces, the newest runs first, each piece in its own transaction: whoever opens the store next goes on
where another process was stopped. The earlier tables stay, empty.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence

from make_metrics.combine import saved_run
from make_metrics.combine.event import Event
from make_metrics.combine.record import Make
from make_metrics.combine.run import Run
from make_metrics.combine.summary import Summary, before_first_line_ns, top_make
from make_metrics.store import tables
from make_metrics.store.compact.rows import load_values
from make_metrics.store.compact.texts import names_of
from make_metrics.store.store import Store

_PIECE = 5_000  # events, more or less
_EVENT = ("message_id", "parent_id", "run", "make", "target", "start_wall_ns", "duration_ms", "exit_status", "goal",
          "recipe_ms", "recipe_lines", "make_level", "parallel", "is_test", "git_checked_out_master",
          "git_commit_time", "cpu_us", "peak_kib", "metrics")  # fmt: skip
_EVENTS = f"SELECT {', '.join(_EVENT)}, directory FROM events WHERE run = ?"  # noqa: S608
_RUNS = "SELECT id, started_ns, directory, goals, exit_status, duration_ms, targets, make_version, torn, combined_ns, "


def move(connection: sqlite3.Connection) -> None:
    """Move all that is left; does nothing in a moment if nothing is. Raises sqlite3.Error.

    The events of a moved run are deleted last, all at once: they lie on pages all over the file.
    """
    if not tables.holds_earlier(connection):
        return
    store = Store(connection)
    # A power cut may undo the last pieces: then they are moved again.
    connection.execute("PRAGMA synchronous = NORMAL")
    while _moved_piece(connection, store):
        pass
    connection.execute("PRAGMA synchronous = FULL")
    with store.transaction():
        if not _number(connection, "SELECT EXISTS (SELECT 1 FROM runs)"):
            lost = connection.execute("SELECT DISTINCT run FROM events WHERE run NOT IN (SELECT id FROM builds)")
            for (run,) in lost.fetchall():  # of runs that a damaged store had lost
                _try_to_move(connection, store, str(run))
            connection.execute("DELETE FROM events")


def _moved_piece(connection: sqlite3.Connection, store: Store) -> bool:
    """Move some runs; False if none is left."""
    with store.transaction():
        count = 0
        while count < _PIECE:
            row = connection.execute("SELECT id FROM runs ORDER BY started_ns DESC, id DESC LIMIT 1").fetchone()
            if row is None:
                return False
            count += 1 + _try_to_move(connection, store, row[0])
            connection.execute("DELETE FROM runs WHERE id = ?", row)
        return True


def _try_to_move(connection: sqlite3.Connection, store: Store, name: str) -> int:
    """Move a run, but not one with the impossible values of a damaged store; returns how many events it has."""
    connection.execute("SAVEPOINT run")
    count = 0
    try:
        count = _move_run(connection, store, name)
    except (TypeError, ValueError, OverflowError, KeyError, sqlite3.DataError, sqlite3.IntegrityError):
        connection.execute("ROLLBACK TO run")
    connection.execute("RELEASE run")
    return count


def _move_run(connection: sqlite3.Connection, store: Store, name: str) -> int:
    """Move a run; returns how many events it has."""
    events, directories = _events(connection, name)
    row = connection.execute(f"{_RUNS} state FROM runs WHERE id = ?", (name,)).fetchone()
    state = row and row[-1]
    run = None
    if state is not None:
        with contextlib.suppress(ValueError, TypeError):
            run = saved_run.load(state)
    parent_ids: dict[str, str] = {}
    if row is None:  # a damaged store had lost it
        started_ns = min((event.start_wall_ns for event in events), default=0)
        row = (name, started_ns, "", "[]", 0, 0, len(events), "", 0, 0, None)
    if run is None:
        run, parent_ids = _parts(name, row, events, directories)
    build = store.put_summary(_summary(row, run, events), now_ns=row[-2])
    if state is not None:
        connection.execute("INSERT INTO states VALUES (?, ?)", (build, state))
    store.put_events(build, run, events, parent_ids=parent_ids)
    return len(events)


def _events(connection: sqlite3.Connection, name: str) -> tuple[list[Event], dict[str, str]]:
    """The events of a run, and the directories of its makes."""
    events, directories = [], {}
    for *row, directory in connection.execute(_EVENTS, (name,)):
        values = dict(zip(_EVENT, row, strict=True))
        for column in ("goal", "parallel"):
            values[column] = bool(values[column])
        if values["git_checked_out_master"] is not None:
            values["git_checked_out_master"] = bool(values["git_checked_out_master"])
        values["metrics"] = load_values(values["metrics"])
        events.append(Event(**values))
        directories[values["make"]] = directory
    return events, directories


def _parts(
    name: str, row: Sequence[object], events: Sequence[Event], directories: dict[str, str]
) -> tuple[Run, dict[str, str]]:
    """A run as far as its events tell, and the parents' ids of those makes whose parent has no event."""
    by_id = {event.message_id: event for event in events}
    run, parent_ids = Run(name), {}
    for event in events:
        if event.make in run.makes:
            continue
        parent = by_id.get(event.parent_id)
        is_top = event.make == name
        if parent is None and event.parent_id:
            parent_ids[event.make] = event.parent_id
        run.makes[event.make] = Make(
            key=event.make,
            parent=parent.make if parent else "",
            parent_target=parent.target if parent else "",
            level=event.make_level,
            goals=names_of(row[3]) if is_top else (),
            wall_ns=int(str(row[1])) if is_top else 0,
            directory=directories[event.make],
            version=str(row[7]) if is_top else "",
            parallel=event.parallel,
            is_test=event.is_test,
        )
    return run, parent_ids


def _summary(row: Sequence[object], run: Run, events: Sequence[Event]) -> Summary:
    identity, started_ns, directory, goals, status, duration_ms, targets, version, torn, *_ = row
    top = top_make(run)
    before_ns = before_first_line_ns(run)
    if before_ns is None and events:
        # Without its make's start a run started with its first event.
        before_ns = min(event.start_wall_ns for event in events) - int(str(started_ns)) or None
    before_ms = None if before_ns is None else max(before_ns + 500_000, 0) // 1_000_000
    return Summary(
        id=str(identity),
        started_ns=int(str(started_ns)),
        directory=str(directory),
        goals=names_of(goals),
        exit_status=int(str(status)),
        duration_ms=int(str(duration_ms)) + (before_ms or 0),
        targets=int(str(targets)),
        make_version=str(version),
        torn=int(str(torn)),
        before_ms=before_ms,
        jobs=top.jobs,
        commit=top.head,
        branch=top.branch,
    )


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
