"""Retention and erasure: what must go goes, what may stay stays, and nothing erased comes back."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from make_metrics.server.projects.projects import add_project, change_project, delete_project
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage import partitions
from make_metrics.server.storage.database import AwayError, Database, open_database
from make_metrics.server.storage.keeping import delete_old, erase
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import CHOICES, DAYS, ERASED, EVENTS, METADATA, PEOPLE, ROLL_UPS
from make_metrics.server.storage.write import Writer
from tests.support.postgresql import Server
from tests.support.team_receiver import message, messages

NOW = datetime.now(UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
ALICE, BOB = str(uuid.UUID(int=1, version=4)), str(uuid.UUID(int=2, version=4))


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def store(database: Database, some: list[Any], project: int = 1) -> int:
    return Writer(database).store([check(project, some, limits(NOW_US, 3_650))])


def test_events_go_when_they_are_older_than_their_project_keeps(database: Database) -> None:
    add_project(database, "short")
    add_project(database, "long")
    change_project(database, "short", retention_days=30)
    change_project(database, "long", retention_days=365)
    for project in (1, 2):
        ages = (1, 29, 32, 100, 364, 367, 800)
        assert store(database, [message(ALICE, at=NOW - timedelta(days=age)) for age in ages], project) == 7
        store(database, [message(BOB, at=NOW - timedelta(days=500))], project)
        store(database, [message(BOB, at=NOW - timedelta(days=500), choice="in")], project)
    refresh(database)
    assert delete_old(database, now_us=NOW_US) == 5 + 2 + 2 - _dropped(database)
    with database.reading() as connection:
        for table in (EVENTS, DAYS):
            rows = connection.execute(select(table.c.project, func.count()).group_by(table.c.project)).all()
            assert {row[0]: row[1] for row in rows} == {1: 2, 2: 5}
        assert set(connection.scalars(select(PEOPLE.c.anonymous_id))) == {ALICE}
        assert connection.scalar(select(func.count()).select_from(CHOICES)) == 0
    assert delete_old(database, now_us=NOW_US) == 0


def _dropped(database: Database) -> int:
    """How many old events went with a whole month, which PostgreSQL does not count."""
    if not database.is_postgresql:
        return 0
    with database.reading() as connection:
        months = partitions.existing(connection)
    oldest = (NOW - timedelta(days=365)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert partitions.start_us(partitions.next_month(months[0])) > int(oldest.timestamp()) * 1_000_000
    # Of both projects: 800 and 500 days, and 367 days where that is another month.
    month_of_367 = partitions.month_of(NOW_US - 367 * 86_400_000_000)
    return 4 + (0 if month_of_367 in months else 2)


def test_after_a_month_was_dropped_its_events_are_stored_again_if_they_may_be(database: Database) -> None:
    add_project(database, "a")
    writer = Writer(database)
    old = [message(ALICE, at=NOW - timedelta(days=300))]
    assert writer.store([check(1, old, limits(NOW_US, 365))]) == 1
    change_project(database, "a", retention_days=30)
    delete_old(database, now_us=NOW_US)
    assert count(database, EVENTS) == 0
    change_project(database, "a", retention_days=365)
    batch = check(1, old, limits(NOW_US, 365))
    if database.is_postgresql:
        with pytest.raises(AwayError):
            writer.store([batch])  # it thinks that the month is there, as another process would
    assert writer.store([batch]) == 1


def test_what_is_held_of_an_id_is_erased_everywhere_and_does_not_come_back(database: Database) -> None:
    add_project(database, "a")
    add_project(database, "b")
    writer = Writer(database)
    alice = [message(ALICE, at=NOW - timedelta(days=age)) for age in range(5)]
    yes = message(ALICE, choice="in")
    batches = [check(project, [*alice, yes, message(BOB)], limits(NOW_US, 365)) for project in (1, 2)]
    assert writer.store(batches) == 12
    refresh(database)
    assert erase(database, ALICE) == (10, True)
    assert (count(database, EVENTS), count(database, CHOICES), count(database, PEOPLE)) == (2, 0, 2)
    assert writer.store(batches) == 0  # a batch that was on its way
    assert erase(database, ALICE) == (0, True)
    assert erase(database, str(uuid.uuid4())) == (0, False)
    refresh(database)
    _nothing_of(database, ALICE)


def _nothing_of(database: Database, person: str) -> None:
    """The id is in no column of no table, as text of any form."""
    with database.reading() as connection:
        for table in METADATA.tables.values():
            for row in connection.execute(select(table)):
                text = " ".join(map(str, row)).replace("-", "")
                assert person.replace("-", "") not in text, (table.name, row)
        known = set(connection.scalars(select(PEOPLE.c.id)))
        for table in METADATA.tables.values():
            if "person" in table.columns:
                assert set(connection.scalars(select(table.c.person))) <= known, table.name
        assert connection.scalar(select(func.count()).select_from(ERASED)) == 4


def test_an_erasure_amid_storing_leaves_nothing(database: Database) -> None:
    add_project(database, "a")
    begun, ended = threading.Event(), threading.Event()

    def storing() -> None:
        writer = Writer(database)
        while not ended.is_set():
            writer.store([check(1, [message(ALICE), message(BOB)], limits(NOW_US + 10**9, 365))])
            begun.set()

    threads = [threading.Thread(target=storing) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        begun.wait(30)
        erase(database, ALICE)
        with database.writing() as connection:  # some more rounds after it
            connection.execute(update(PEOPLE).where(PEOPLE.c.id < 0).values(first_us=0))
        until = count(database, EVENTS) + 10
        deadline = time.monotonic() + 30
        while count(database, EVENTS) < until:
            assert time.monotonic() < deadline
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    with database.reading() as connection:
        assert set(connection.scalars(select(PEOPLE.c.anonymous_id))) == {BOB}
        assert set(connection.scalars(select(EVENTS.c.person))) == set(connection.scalars(select(PEOPLE.c.id)))


def test_old_marks_of_erasure_stay(database: Database) -> None:
    add_project(database, "a")
    store(database, messages(3))
    erase(database, ALICE)
    delete_old(database, now_us=NOW_US)
    assert count(database, ERASED) == 1


@pytest.mark.parametrize("erasing", [False, True], ids=["project", "person"])
def test_what_is_deleted_while_its_numbers_are_made_leaves_none(postgresql_server: Server, erasing: bool) -> None:
    database = open_database(postgresql_server.create())
    add_project(database, "a")
    for _ in range(2):  # the second time numbers of these days are there already
        refresh(database)
        store(database, [message(ALICE, at=NOW - timedelta(days=days)) for days in range(1, 5)])
    failures: list[BaseException] = []

    def run(function: Callable[..., object], *words: object) -> None:
        try:
            function(*words)
        except BaseException as error:
            failures.append(error)

    deleting = (erase, database, ALICE) if erasing else (delete_project, database, "a")
    others = [threading.Thread(target=run, args=words) for words in ((refresh, database), deleting)]
    with database.writing() as connection:
        # A refresh stands still once it has put the first numbers of a day in their place.
        connection.execute(text("CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
                                "'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'"))  # fmt: skip
        connection.execute(text("CREATE TRIGGER hold BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION hold()"))
    with database.writing() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
        for waiting, thread in enumerate(others, 1):
            thread.start()
            until = time.monotonic() + 60
            while connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) != waiting:
                assert time.monotonic() < until
                time.sleep(0.01)
    for thread in others:
        thread.join()
    assert failures == []
    refresh(database)
    assert [count(database, table) for table in ROLL_UPS] == [0, 0, 0, 0]
    database.close()
