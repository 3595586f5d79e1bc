"""Databases of earlier versions: they get the tables of this one, and keep what they hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, event, select, text

from make_metrics.server.projects.projects import add_project, delete_project, list_projects
from make_metrics.server.projects.tokens import check_token
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage import weeks
from make_metrics.server.storage.database import Database, open_database
from make_metrics.server.storage.migrations import migrate
from make_metrics.server.storage.tables import PEOPLE, TOKENS
from make_metrics.server.storage.write import Writer
from tests.support.team_receiver import message, sqlite_url

ALICE, BOB = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1", "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e2"
SECRET = "s" * 32
SALT = b"salt"


def make(url: str, version: str, *statements: str, **values: object) -> None:
    """Make a database as a version had it, with some rows."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    with engine.begin() as connection:
        command.upgrade(migrate._config(connection), version)
        for statement in statements:
            connection.execute(
                text(statement), {name: value for name, value in values.items() if f":{name}" in statement}
            )
    engine.dispose()


def project(number: int, name: str) -> str:
    return f"INSERT INTO projects VALUES ({number}, '{name}', 0, false, 365, 3)"  # noqa: S608


def test_a_database_of_the_first_version_gets_the_index_of_the_second(tmp_path: Path) -> None:
    make(sqlite_url(tmp_path), "0001")
    database = open_database(sqlite_url(tmp_path))
    with database.reading() as connection:
        indexes = connection.scalars(
            text("SELECT name FROM sqlite_master WHERE tbl_name = 'buckets' AND sql > ''")
        ).all()
    database.close()
    assert "buckets_kind" in indexes
    assert "buckets_target" not in indexes


def test_projects_of_a_database_of_the_second_version_keep_their_numbers(tmp_path: Path) -> None:
    keys = [f"INSERT INTO write_keys VALUES ('key{number}', {number}, 0, NULL)" for number in (1, 2)]  # noqa: S608
    make(sqlite_url(tmp_path), "0002", project(1, "a"), project(2, "b"), *keys)
    database = open_database(sqlite_url(tmp_path))
    assert [(each.id, each.name, *each.keys) for each in list_projects(database)] == [
        (1, "a", "key1"),
        (2, "b", "key2"),
    ]
    delete_project(database, "b")
    add_project(database, "c")
    assert list_projects(database)[1].id == 3
    database.close()


def _people(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {row.anonymous_id: row.id for row in connection.execute(PEOPLE.select())}


@pytest.mark.parametrize("erased", [None, 9], ids=["all there", "the last one erased"])
def test_people_names_and_cuts_of_a_database_of_the_third_version_stay(database_url: str, erased: int | None) -> None:
    ids = [person.replace("-", "") if database_url.startswith("sqlite") else person for person in (ALICE, BOB)]
    rows = [
        project(1, "a"),
        f"INSERT INTO people VALUES (3, 1, '{ids[0]}', 5, NULL, 7)",  # noqa: S608
        f"INSERT INTO people VALUES (4, 1, '{ids[1]}', 5, 6, 8)",  # noqa: S608
        "INSERT INTO names VALUES (2, 1, 'all')",
        "INSERT INTO names VALUES (6, 1, 'make.target.run')",
        "INSERT INTO cuts VALUES (5, 1, 'linux', '', -1, 1, 1)",
    ]
    if erased:  # a roll-up that will be made again
        rows.append(f"INSERT INTO days VALUES (1, 20000, 2, {erased}, 5, 1, 1, 1, 0, 0, 0)")  # noqa: S608
    make(database_url, "0003", *rows)
    database = open_database(database_url)
    assert _people(database) == {ALICE: 3, BOB: 4}
    with database.reading() as connection:
        for table in ("people", "names", "cuts"):
            assert connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).first()  # noqa: S608
        assert connection.execute(text("SELECT id, name FROM names ORDER BY id")).all() == [
            (2, "all"),
            (6, "make.target.run"),
        ]
        assert connection.execute(text("SELECT id, system, goal FROM cuts")).all() == [(5, "linux", 1)]
    if not database.is_postgresql:  # whose sequence counts on
        new = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e3"
        Writer(database).store([check(1, [message(new)], limits(2**52, 40_000))])
        assert _people(database)[new] == (erased or 4) + 1
    database.close()


def test_a_token_of_the_third_version_lets_in_and_gets_its_hint(database_url: str) -> None:
    digest = hashlib.scrypt(SECRET.encode(), salt=SALT, n=2**14, r=8, p=1, dklen=32)
    make(
        database_url,
        "0003",
        "INSERT INTO tokens VALUES ('0123456789ab', NULL, :salt, :digest, 0)",
        salt=SALT,
        digest=digest,
    )
    database = open_database(database_url)
    for token in (SECRET[1:] + "x", SECRET, SECRET[1:] + "x", SECRET):
        assert bool(check_token(database, f"mmv_0123456789ab_{token}")) is (token == SECRET)
    with database.reading() as connection:
        assert len(connection.execute(TOKENS.select()).one().hint) == 2
    database.close()


def test_weeks_of_the_sixth_version_are_made_again_also_by_cut(database_url: str) -> None:
    rows = [
        project(1, "a"),
        "INSERT INTO cuts VALUES (5, 1, 'linux', '', -1, 1, 1)",
        "INSERT INTO days VALUES (1, 14001, 2, 3, 5, 4, 10, 20, 1, 0, 0)",
        "INSERT INTO buckets VALUES (1, 14001, 2, 5, 0, 7, 3)",
        "INSERT INTO weeks VALUES (1, 2000, NULL)",
        "INSERT INTO week_people VALUES (1, 2000, 2, 3, 2, 2)",
    ]
    make(database_url, "0006", *rows)
    database = open_database(database_url)
    with database.reading() as connection:  # a page reads the days until the week is made
        assert connection.execute(select(weeks.WEEKS.c.week).where(weeks.WEEKS.c.spoiled_us.is_(None))).all() == []
    assert weeks.make(database, calm_s=0) == 1
    values_of_cut = ("system", "linux"), ("driver", ""), ("jobs", -1), ("on_default", 1), ("goal", 1)
    every = {5, *(weeks.group_number(*each) for each in values_of_cut)}
    with database.reading() as connection:
        assert connection.execute(select(weeks.WEEK_PEOPLE)).all() == [(1, 2000, 2, 3, 2, 2)]
        for table, values in (
            (weeks.WEEK_CUT_PEOPLE, (2, 3, 2, 2)),
            (weeks.WEEK_CUT_TARGETS, (2, 14001, 4, 10, 20, 1, 0, 0)),
        ):
            found = {row.cut: tuple(row)[3:] for row in connection.execute(select(table))}
            assert found == dict.fromkeys(every, values)
        buckets = connection.execute(select(weeks.WEEK_CUT_BUCKETS)).all()
        assert {row.cut: tuple(row)[4:] for row in buckets} == dict.fromkeys(every, (2, 7, 3))
    database.close()
