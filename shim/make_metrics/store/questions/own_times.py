"""What each target's own lines took in each of some runs, for comparing runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from make_metrics.dataclass import dataclass
from make_metrics.store.compact.texts import Texts
from make_metrics.store.questions.selection import NEWEST_FIRST, Selection, glob

_RUNS = "SELECT builds.number, id, started_ns, duration_ms, jobs, directory, commit_id, branch FROM builds"
# One integer for a directory and a name, which SQLite sorts faster than both: ids of texts have less than 32 bits.
# SQLite sorts in its cache and, what is more, in a file: the times of all targets are never in memory together.
_TIMES = """
SELECT (CASE WHEN makes.directory = 0 THEN builds.directory ELSE makes.directory END) << 32 | targets.name AS place,
    targets.build, max(targets.span_us - targets.idle_us, 0), targets.exit_status != 0
FROM json_each(?) AS chosen
    CROSS JOIN builds ON builds.number = chosen.value
    CROSS JOIN makes ON makes.build = builds.number
    CROSS JOIN targets ON targets.build = makes.build AND targets.make = makes.number
WHERE targets.lines > 0 {named}
ORDER BY place
"""
_NAMED = "AND targets.name IN (SELECT id FROM texts WHERE text GLOB ?)"
_NAME_BITS = (1 << 32) - 1

Place = tuple[str, str]  # the directory of a target's make, and the target's name


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRun:
    """A run, as far as comparing needs it. `number` is the store's own; texts are empty if unknown."""

    number: int
    id: str
    started_ns: int
    duration_ms: int
    jobs: int
    directory: str
    commit: str
    branch: str


def chosen_runs(
    connection: sqlite3.Connection, selection: Selection, *, run_id: str = "", branch: str = "", commit: str = "",
    newest: int = -1,
) -> list[OneRun]:  # fmt: skip
    """The runs of a selection that began in its time, the newest first; not more than `newest` of them, -1 for all.

    Of these only the run `run_id`, those on `branch`, or those of a commit that begins with `commit`, if these are not
    empty. Raises sqlite3.Error.
    """
    condition, values = selection.begun()
    for text, more in (
        (run_id, "builds.id = ?"),
        (branch, "builds.branch IN (SELECT id FROM texts WHERE text = ?)"),
        (commit, "builds.commit_id IN (SELECT id FROM texts WHERE instr(text, ?) = 1)"),
    ):
        if text:
            condition = f"{condition} AND {more}"
            values.append(text)
    texts = Texts(connection)
    rows = connection.execute(f"{_RUNS} WHERE {condition} ORDER BY {NEWEST_FIRST} LIMIT ?", (*values, newest))
    return [
        OneRun(
            number=number,
            id=run_id,
            started_ns=started_ns,
            duration_ms=duration_ms,
            jobs=jobs,
            directory=texts.text(directory),
            commit=texts.text(commit_id),
            branch=texts.text(branch_id),
        )
        for number, run_id, started_ns, duration_ms, jobs, directory, commit_id, branch_id in rows.fetchall()
    ]


def own_times(
    connection: sqlite3.Connection, sides: Sequence[Sequence[OneRun]], *, target: str = ""
) -> Iterator[tuple[Place, list[list[int | None]]]]:
    """Each target that was made, with the microseconds of its own lines for each of some sides, sets of runs.

    A side's times are in the order of its runs, without those in which the target was not made; None where it failed.
    What a run made several times in one directory counts together. `target` is a pattern of names (`*`, `?`, `[...]`),
    empty for all. The memory that this takes does not grow with the number of targets. Raises sqlite3.Error.
    """
    orders = [{run.number: order for order, run in enumerate(runs)} for runs in sides]
    numbers = json.dumps(sorted({number for order in orders for number in order}))
    query = _TIMES.format(named=_NAMED if target else "")
    rows = connection.execute(query, (numbers, glob(target)) if target else (numbers,))
    texts = Texts(connection)
    for place, made in groupby(rows, key=itemgetter(0)):
        by_run: dict[int, int | None] = {}
        for _, number, own_us, failed in made:
            earlier_us = by_run.get(number, 0)
            by_run[number] = None if failed or earlier_us is None else earlier_us + own_us
        times = [
            [by_run[number] for number in sorted(by_run.keys() & order.keys(), key=order.__getitem__)]
            for order in orders
        ]
        yield (texts.text(place >> 32), texts.text(place & _NAME_BITS)), times
