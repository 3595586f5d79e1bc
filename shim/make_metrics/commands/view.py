"""`make-metrics view`: the team's pages over one's own store, in a browser on this machine. Nothing is sent."""

from __future__ import annotations

import argparse
import re
import uuid
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from make_metrics.combine.event import Event
from make_metrics.commands.own_pages import serve_pages, temporary_database
from make_metrics.commands.project import project_at
from make_metrics.commands.reading import combined_store, is_of
from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path
from make_metrics.project.project import project_of
from make_metrics.store.store import Store

if TYPE_CHECKING:
    from make_metrics.server.storage.database import Database

NOBODY = str(uuid.uuid5(uuid.NAMESPACE_URL, "make-metrics:local"))  # the id of whoever has said yes to no project
_AT_ONCE = 5_000
_LONGEST_DAYS = 3_650


def run(given: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; 0. Raises UserError if nothing is recorded, or the port cannot be used."""
    chosen = "" if given.directory is None else project_at(given.directory).path
    with temporary_database("view") as database:
        with combined_store() as store:
            count = _fill(database, store, chosen)
        if not count:
            where = printable_path(Path(chosen)) if chosen else "here"
            raise UserError(f"nothing is recorded {'of ' * bool(chosen)}{where} yet: make-metrics doctor says why")
        serve_pages(database, port=given.port, opens=given.open)
    return 0


def _fill(database: Database, store: Store, chosen: str) -> int:
    """Copy the events of all projects, or of a chosen one; how many there were. Each is a project of the pages.

    Runs below a project's root are the project's. Whoever chose one sees all that ran below it as one.
    """
    from make_metrics.server.projects.projects import add_project, change_project
    from make_metrics.server.receiving.importing import import_messages, messages_of_events
    from make_metrics.server.storage.rollups import refresh

    names: dict[str, str] = {}
    waiting: dict[str, list[Event]] = defaultdict(list)
    roots: dict[str, str] = {}
    count = 0

    def take(project: str) -> None:
        messages = messages_of_events(waiting.pop(project), NOBODY)
        import_messages(database, names[project], messages, any_command=True)

    for stored in store.iterate_events():
        directory = stored.run_directory
        if not is_of(directory, chosen):
            continue
        if directory not in roots:
            roots[directory] = chosen or _root(directory)
        project = roots[directory]
        if project not in names:
            names[project] = _name(project, set(names.values()))
            add_project(database, names[project])
            change_project(database, names[project], retention_days=_LONGEST_DAYS, smallest_group=0)
        waiting[project].append(stored.event)
        count += 1
        if len(waiting[project]) == _AT_ONCE:
            take(project)
    for project in list(waiting):
        take(project)
    refresh(database)
    return count


def _root(directory: str) -> str:
    """The root of the project that a run's directory belongs to; the directory itself where it is gone."""
    path = Path(directory)
    return project_of(path).path if path.is_absolute() and path.is_dir() else directory


def _name(project: str, taken: set[str]) -> str:
    """A project's name: its directory's, with a number where another has it."""
    plain = re.sub(r"[^\w .:+%-]", "_", Path(project).name)[:60].lstrip(" .:+%-") or "project"
    number, name = 1, plain
    while name in taken:
        number += 1
        name = f"{plain} {number}"
    return name
