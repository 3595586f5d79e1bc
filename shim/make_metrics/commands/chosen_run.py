"""The run that a command is about: by name or by age, of the current project or of all; and what is on disk of it."""

from __future__ import annotations

import argparse
import os
import sqlite3

from make_metrics.analysis.build import Build
from make_metrics.analysis.plan import Plan, plan
from make_metrics.analysis.run_name import LEAST, age, named, short_names
from make_metrics.analysis.waits import Disk
from make_metrics.commands.project import project_at
from make_metrics.commands.reading import combined_store
from make_metrics.commands.warn import warn
from make_metrics.errors import UsageError, UserError
from make_metrics.files.paths import Paths
from make_metrics.store import builds

_SHOWN = 5
_FILES_LIMIT = 50_000  # to look for on disk: half a second


def chosen_run(given: argparse.Namespace) -> tuple[Build, str]:
    """The run that the command line names, and its short name.

    `given` has `which` (a name, an id, `last` or `last~N`), `goal`, `directory` and `all`. Raises UserError if there is
    no such run, UsageError for a text that cannot be one, and as `combined_store` does.
    """
    with combined_store() as store:
        run_id = _run_id(store.connection, given)
        build = builds.build(store.connection, run_id)
        name = short_names(builds.run_ids(store.connection))[run_id]
    if build is None:
        raise UserError(f"run {name} has just been removed from the store")
    return build, name


def plan_of(build: Build) -> Plan:
    """The plan of a run, with what the disk tells of its prerequisites."""
    return plan(build, _disk(build))


def _run_id(connection: sqlite3.Connection, given: argparse.Namespace) -> str:
    back = age(given.which)
    if back is not None:
        return _by_age(connection, given, back)
    if given.goal:
        raise UsageError("--goal goes with last, not with a run's name")
    run_ids = builds.run_ids(connection)
    matching = named(given.which, run_ids)
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = short_names(run_ids)
        shown = ", ".join(sorted(names[run_id] for run_id in matching)[:_SHOWN])
        raise UserError(f"several runs are named {given.which}...: give more of the name ({shown})")
    if len(given.which) < LEAST:
        raise UsageError(f"{given.which!r} is no run: give {LEAST} characters or more of its name, or last, or last~1")
    raise UserError(f"there is no run {given.which!r}: make-metrics runs lists them, and last is the newest")


def _by_age(connection: sqlite3.Connection, given: argparse.Namespace, back: int) -> str:
    project = project_at(given.directory)
    warn(project.problems)
    within = "" if given.all else project.path
    run_id = builds.newest(connection, within=within, goal=given.goal or "", back=back)
    if run_id is not None:
        return run_id
    of = "" if given.all else " of this project"
    if builds.newest(connection, within=within, goal=given.goal or "") is not None:
        raise UserError(f"there are not as many runs{of}: {given.which} goes back too far")
    if given.goal and builds.newest(connection, within=within) is not None:
        raise UserError(f"no run{of} had the goal {given.goal!r}")
    if within and builds.newest(connection) is not None:
        raise UserError("no run of this project is recorded: --all takes the runs of all projects")
    from make_metrics.commands.why_empty import why_empty

    raise UserError(f"no run is recorded yet: {why_empty(Paths.from_environment())}")


def _disk(build: Build) -> Disk:
    """What the disk says about prerequisites that are no targets of the run."""
    made = {(target.make, target.name) for target in build.targets}
    disk: dict[tuple[int, str], int | None] = {}
    for target in build.targets:
        directory = build.makes[target.make].directory
        for name in (*(target.prerequisites or ()), *(target.order_only or ())):
            key = target.make, name
            if directory and key not in made and key not in disk and len(disk) < _FILES_LIMIT:
                disk[key] = _written_us(os.path.join(directory, name), build.started_ns)  # noqa: PTH118
    return disk


def _written_us(path: str, started_ns: int) -> int | None:
    """When a file was written, in microseconds from a time; None if there is none."""
    try:
        return (os.stat(path).st_mtime_ns - started_ns) // 1_000  # noqa: PTH116
    except (OSError, ValueError):
        return None
