"""One stored run as a `Build`, and finding runs by age, directory and goal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from make_metrics.analysis.build import Build, BuiltTarget, MakeProcess, RecipeLine
from make_metrics.store.compact.texts import Texts, names_of
from make_metrics.store.questions.selection import FINISHED, NEWEST_FIRST, of_makes
from make_metrics.store.questions.unseen_goals import unseen_goals

_BUILD = "SELECT number, started_ns, duration_ms, exit_status, commit_id, branch FROM builds WHERE id = ?"
_MAKES = (
    "SELECT number, parent, parent_target, level, directory, goals, jobs, make_version, start_us FROM makes "
    "WHERE build = ? ORDER BY number"
)
_TARGETS = (
    "SELECT make, name, start_us, span_us, idle_us, exit_status, lines, goal, cpu_us, peak_kib, prerequisites, newer "
    "FROM targets WHERE build = ? AND lines > 0"
)
_LINES = (
    "SELECT make, name, start_us, duration_us, exit_status, cpu_us, peak_kib FROM lines WHERE build = ? "
    "ORDER BY make, name, number"
)


def newest(connection: sqlite3.Connection, *, within: str = "", goal: str = "", back: int = 0) -> str | None:
    """The id of the newest run, or of the one `back` runs before it; None if there are not as many.

    `within` leaves only the runs of makes in this directory and below, `goal` only those with this goal.
    """
    conditions, values = of_makes(within, goal)
    row = connection.execute(
        f"SELECT id FROM builds WHERE {' AND '.join(conditions)} "  # noqa: S608
        f"ORDER BY {NEWEST_FIRST} LIMIT 1 OFFSET ?",
        (*values, min(back, 2**62)),
    ).fetchone()
    return None if row is None else str(row[0])


def run_ids(connection: sqlite3.Connection) -> list[str]:
    """The ids of all runs, in no order, but for those that are not written as a whole yet."""
    return [str(row[0]) for row in connection.execute(f"SELECT id FROM builds WHERE {FINISHED}")]  # noqa: S608


def count(connection: sqlite3.Connection, *, since_ns: int = 0) -> int:
    """How many of these runs started at `since_ns` (nanoseconds since the epoch) or later."""
    condition = f"{FINISHED} AND started_ns >= ?"
    return int(connection.execute(f"SELECT count(*) FROM builds WHERE {condition}", (since_ns,)).fetchone()[0])  # noqa: S608


def build(connection: sqlite3.Connection, run_id: str) -> Build | None:
    """A stored run; None if there is none with this id.

    Of a run that a version before this one stored, a goal's own recipe is taken to be the last of what the goal needed.
    """
    row = connection.execute(_BUILD, (run_id,)).fetchone()
    if row is None:
        return None
    number, started_ns, duration_ms, status, commit, branch = row
    texts = Texts(connection)
    rows = connection.execute(_TARGETS, (number,)).fetchall()
    # A clock that was set meanwhile must not give times before the start.
    shift_us = -min([0, *(row[2] for row in rows)])
    lines = _lines(connection.execute(_LINES, (number,)))
    targets = [_target(texts, row, lines.get(row[:2], ()), shift_us) for row in rows]
    return Build(
        id=run_id,
        started_ns=started_ns - shift_us * 1_000,
        duration_us=max([target.end_us for target in targets], default=duration_ms * 1_000),
        status=status,
        makes=tuple(_make(texts, row, shift_us) for row in connection.execute(_MAKES, (number,)).fetchall()),
        targets=tuple(sorted(targets, key=lambda target: (target.start_us, -target.end_us, target.make))),
        commit=texts.text(commit),
        branch=texts.text(branch),
        unseen_goals=unseen_goals(connection, [run_id]).get(run_id, ()),
    )


def _lines(rows: Iterable[tuple[int, ...]]) -> dict[tuple[int, int], list[tuple[int, ...]]]:
    lines: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for make, name, *values in rows:
        lines.setdefault((make, name), []).append(tuple(values))
    return lines


def _make(texts: Texts, row: tuple[int, ...], shift_us: int) -> MakeProcess:
    number, parent, parent_target, level, directory, goals, jobs, version, start_us = row
    return MakeProcess(
        number=number,
        parent=parent,
        parent_target=texts.text(parent_target),
        level=level,
        directory=texts.text(directory),
        goals=names_of(texts.text(goals)),
        jobs=jobs,
        version=texts.text(version),
        start_us=max(0, (start_us or 0) + shift_us),
    )


def _needs(text: str) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Normal and order-only prerequisites; None for those that are unknown."""
    try:
        pair = json.loads(text or "[null, null]")
    except (ValueError, RecursionError):
        pair = None
    if not isinstance(pair, list) or len(pair) != len(("normal", "order-only")):
        return None, None
    normal, order_only = (tuple(map(str, names)) if isinstance(names, list) else None for names in pair)
    return normal, order_only


def _target(texts: Texts, row: tuple[int, ...], lines: Iterable[tuple[int, ...]], shift_us: int) -> BuiltTarget:
    make, name, begin_us, span_us, idle_us, status, count, goal, cpu_us, peak_kib, needs, newer = row
    start_us = begin_us + shift_us
    end_us = max(start_us, start_us + span_us)
    pieces = [
        RecipeLine(start_us=start_us + begin, end_us=start_us + begin + duration, status=own, cpu_us=cpu, peak_kib=peak)
        for begin, duration, own, cpu, peak in lines
    ]
    if not pieces and count == 1:
        pieces = [RecipeLine(start_us=start_us, end_us=end_us, status=status, cpu_us=cpu_us, peak_kib=peak_kib)]
    prerequisites, order_only = _needs(texts.text(needs))
    return BuiltTarget(
        make=make,
        name=texts.text(name),
        start_us=start_us,
        end_us=end_us,
        own_us=span_us - idle_us,
        status=status,
        is_goal=bool(goal),
        lines=tuple(pieces),
        prerequisites=prerequisites,
        order_only=order_only,
        newer=None
        if newer is None or prerequisites is None
        else tuple(name for bit, name in enumerate(prerequisites) if newer >> bit & 1),
        cpu_us=cpu_us,
        peak_kib=peak_kib,
    )
