"""The store's file: opening it, and a new one in the place of one that is damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from filelock import BaseFileLock, FileLock, Timeout

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.files.set_aside import put_aside
from make_metrics.store import tables

T = TypeVar("T")
_BUSY_S = 5
_LOCK_S = 10
_HEADER_BYTES = 100
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NOT_WRITABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class DamagedError(Exception):
    """The store's file is not, or no longer, a sound store."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to the store, which is created or brought up to date if need be.

    Raises sqlite3.Error, OSError, UserError (a newer version's store), or DamagedError (tables are missing).
    """
    if not os.path.lexists(path):
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if 0 < path.stat().st_size < _HEADER_BYTES:
        raise DamagedError("no header")  # SQLite would take a single byte for an empty file, and overwrite it
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        if not tables.version(connection):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only before the first table
        connection.execute("PRAGMA journal_mode = WAL")
        # A record is removed once its events are committed: they must outlive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        tables.migrate(connection)
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not found >= tables.TABLES:
            raise DamagedError("tables are missing")
    except BaseException:
        connection.close()
        raise
    return connection


def use(
    paths: Paths, work: Callable[[sqlite3.Connection], T], problems: list[str], lock: BaseFileLock | None = None
) -> T:
    """What `work` gives for a connection to the store.

    A damaged store is put aside, a line about it is added to `problems`, and `work` is done again with a new store: it
    must be fit to be done twice. `lock` is the sweep's lock for a caller who holds it. Raises UserError if the store
    cannot be written or is in use for too long.
    """
    private_directory(paths.state)
    for force in (False, True):
        try:
            return _attempt(paths.store, work)
        except DamagedError:
            _replace(paths, problems, lock or FileLock(paths.sweep_lock, mode=0o600), force=force)
    return _attempt(paths.store, work)


def _attempt(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    try:
        with contextlib.closing(connect(path)) as connection:
            try:
                return work(connection)
            except sqlite3.DatabaseError as error:
                if _code(error) not in _IN_USE | _NOT_WRITABLE and not _sound(connection):
                    raise DamagedError(str(error)) from error
                raise
    except sqlite3.Error as error:
        code = _code(error)
        if code in _DAMAGED:
            raise DamagedError(str(error)) from error
        if code in _IN_USE:
            raise UserError(f"the store {printable_path(path)} is in use by another program: try again") from error
        if code in _NOT_WRITABLE:
            raise UserError(
                f"cannot write the store {printable_path(path)}: {error}: make it writable, or make room on its disk"
            ) from error
        raise
    except OSError as error:
        raise UserError(f"cannot write {printable_path(path)}: {error.strerror}") from error


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _sound(connection: sqlite3.Connection) -> bool:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    try:
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _replace(paths: Paths, problems: list[str], lock: BaseFileLock, *, force: bool) -> None:
    """Put a damaged store aside, unless somebody else just did; with `force` also one that a check finds sound."""
    try:
        with lock.acquire(timeout=_LOCK_S):
            with contextlib.suppress(DamagedError):
                if not force and _attempt(paths.store, _sound):
                    return
            beside = [paths.store.with_name(paths.store.name + end) for end in ("-wal", "-shm")]
            kept = put_aside(paths, paths.store, *beside)
    except Timeout as error:
        raise UserError("the store is damaged, and another make-metrics is at work: try again") from error
    except OSError as error:
        raise UserError(
            f"cannot put the damaged store {printable_path(paths.store)} aside: {error.strerror}"
        ) from error
    problems.append(f"the store was damaged: it is kept as {printable_path(kept)}, and a new one is begun")
