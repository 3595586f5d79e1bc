"""Opening the receiver's database by its URL, bringing its tables up to date, and transactions.

URLs are SQLAlchemy's: `sqlite:////var/lib/make-metrics/server.sqlite3` (four slashes: an absolute path) or
`postgresql://user@host/name`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from make_metrics.errors import UserError
from make_metrics.server.storage.migrations import migrate

_BUSY_S = 10
_OPEN_S = 300  # a change of the tables takes a minute with ten million events
_CONNECT_S = 5
_STATEMENT_MS = 60_000
# A page's largest statements group some 100,000 rows: in memory, and compiling them takes longer than it saves.
_PLANNING = "-c work_mem=32MB -c jit=off"
_POOL = 8
_OPTION = "writes"
# Ids are random, so each transaction changes pages all over the indexes: the more of them a checkpoint takes at once,
# the less often the same page is written. 8,000 pages are 32 MB. Where a thread makes the checkpoints, a writer makes
# one itself only if that thread is far behind.
_AUTOMATIC_PAGES, _FAR_BEHIND_PAGES = 8_000, 100_000
_FEW_PAGES, _ROUNDS = 4_000, 5  # so many pages a writer copies in a moment
# A log of so many pages, 200 MB, is made to begin anew, for which writers wait: that long where it is far longer still.
_LONG_PAGES, _WAIT_MS, _LONGEST_WAIT_MS = 50_000, 100, 5_000
# Each connection has a cache, 4 MB of pages, and all of them together keep no more than 16: which connection writes
# changes, so that all caches were full in the end. What is mapped of the file is the system's, and is one for all.
_PRAGMAS = (
    "journal_mode = WAL", "synchronous = FULL", "journal_size_limit = 67108864", "cache_size = -4000",
    "mmap_size = 268435456", "soft_heap_limit = 16777216",
)  # fmt: skip
# PostgreSQL's codes for a replica that cannot be written to yet, and for a partition that another process just dropped.
_READ_ONLY, _NO_PARTITION = "25006", "23514"


_Block = contextlib.AbstractContextManager[Connection]


class AwayError(Exception):
    """The database cannot be reached or written now: the caller tries again later. The message is one line."""


class Database:
    """An open database. `is_postgresql` tells the two kinds apart; `engine` is SQLAlchemy's."""

    def __init__(self, engine: Engine) -> None:
        """Open no connection yet."""
        self.engine = engine
        self.is_postgresql = engine.dialect.name == "postgresql"
        self._commits = 0
        self._writes = threading.Lock()
        if not self.is_postgresql:
            self._automatic_pages = _AUTOMATIC_PAGES
            event.listen(engine, "connect", self._prepare_sqlite)

    @contextlib.contextmanager
    def reading(self, *, for_values: bool = False) -> Iterator[Connection]:
        """A connection whose queries all see the same moment. Raises AwayError.

        With `for_values` PostgreSQL makes a plan of each query for its own values. From the sixth time on it would take
        one for any values, with which a page's largest queries last up to twice as long.
        """
        with self._connected("reads") as connection:
            if self.is_postgresql:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                if for_values and self.is_postgresql:
                    connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of the block is stored, durably, or nothing of it. Raises AwayError."""
        with self._turn(), self._connected(_OPTION) as connection, connection.begin():
            yield connection
        self._commits += 1

    @contextlib.contextmanager
    def in_turn(self) -> Iterator[tuple[Callable[[], _Block], Callable[[], _Block]]]:
        """What begins a block as `reading`, and what begins one as `writing`, all on one connection, one at a time.

        Each sees what others have written before it. Raises AwayError.
        """
        with self._connected("reads") as connection:

            @contextlib.contextmanager
            def reads() -> Iterator[Connection]:
                changed = connection.execution_options(make_metrics="reads")
                with changed.begin():
                    yield changed

            @contextlib.contextmanager
            def writes() -> Iterator[Connection]:
                changed = connection.execution_options(make_metrics=_OPTION)
                with self._turn(), changed.begin():
                    yield changed

            yield reads, writes

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite: the turn to write among this process's threads. Raises AwayError.

        SQLite itself would look again and again, after up to 100 ms each time, whether it may write.
        """
        if self.is_postgresql:
            yield
            return
        if not self._writes.acquire(timeout=_BUSY_S):
            raise AwayError("database is locked")
        try:
            yield
        finally:
            self._writes.release()

    @contextlib.contextmanager
    def _connected(self, use: str) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(make_metrics=use) as connection:
                yield connection
        except PoolTimeoutError as error:
            raise AwayError("all connections to the database are in use") from error
        except DBAPIError as error:
            if is_away(error):
                raise AwayError(one_line(error)) from error
            raise

    def checkpoint_apart(self) -> None:
        """Have the caller's thread make SQLite's checkpoints (`checkpoint`), and writers none."""
        if not self.is_postgresql:
            self._automatic_pages = _FAR_BEHIND_PAGES
            self.engine.dispose()  # connections are made anew, with that number

    def checkpoint(self, *, least_commits: int = 0) -> None:
        """SQLite: copy what transactions have written from the log into the file, if there were so many of them.

        No writer waits for that. The log begins anew once it is copied as a whole, which it never is while others
        write: so writers wait while the last few pages are copied. Where there is somebody who reads at each such
        moment, and the log has become long, they wait for those who read now: who begins then is in nobody's way.
        Raises AwayError.
        """
        if self._commits < least_commits:
            return
        self._commits = 0
        with self._connected("reads") as connection:
            pages = before = 0
            for _ in range(_ROUNDS):  # each copies what was written during the one before
                pages, before = _copy_log(connection), pages
                if pages - before <= _FEW_PAGES:
                    break
            if pages - before <= _FEW_PAGES < pages or pages > _LONG_PAGES:
                with self._turn():
                    _copy_log(connection)
                    if pages > _LONG_PAGES:
                        _begin_log_anew(connection, _WAIT_MS if pages < _FAR_BEHIND_PAGES else _LONGEST_WAIT_MS)

    def _prepare_sqlite(self, connection: sqlite3.Connection, record: Any) -> None:
        del record
        connection.isolation_level = None  # SQLAlchemy's events begin transactions, not Python's guess
        for pragma in (*_PRAGMAS, f"wal_autocheckpoint = {self._automatic_pages}"):
            connection.execute(f"PRAGMA {pragma}")

    def ping(self) -> None:
        """Raise AwayError if events cannot be read and written now."""
        with self.writing() as connection:
            connection.execute(text("SELECT 1 FROM projects LIMIT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def is_away(error: DBAPIError) -> bool:
    """Whether an error says that the database is away, busy or full, and not that a statement is wrong."""
    # psycopg's OperationalError is also a disk that is full, and a server that shuts down; SQLite's one that is locked.
    if error.connection_invalidated or isinstance(error, OperationalError):
        return True
    return getattr(error.orig, "sqlstate", None) in (_READ_ONLY, _NO_PARTITION)


def one_line(error: DBAPIError) -> str:
    """The database's own words about an error, in one line."""
    return " ".join(str(error.orig).split())[:200]


def open_database(url: str) -> Database:
    """Open a database, and make its tables or bring them up to date.

    SQLite's file is waited for while another process brings it up to date.

    Raises UserError if the URL is wrong, the database cannot be reached, or a later version has changed its tables.
    """
    database = Database(_engine(_parsed(url)))
    until_s = time.monotonic() + _OPEN_S
    while True:
        try:
            with database.writing() as connection:
                migrate.bring_up_to_date(connection)
        except (AwayError, DBAPIError) as error:
            if _is_busy(error) and time.monotonic() < until_s:
                continue  # it has waited a while each time
            reason = one_line(error) if isinstance(error, DBAPIError) else error
            raise UserError(f"cannot open {shown_url(url)}: {reason}") from error
        return database


def _is_busy(error: BaseException) -> bool:
    """Whether another process writes SQLite's file."""
    inner = error.__cause__ if isinstance(error, AwayError) else error
    return getattr(getattr(inner, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def shown_url(url: str) -> str:
    """A database's URL for people, without its password, and without the driver, which is our choice."""
    parsed = _parsed(url)
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise UserError("--database must be sqlite:///PATH or postgresql://USER@HOST/NAME")
    if parsed.get_backend_name() == "sqlite" and not parsed.database:
        raise UserError("--database sqlite:/// lacks the path of the file")
    return parsed.set(drivername="sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg")


def _engine(url: URL) -> Engine:
    # A full pool would leave a page waiting behind slow ones. The last connection comes first: few are used, and these
    # have their statements ready.
    pool = {"pool_size": _POOL, "pool_use_lifo": True}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_S, "check_same_thread": False}, **pool)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Of a name with several hosts, psycopg takes the one that can be written to: a promoted replica is found like that.
    query = {"connect_timeout": str(_CONNECT_S), "target_session_attrs": "read-write", **url.query}
    options = f"-c statement_timeout={_STATEMENT_MS} -c timezone=UTC {_PLANNING}"
    return create_engine(
        url.set(query=query), connect_args={"options": options}, max_overflow=_POOL, pool_pre_ping=True, **pool
    )


def _copy_log(connection: Connection) -> int:
    """Make a checkpoint as far as no one is in its way: how many pages the log had at its begin."""
    driver: Any = connection.connection.driver_connection  # SQLAlchemy's would begin a transaction
    _, pages, _ = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)


def _begin_log_anew(connection: Connection, wait_ms: int) -> None:
    """While nobody writes, wait for those who read, so that the next writer begins the log anew."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout = {wait_ms}")
    try:
        driver.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    finally:
        driver.execute(f"PRAGMA busy_timeout = {1_000 * _BUSY_S}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes could not wait for its turn.
    writes = connection.get_execution_options().get("make_metrics") == _OPTION
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
