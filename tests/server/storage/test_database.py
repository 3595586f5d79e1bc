"""Opening the receiver's database: clear words for what is wrong, and tables that fit."""

from __future__ import annotations

import ctypes
import re
import sqlite3
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from make_metrics.errors import UserError
from make_metrics.server.storage import database as database_module
from make_metrics.server.storage.database import AwayError, Database, open_database, shown_url
from make_metrics.server.storage.tables import METADATA
from tests.support.postgresql import Server
from tests.support.team_receiver import sqlite_url, write


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "--database must be"),
        ("mysql://root@localhost/x", "--database must be"),
        ("sqlite://", "lacks the path"),
        ("sqlite:////nonexistent/folder/file", "cannot open sqlite:////nonexistent/folder/file"),
        ("postgresql://me:hidden@127.0.0.1:1/x", "cannot open postgresql://me:***@127.0.0.1:1/x"),
    ],
)
def test_a_wrong_url_gets_one_clear_line(url: str, words: str) -> None:
    with pytest.raises(UserError) as raised:
        open_database(url)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 100)
    with pytest.raises(UserError, match="file is not a database"):
        open_database(f"sqlite:///{tmp_path / 'file'}")


def test_a_password_is_not_shown() -> None:
    assert "hidden" not in shown_url("postgresql://me:hidden@host/x")


def test_the_tables_of_the_migrations_are_those_of_the_code(database: Database) -> None:
    with database.reading() as connection:
        differences = [
            difference
            for difference in compare_metadata(MigrationContext.configure(connection), METADATA)
            if difference[0] not in ("remove_table", "remove_index")
        ]
    assert differences == []


def test_a_database_of_a_later_version_is_left_alone(database_url: str) -> None:
    database = open_database(database_url)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(UserError, match="a later version of make-metrics"):
        open_database(database_url)


def test_many_may_open_a_new_database_at_once(database_url: str) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            open_database(database_url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("is_new", [True, False])
def test_a_database_that_another_process_brings_up_to_date_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_S", 0.05)
    monkeypatch.setattr(database_module, "_OPEN_S", 60)
    url = sqlite_url(tmp_path)
    if not is_new:
        open_database(url).close()
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    opened: list[Database] = []
    opener = threading.Thread(target=lambda: opened.append(open_database(url)))
    opener.start()
    opener.join(0.5)  # many times as long as it waits at once
    assert opener.is_alive()
    other.execute("COMMIT")
    opener.join(60)
    assert len(opened) == 1
    opened[0].close()
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(database_module, "_OPEN_S", 0)
    with pytest.raises(UserError, match="database is locked"):
        open_database(url)
    other.close()


def test_a_page_s_queries_are_planned_for_their_own_values(database: Database) -> None:
    """PostgreSQL's plan for any values, which it takes after some times, suits no page over a year."""
    if not database.is_postgresql:
        pytest.skip("SQLite plans each query anew")
    with database.reading(for_values=True) as connection:
        assert connection.scalar(text("SHOW plan_cache_mode")) == "force_custom_plan"
    with database.reading() as connection:  # the same one of the pool
        assert connection.scalar(text("SHOW plan_cache_mode")) == "auto"


def test_a_turn_to_write_that_does_not_come_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(sqlite_url(tmp_path))
    with database.writing():
        monkeypatch.setattr(database_module, "_BUSY_S", 0.05)
        with pytest.raises(AwayError, match="database is locked"), database.writing():
            pass
        with database.in_turn() as (_, writing), pytest.raises(AwayError, match="locked"), writing():
            pass
    database.ping()
    database.close()


def test_a_database_that_is_away_is_an_error_of_its_own_and_comes_back(postgresql_server: Server) -> None:
    database = open_database(postgresql_server.create())
    postgresql_server.kill()
    try:
        with pytest.raises(AwayError):
            database.ping()
    finally:
        postgresql_server.start()
    database.ping()
    database.close()


def test_a_writer_leaves_a_long_log_to_the_thread_that_copies_it(tmp_path: Path) -> None:
    database, file = open_database(sqlite_url(tmp_path)), Path(sqlite_url(tmp_path).removeprefix("sqlite:///"))
    database.checkpoint_apart()
    with database.reading() as connection:
        connection.execute(text("SELECT * FROM projects")).all()  # from here on the log cannot begin anew
        write(database, 40_000_000)
    write(database, 1)
    assert file.stat().st_size < 4_000_000
    database.checkpoint()
    assert file.stat().st_size > 40_000_000
    write(database, 1)
    database.close()


def test_a_long_log_begins_anew_although_somebody_reads_at_each_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_LONG_PAGES", 2_000)
    monkeypatch.setattr(database_module, "_WAIT_MS", 5_000)
    database, log = open_database(sqlite_url(tmp_path)), Path(sqlite_url(tmp_path).removeprefix("sqlite:///") + "-wal")
    database.checkpoint_apart()
    ended, turns = threading.Event(), [threading.Semaphore(1), threading.Semaphore(0)]

    def read(own: threading.Semaphore, other: threading.Semaphore) -> None:
        while not ended.is_set():
            own.acquire()
            with database.reading() as connection:
                connection.execute(text("SELECT * FROM projects")).all()
                other.release()  # who begins before this one ends
                ended.wait(0.02)

    readers = [threading.Thread(target=read, args=(turns[at], turns[1 - at])) for at in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(12):
            write(database, 5_000_000)
            database.checkpoint()
    finally:
        ended.set()
        for turn in turns:
            turn.release()
        for reader in readers:
            reader.join()
    assert log.stat().st_size < 50_000_000  # of 60
    database.close()


def test_the_caches_of_all_connections_are_bounded_together(tmp_path: Path) -> None:
    library = re.search(r"/\S*libsqlite3\S*", Path("/proc/self/maps").read_text()) if sys.platform == "linux" else None
    if library is None:
        pytest.skip("this Python's SQLite is not a library of its own")
    used = ctypes.CDLL(library[0]).sqlite3_memory_used
    used.restype = ctypes.c_int64
    database = open_database(sqlite_url(tmp_path))
    before = used()
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE filler (id INTEGER PRIMARY KEY, bytes BLOB)"))
        rows = [{"id": number} for number in range(1_500)]
        connection.execute(text("INSERT INTO filler VALUES (:id, randomblob(3000))"), rows)
    with ExitStack() as stack:
        for _ in range(12):
            connection = stack.enter_context(database.engine.connect().execution_options(make_metrics="writes"))
            with connection.begin():
                connection.execute(text("UPDATE filler SET bytes = randomblob(3000)"))
        assert used() - before < 24_000_000  # of 48
    database.close()


def test_without_such_a_thread_a_writer_copies_it(tmp_path: Path) -> None:
    database, file = open_database(sqlite_url(tmp_path)), Path(sqlite_url(tmp_path).removeprefix("sqlite:///"))
    write(database, 40_000_000)
    assert file.stat().st_size > 40_000_000
    database.close()
