"""Back up and restore as docs/how-to/receive.md says: a copy has all that was acknowledged before it."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, select

from make_metrics.server.projects.export import export
from make_metrics.server.projects.projects import add_project
from make_metrics.server.receiving.importing import import_messages, messages_of_lines
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage.database import Database, open_database
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import METADATA
from make_metrics.server.storage.write import Writer
from tests.support import postgresql
from tests.support.postgresql import Server
from tests.support.team_receiver import messages, sqlite_url


def filled(url: str) -> Database:
    database = open_database(url)
    add_project(database, "a")
    Writer(database).store([check(1, messages(200), limits(time.time_ns() // 1000, 365))])
    refresh(database)
    return database


def counts(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in METADATA.tables.items()
        }


def takes_more(url: str, expected: dict[str, int]) -> None:
    database = open_database(url)
    assert counts(database) == expected
    assert Writer(database).store([check(1, messages(10, seed=2), limits(time.time_ns() // 1000, 365))]) == 10
    database.close()


def test_a_copy_of_sqlite(tmp_path: Path) -> None:
    database = filled(sqlite_url(tmp_path))
    copy = tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(tmp_path / "events.sqlite3")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)  # what .backup of the sqlite3 program does
    takes_more(f"sqlite:///{copy}", counts(database))
    database.close()


def test_a_dump_of_postgresql(postgresql_server: Server, tmp_path: Path) -> None:
    programs = postgresql.programs()
    assert programs is not None
    source, target = postgresql_server.create(), postgresql_server.create()
    database = filled(source)
    dump = tmp_path / "metrics.dump"
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", source], check=True, timeout=60)
    subprocess.run([programs / "pg_restore", "--exit-on-error", f"--dbname={target}", dump], check=True, timeout=60)
    takes_more(target, counts(database))
    database.close()


def test_an_export_moves_a_project_to_another_kind_of_database(postgresql_server: Server, tmp_path: Path) -> None:
    database = filled(sqlite_url(tmp_path))
    other = open_database(postgresql_server.create())
    add_project(other, "a")
    imported = import_messages(other, "a", messages_of_lines(line.encode() for line in export(database, "a")))
    assert (imported.new, imported.refused) == (200, {})
    refresh(other)
    assert counts(other)["days"] == counts(database)["days"]
    for opened in (database, other):
        opened.close()
