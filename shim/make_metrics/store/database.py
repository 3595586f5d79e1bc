"""The store's file: opening it, and replacing a damaged one by a new one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.lock import BusyError, FileLock
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.files.set_aside import put_aside
from make_metrics.store import tables

_BUSY_S = 5
_LOCK_S = 10
_ATTEMPTS = 3
_SALVAGE_S = 20
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

# What SQLite's bytes may raise on their way into Python's values.
_DECODING_ERRORS = (ValueError, OverflowError, TypeError, IndexError)

# Device and inode: they identify a file for as long as it exists, whatever its path.
_FileId = tuple[int, int]


class DamagedError(Exception):
    """The file is no usable store."""


class ReplacedError(UserError):
    """The store was found damaged while it was in use, and was put aside. `line` tells the user where it is kept."""

    def __init__(self, line: str) -> None:
        """Make a message that asks the user to run the command again."""
        super().__init__(f"{line}: run this again")
        self.line = line


@contextlib.contextmanager
def opened(paths: Paths, problems: list[str], *, lock: FileLock | None = None) -> Iterator[sqlite3.Connection]:
    """A connection to the store for the length of a `with` block, in autocommit mode.

    If the file is found damaged on opening, it is put aside, a line about it is added to `problems`, and the block gets
    a new, empty store. If it is found damaged within the block, the block ends: the file is put aside, with all that
    the block wrote, and ReplacedError is raised. The next `opened` makes a new store.

    `lock` is the sweep's lock, for a caller who holds it. Raises UserError if the store cannot be written, or if
    another program uses it for too long.
    """
    private_directory(paths.state)
    lock = lock or FileLock(paths.sweep_lock)
    with _user_errors(paths.store):
        connection, file_id = _open(paths, problems, lock)
        try:
            yield connection
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not _shows_damage(error, connection):
                raise
            connection.close()
            raise ReplacedError(_replace(paths, file_id, lock) or "the store was damaged and is new now") from error
        finally:
            connection.close()


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the store in autocommit mode. The file is created, or migrated, if need be.

    Raises sqlite3.Error, OSError, UserError if a newer version wrote it, DamagedError if tables or columns are missing,
    or ValueError, OverflowError, TypeError or IndexError if its schema cannot be decoded.
    """
    if not os.path.lexists(path):
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DamagedError("not a file")
    if 0 < status.st_size < _HEADER_BYTES:
        raise DamagedError("no header")  # SQLite takes such a file for an empty one, and overwrites it
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        if not tables.version(connection):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only possible before the first table
        connection.execute("PRAGMA journal_mode = WAL")
        # The sweep removes a record once its events are committed: these must survive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        tables.migrate(connection)
        for table, columns in tables.columns().items():
            names = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if not names >= columns:
                raise DamagedError(f"the table {table} is missing, or not as it was made")
        if tables.holds_earlier(connection):
            from make_metrics.store import earlier

            earlier.move(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _open(paths: Paths, problems: list[str], lock: FileLock) -> tuple[sqlite3.Connection, _FileId | None]:
    """A connection to an undamaged store, and the id of its file."""
    for _ in range(_ATTEMPTS):
        try:
            # Taken before connecting: if another process replaces the file meanwhile, the new file must stay.
            file_id = _file_id(paths.store)
            return connect(paths.store), file_id or _file_id(paths.store)
        except sqlite3.DatabaseError as error:
            if _code(error) in _IN_USE | _NOT_WRITABLE:
                raise
        except (DamagedError, *_DECODING_ERRORS):
            pass  # SQLite gives a damaged schema to Python as it is
        except OSError as error:
            raise UserError(f"cannot write {printable_path(paths.store)}: {error.strerror}") from error
        if line := _replace(paths, file_id, lock):
            problems.append(line)
    raise UserError(f"the store {printable_path(paths.store)} is damaged again and again: is its disk sound?")


@contextlib.contextmanager
def _user_errors(path: Path) -> Iterator[None]:
    """Raise UserError for a store that is in use or not writable. Other errors are bugs, and pass."""
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) in _IN_USE:
            raise UserError(f"the store {printable_path(path)} is in use by another program: try again") from error
        if _code(error) in _NOT_WRITABLE:
            raise UserError(
                f"cannot write the store {printable_path(path)}: {error}: make it writable, or make room on its disk"
            ) from error
        raise


def _file_id(path: Path) -> _FileId | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _shows_damage(error: sqlite3.DatabaseError | UnicodeDecodeError, connection: sqlite3.Connection) -> bool:
    """Whether an error comes from a damaged store. SQLite does not always say so: in doubt, check the whole store."""
    if isinstance(error, sqlite3.DatabaseError):
        if _code(error) in _DAMAGED:
            return True
        if _code(error) in _IN_USE | _NOT_WRITABLE:
            return False
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    try:
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok")
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return True


def _replace(paths: Paths, file_id: _FileId | None, lock: FileLock) -> str:
    """Put the damaged file aside, and make a new one with what can be read of it; return a line that says so.

    Empty if another process has just done it. A process that is killed meanwhile leaves the damaged file in its place.
    """
    try:
        with lock.acquire(timeout=_LOCK_S):
            if _file_id(paths.store) != file_id:
                return ""
            new_store, saved = _salvage(paths)
            new_path = put_aside(paths, *_with_companions(paths.store))
            if new_store is not None and not os.path.lexists(paths.store):
                new_store.rename(paths.store)
    except BusyError as error:
        raise UserError("the store is damaged, and another make-metrics is at work: try again") from error
    except OSError as error:
        raise UserError(
            f"cannot put the damaged store {printable_path(paths.store)} aside: {error.strerror}"
        ) from error
    return f"the store was damaged: it is kept as {printable_path(new_path)}, and a new one is begun: {saved}"


def _salvage(paths: Paths) -> tuple[Path | None, str]:
    """A new store with what can be read of the damaged one, beside it, and what that is; None if it cannot be made."""
    if not paths.store.is_file():  # opening a pipe would wait for ever
        return None, "it was no file"
    new_store = paths.store.with_name(f"{paths.store.name}.new")
    try:
        for path in _with_companions(new_store):
            path.unlink(missing_ok=True)
        with contextlib.closing(connect(new_store)) as connection:
            from make_metrics.store import salvage  # only here: a damaged store is rare

            saved = salvage.save(
                paths.store, connection, new_store, scratch=paths.state / "salvage", timeout_s=_SALVAGE_S
            )
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (OSError, sqlite3.Error, DamagedError, MemoryError, *_DECODING_ERRORS) as error:
        for path in _with_companions(new_store):
            path.unlink(missing_ok=True)
        return None, f"nothing in it could be read ({type(error).__name__})"
    return new_store, saved


def _with_companions(store: Path) -> list[Path]:
    """A store's file and those that SQLite keeps beside it."""
    return [store.with_name(store.name + suffix) for suffix in ("", "-wal", "-shm")]
