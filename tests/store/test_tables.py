"""The store's tables: creating and migrating them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.combine.run import events_of
from make_metrics.errors import UserError
from make_metrics.store import database, tables
from make_metrics.store.store import Store
from tests.support.records import run_with


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(tmp_path / "store")) as connection:
        yield connection


def test_an_empty_file_gets_all_tables(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with closing(database.connect(tmp_path / "store")) as migrated:
        assert tables.version(migrated) == len(tables.STEPS)
        assert migrated.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert migrated.execute("PRAGMA synchronous").fetchone() == (2,)


def test_only_the_owner_can_read_the_store(tmp_path: Path) -> None:
    database.connect(tmp_path / "store").close()
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o600


def test_each_step_is_applied_once(connection: sqlite3.Connection) -> None:
    steps = (*tables.STEPS, ("CREATE TABLE more (a)", "INSERT INTO more VALUES (1)"))
    tables.migrate(connection, steps)
    tables.migrate(connection, steps)
    assert tables.version(connection) == len(tables.STEPS) + 1
    assert connection.execute("SELECT a FROM more").fetchall() == [(1,)]


def test_a_step_that_fails_changes_nothing(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        tables.migrate(connection, (*tables.STEPS, ("CREATE TABLE more (a)", "nonsense")))
    assert tables.version(connection) == len(tables.STEPS)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)


def test_the_store_of_a_newer_version_is_refused(tmp_path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="upgrade make-metrics"):
        database.connect(tmp_path / "store")


def test_migration_keeps_the_events_of_an_earlier_version(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store", isolation_level=None)) as old_store:
        old_store.execute("PRAGMA auto_vacuum = INCREMENTAL")
        tables.migrate(old_store, tables.STEPS[:2])
        columns = [name for _, name, *_ in old_store.execute("PRAGMA table_info(events)")]
        (event,) = events_of(run_with("r", "a"))
        values = [getattr(event, name, "") for name in columns]
        old_store.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    with closing(database.connect(tmp_path / "store")) as migrated:
        (stored,) = Store(migrated).events()
    assert stored.event == replace(event, cpu_us=None, peak_kib=None)
