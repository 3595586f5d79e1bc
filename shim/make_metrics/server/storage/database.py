"""Opening the receiver's database by its URL, bringing its tables up to date, and transactions.

URLs are SQLAlchemy's: `sqlite:////var/lib/make-metrics/server.sqlite3` (four slashes: an absolute path) or
`postgresql://user@host/name`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from make_metrics.errors import UserError
from make_metrics.server.storage import migrate

_BUSY_S = 10
_CONNECT_S = 5
_STATEMENT_MS = 60_000
_POOL = 8
_OPTION = "writes"
# Ids are random, so each transaction changes pages all over the indexes: the more of them a checkpoint takes at once,
# the less often the same page is written. 8,000 pages are 32 MB.
_PRAGMAS = (
    "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 8000", "journal_size_limit = 67108864",
    "cache_size = -16000", "mmap_size = 268435456",
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

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose queries all see the same moment. Raises AwayError."""
        with self._connected("reads") as connection:
            if self.is_postgresql:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of the block is stored, durably, or nothing of it. Raises AwayError."""
        with self._connected(_OPTION) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def reading_then_writing(self) -> Iterator[tuple[_Block, _Block]]:
        """Two blocks on one connection, to be entered one after the other: the first as `reading`, then as `writing`.

        What others write in between is seen by the second only. Raises AwayError.
        """
        with self._connected("reads") as connection:

            @contextlib.contextmanager
            def block(use: str) -> Iterator[Connection]:
                changed = connection.execution_options(make_metrics=use)
                with changed.begin():
                    yield changed

            yield block("reads"), block(_OPTION)

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

    Raises UserError if the URL is wrong, the database cannot be reached, or a later version has changed its tables.
    """
    database = Database(_engine(_parsed(url)))
    try:
        with database.writing() as connection:
            migrate.bring_up_to_date(connection)
    except (AwayError, DBAPIError) as error:
        reason = one_line(error) if isinstance(error, DBAPIError) else error
        raise UserError(f"cannot open {shown_url(url)}: {reason}") from error
    return database


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
    if url.get_backend_name() == "sqlite":
        # A full pool would leave a page waiting behind slow ones.
        engine = create_engine(url, connect_args={"timeout": _BUSY_S, "check_same_thread": False}, pool_size=_POOL)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Of a name with several hosts, psycopg takes the one that can be written to: a promoted replica is found like that.
    query = {"connect_timeout": str(_CONNECT_S), "target_session_attrs": "read-write", **url.query}
    options = f"-c statement_timeout={_STATEMENT_MS} -c timezone=UTC"
    return create_engine(
        url.set(query=query), connect_args={"options": options}, pool_size=_POOL, max_overflow=_POOL, pool_pre_ping=True
    )


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    del record
    connection.isolation_level = None  # SQLAlchemy's events begin transactions, not Python's guess
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes could not wait for its turn.
    writes = connection.get_execution_options().get("make_metrics") == _OPTION
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
