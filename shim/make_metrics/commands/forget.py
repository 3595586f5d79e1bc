"""`make-metrics forget`: remove what was recorded on this machine, of all projects; decisions stay."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from make_metrics.commands.project import opened_store, tell
from make_metrics.consent import consent
from make_metrics.crashes import log as crash_log
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store.store import Store
from make_metrics.store.tables import TABLES
from make_metrics.sweep.sweep import sweep

_SWEEP_S = 10
# How far each record is combined: a record whose make still runs would be combined again from its beginning.
_KEPT = frozenset({"records"})


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Remove runs, events, what waits, what is known of what was sent, what was put aside, and the log of failures; 0.

    File sinks' files too, but for those in a directory of the user's own, which are told. What a running make has
    recorded so far is not removed. Raises UserError if anything cannot be removed.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    sweep(paths, timeout=_SWEEP_S)  # the records of ended makes go with the store that they end up in
    with opened_store(paths) as store:
        _erase(store)
    for folder in (paths.set_aside, paths.files):
        _empty(folder)
    crash_log.erase(paths)
    found, _ = read_user_settings(paths)
    if found.own_directory:
        tell([f"files that were written to {printable_path(found.directory)} are still there"])
    sys.stdout.write("What was recorded on this machine is removed. Your decisions stay (make-metrics status).\n")
    return 0


def _empty(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            try:
                path.unlink()
            except OSError as error:
                raise UserError(f"cannot remove {printable_path(path)}: {error.strerror}") from error


def _erase(store: Store) -> None:
    connection = store.connection
    connection.execute("PRAGMA secure_delete = ON")
    with store.transaction():
        for table in sorted(TABLES - _KEPT):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
