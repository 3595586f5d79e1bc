"""`make-metrics forget`: remove what was recorded on this machine, of all projects or of one; decisions stay."""

from __future__ import annotations

import argparse
import os
import sys

from make_metrics.commands.project import combine_records, opened_store, project_at
from make_metrics.commands.prose import show
from make_metrics.commands.question import ask
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.crashes import log as crash_log
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.write import empty_directory, remove_file
from make_metrics.project.project import Project
from make_metrics.setup import makefile_stamps
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store.database import ReplacedError
from make_metrics.store.history import History
from make_metrics.store.store import Store
from make_metrics.store.tables import TABLES

_SWEEP_S = 10
# This table says how far each record is combined: without it, a running make's record would be combined again.
_KEPT_TABLES = frozenset({"records"})


def run(given: argparse.Namespace) -> int:
    """Remove runs, events, what waits, the ledger of what was sent, files set aside, and the log of failures; 0.

    The files of file sinks go too, unless the user's settings name their directory. The records of makes that still
    run stay. With `given.directory` only the runs, events, what waits and the ledger of that project are removed.

    Asks first unless `given.yes`; 1 if the answer is no. Raises UserError if there is nobody to ask, or if anything
    cannot be removed.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = None if given.directory is None else project_at(given.directory)
    what = f"of {printable_path(project.directory)}" if project else "on this machine"
    if not given.yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError("forget asks before it removes anything: run it in a terminal, or use --yes")
        if not ask(f"Remove what was recorded {what}?"):
            sys.stdout.write("Nothing is removed.\n")
            return 1
    warn(combine_records(paths, timeout_s=_SWEEP_S))  # moves the records of ended makes into the store
    _erase_store(paths, project)
    if project:
        makefile_stamps.forget_inside(paths, project.directory)
        show(f"What was recorded {what} is removed. Your decision stays (make-metrics status).")
        return 0
    for directory in (paths.set_aside, paths.files):
        empty_directory(directory)
    if not paths.makefile_stamps.is_dir():
        remove_file(paths.makefile_stamps)
    crash_log.erase(paths)
    user_settings, _ = read_user_settings(paths)
    if user_settings.own_directory:
        warn([f"files that were written to {printable_path(user_settings.directory)} are still there"])
    show("What was recorded on this machine is removed. Your decisions stay (make-metrics status).")
    return 0


def _erase_store(paths: Paths, project: Project | None) -> None:
    """Erase the store, or a project's rows of it; if the store turns out to be damaged, of the new one."""
    for attempt in (1, 2):
        try:
            with opened_store(paths) as store:
                if project:
                    _erase_project(store, project)
                else:
                    _erase_tables(store)
            return
        except ReplacedError as error:
            if attempt == 2:
                raise
            warn([error.line])


def _erase_project(store: Store, project: Project) -> None:
    """Delete a project's rows. The ids of what was delivered stay: they keep it from being sent again."""
    connection = store.connection
    connection.execute("PRAGMA secure_delete = ON")
    with store.transaction():
        History(connection).delete_inside(str(project.directory))
        for table in ("outbox", "ledger", "attempts", "dropped"):
            connection.execute(f"DELETE FROM {table} WHERE project = ?", (project.path,))  # noqa: S608
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")


def _erase_tables(store: Store) -> None:
    connection = store.connection
    connection.execute("PRAGMA secure_delete = ON")
    with store.transaction():
        for table in sorted(TABLES - _KEPT_TABLES):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
