"""`make-metrics forget`: remove what was recorded on this machine, of all projects; decisions stay."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys

from shim import consent, crash_log
from shim.commands.here import use
from shim.errors import UserError
from shim.paths import Paths, shown
from shim.schema import TABLES
from shim.store import Store
from shim.sweep import sweep

_SWEEP_S = 10
# How far each record is combined: a record whose make still runs would be combined again from its beginning.
_KEPT = frozenset({"records"})


def run() -> int:
    """Remove runs, events, what waits, what is known of what was sent, what was put aside, and the log of failures; 0.

    What a running make has recorded so far is not removed. Raises UserError if anything cannot be removed.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    sweep(paths, timeout=_SWEEP_S)  # the records of ended makes go with the store that they end up in
    use(paths, _erase)
    with contextlib.suppress(FileNotFoundError):
        for path in paths.set_aside.iterdir():
            try:
                path.unlink()
            except OSError as error:
                raise UserError(f"cannot remove {shown(path)}: {error.strerror}") from error
    crash_log.erase(paths)
    sys.stdout.write("What was recorded on this machine is removed. Your decisions stay (make-metrics status).\n")
    return 0


def _erase(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA secure_delete = ON")
    with Store(connection).transaction():
        for table in sorted(TABLES - _KEPT):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
