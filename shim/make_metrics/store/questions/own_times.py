"""What each target's own lines took in each of some runs, for comparing runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from make_metrics.store.compact.texts import Texts
from make_metrics.store.questions.selection import NEWEST_FIRST, Selection, glob

_RUNS = "SELECT builds.number, id, started_ns, duration_ms, jobs, directory, commit_id, branch FROM builds"
_TIMES = """
SELECT targets.build, CASE WHEN makes.directory = 0 THEN builds.directory ELSE makes.directory END, targets.name,
    max(targets.span_us - targets.idle_us, 0), targets.exit_status != 0
FROM json_each(?) AS chosen
    CROSS JOIN builds ON builds.number = chosen.value
    CROSS JOIN makes ON makes.build = builds.number
    CROSS JOIN targets ON targets.build = makes.build AND targets.make = makes.number
WHERE targets.lines > 0
"""
_NAMED = "AND targets.name IN (SELECT id FROM texts WHERE text GLOB ?)"

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
    connection: sqlite3.Connection, runs: Sequence[OneRun], *, target: str = ""
) -> dict[Place, dict[int, int | None]]:
    """The microseconds of each target's own lines in each run, by the run's number; None where it failed.

    What a run made several times in one directory counts together. `target` is a pattern of names (`*`, `?`, `[...]`),
    empty for all. Raises sqlite3.Error.
    """
    times: dict[tuple[int, int], dict[int, int | None]] = {}
    numbers = json.dumps([run.number for run in runs])
    rows = connection.execute(_TIMES + _NAMED if target else _TIMES, (numbers, glob(target)) if target else (numbers,))
    for number, directory, name, own_us, failed in rows:
        by_run = times.setdefault((directory, name), {})
        earlier_us = by_run.get(number, 0)
        by_run[number] = None if failed or earlier_us is None else earlier_us + own_us
    texts = Texts(connection)
    return {(texts.text(directory), texts.text(name)): by_run for (directory, name), by_run in times.items()}
