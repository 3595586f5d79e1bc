"""One stored run as a `Build`, and finding runs by age, directory and goal.

A run's parts are kept for a week. After that its events tell of it: their times are milliseconds, and those of a goal
cover its prerequisites.
"""

from __future__ import annotations

import sqlite3

from make_metrics.analysis.build import UNKNOWN_JOBS, Build, BuiltTarget, MakeProcess
from make_metrics.combine.event import Event
from make_metrics.combine.record import Make
from make_metrics.combine.run import Run
from make_metrics.combine.summary import Summary
from make_metrics.store.store import Store


def newest(connection: sqlite3.Connection, *, within: str = "", goal: str = "", back: int = 0) -> str | None:
    """The id of the newest run, or of the one `back` runs before it; None if there are not as many.

    `within` leaves only the runs of makes in this directory and below, `goal` only those with this goal.
    """
    row = connection.execute(
        "SELECT id FROM runs WHERE (? = '' OR directory = ? OR substr(directory, 1, length(?)) = ?) "
        "AND (? = '' OR EXISTS (SELECT 1 FROM json_each(goals) WHERE value = ?)) "
        "ORDER BY started_ns DESC, id DESC LIMIT 1 OFFSET ?",
        (within, within, *(2 * (within.rstrip("/") + "/",)), goal, goal, min(back, 2**62)),
    ).fetchone()
    return None if row is None else str(row[0])


def run_ids(connection: sqlite3.Connection) -> list[str]:
    """The ids of all runs, the oldest first."""
    return [str(row[0]) for row in connection.execute("SELECT id FROM runs ORDER BY started_ns, id")]


def build(connection: sqlite3.Connection, run_id: str) -> Build | None:
    """A stored run; None if there is none with this id."""
    store = Store(connection)
    row = connection.execute("SELECT started_ns FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        return None
    summary = next(run for run in store.runs(since_ns=row[0]) if run.id == run_id)
    events = [stored for stored in store.events(since_ns=row[0] - 10**12) if stored.event.run == run_id]
    directories = {stored.event.make: stored.make_directory for stored in events}
    run = store.load_run(run_id).run or Run(run_id)
    return _build(summary, run, [stored.event for stored in events], directories)


def _build(summary: Summary, run: Run, events: list[Event], directories: dict[str, str]) -> Build:
    begin_ns = min([summary.started_ns, *(event.start_wall_ns for event in events)])
    makes = _makes(summary, run, events, directories, begin_ns)
    numbers = {key: number for number, (key, _) in enumerate(makes)}
    targets = _from_work(run, events, numbers, begin_ns) if run.work else _from_events(events, numbers, begin_ns)
    top = run.makes.get(run.id)
    return Build(
        id=summary.id,
        started_ns=begin_ns,
        duration_us=max([target.end_us for target in targets], default=summary.duration_ms * 1_000),
        status=summary.exit_status,
        makes=tuple(make for _, make in makes),
        targets=tuple(sorted(targets, key=lambda target: (target.start_us, -target.end_us, target.make))),
        commit=top.head if top else "",
        branch=top.branch if top else "",
    )


def _makes(
    summary: Summary, run: Run, events: list[Event], directories: dict[str, str], begin_ns: int
) -> list[tuple[str, MakeProcess]]:
    """The run's make processes with their keys; the top make comes first."""
    first: dict[str, Event] = {}
    for each in events:
        first.setdefault(each.make, each)
    levels = {key: event.make_level for key, event in first.items()}
    levels |= {key: make.level for key, make in run.makes.items()}
    keys = {summary.id: None} | dict.fromkeys(sorted(levels, key=lambda key: levels[key]))
    numbers = {key: number for number, key in enumerate(keys)}
    event_of = {event.message_id: event for event in events}
    makes = []
    for key, number in numbers.items():
        event: Event | None = first.get(key)
        parent = event_of.get(event.parent_id) if event else None
        facts = run.makes.get(key) or Make(
            key=key,
            parent=parent.make if parent else "",
            parent_target=parent.target if parent else "",
            level=event.make_level if event else 0,
            goals=() if number else summary.goals,
            directory=directories.get(key, "") if number else summary.directory,
            version="" if number else summary.make_version,
            jobs=UNKNOWN_JOBS if event is None or event.parallel else 1,
        )
        start_ns = facts.wall_ns or (event.start_wall_ns if event else begin_ns)
        process = MakeProcess(
            number=number,
            parent=numbers.get(facts.parent) if number else None,
            parent_target=facts.parent_target,
            level=facts.level,
            directory=facts.directory,
            goals=facts.goals,
            jobs=facts.jobs,
            version=facts.version,
            start_us=max(0, start_ns - begin_ns) // 1_000,
        )
        makes.append((key, process))
    return makes


def _from_work(run: Run, events: list[Event], numbers: dict[str, int], begin_ns: int) -> list[BuiltTarget]:
    """The targets of a run whose parts are kept. Their times are of one clock; the first one's wall time places it."""
    by_key = {(event.make, event.target): event for event in events}
    works = {key: work for key, work in run.work.items() if key in by_key}
    offset_ns = min((work.wall_ns - work.start_ns for work in works.values()), default=0) - begin_ns
    targets = []
    for (make, name), work in works.items():
        event = by_key[make, name]
        start_us = max(0, work.start_ns + offset_ns) // 1_000
        target = BuiltTarget(
            make=numbers[make],
            name=name,
            start_us=start_us,
            end_us=max(start_us, (work.final.end_ns + offset_ns) // 1_000),
            own_us=work.busy_ns // 1_000,
            status=event.exit_status,
            is_goal=event.goal,
            cpu_us=work.cpu_us,
            peak_kib=work.peak_kib,
        )
        targets.append(target)
    return targets


def _from_events(events: list[Event], numbers: dict[str, int], begin_ns: int) -> list[BuiltTarget]:
    """The targets of a run whose events alone are kept. A goal's own recipe runs last of what its event covers."""
    targets = []
    for event in events:
        if not event.recipe_lines:
            continue
        start_us = max(0, event.start_wall_ns - begin_ns) // 1_000
        end_us = start_us + event.duration_ms * 1_000
        target = BuiltTarget(
            make=numbers[event.make],
            name=event.target,
            start_us=max(start_us, end_us - event.recipe_ms * 1_000) if event.goal else start_us,
            end_us=end_us,
            own_us=event.recipe_ms * 1_000,
            status=event.exit_status,
            is_goal=event.goal,
            cpu_us=event.cpu_us,
            peak_kib=event.peak_kib,
        )
        targets.append(target)
    return targets
