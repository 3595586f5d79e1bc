"""`make-metrics forget`: remove what was recorded on this machine, of all projects; decisions stay."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from make_metrics.commands.project import combine_records, opened_store, warn
from make_metrics.consent import consent
from make_metrics.crashes import log as crash_log
from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.write import remove_file
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store.database import ReplacedError
from make_metrics.store.store import Store
from make_metrics.store.tables import TABLES

_SWEEP_S = 10
# This table says how far each record is combined: without it, a running make's record would be combined again.
_KEPT_TABLES = frozenset({"records"})


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Remove runs, events, what waits, the ledger of what was sent, files set aside, and the log of failures; 0.

    The files of file sinks go too, unless the user's settings name their directory. The records of makes that still
    run stay. Raises UserError if anything cannot be removed.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    warn(combine_records(paths, timeout_s=_SWEEP_S))  # moves the records of ended makes into the store
    _erase_store(paths)
    for directory in (paths.set_aside, paths.files):
        _empty(directory)
    crash_log.erase(paths)
    user_settings, _ = read_user_settings(paths)
    if user_settings.own_directory:
        warn([f"files that were written to {printable_path(user_settings.directory)} are still there"])
    sys.stdout.write("What was recorded on this machine is removed. Your decisions stay (make-metrics status).\n")
    return 0


def _empty(directory: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        for path in directory.iterdir():
            remove_file(path)


def _erase_store(paths: Paths) -> None:
    """Erase the store; if it turns out to be damaged, erase what was saved into a new one."""
    try:
        with opened_store(paths) as store:
            _erase_tables(store)
    except ReplacedError as error:
        warn([error.line])
        with opened_store(paths) as store:
            _erase_tables(store)


def _erase_tables(store: Store) -> None:
    connection = store.connection
    connection.execute("PRAGMA secure_delete = ON")
    with store.transaction():
        for table in sorted(TABLES - _KEPT_TABLES):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
