"""Erasure: what must go goes, nothing of it comes back, and nobody waits long for it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update

from make_metrics.server.projects.projects import add_project, delete_project
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage import erasing
from make_metrics.server.storage.database import Database, open_database
from make_metrics.server.storage.erasing import erase, is_known
from make_metrics.server.storage.keeping import delete_old
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import CHOICES, ERASED, EVENTS, METADATA, PEOPLE, ROLL_UPS
from make_metrics.server.storage.write import Writer
from tests.support.postgresql import Server
from tests.support.team_receiver import message, messages
from tests.support.team_store import ALICE, BOB, NOW, NOW_US, count, store


def test_what_is_held_of_an_id_is_erased_everywhere_and_does_not_come_back(database: Database) -> None:
    add_project(database, "a")
    add_project(database, "b")
    writer = Writer(database)
    alice = [message(ALICE, at=NOW - timedelta(days=age)) for age in range(5)]
    yes = message(ALICE, choice="in")
    batches = [check(project, [*alice, yes, message(BOB)], limits(NOW_US, 365)) for project in (1, 2)]
    assert writer.store(batches) == 12
    refresh(database)
    assert (is_known(database, ALICE), is_known(database, str(uuid.uuid4()))) == (True, False)
    assert erase(database, ALICE) == 10
    assert (count(database, EVENTS), count(database, CHOICES), count(database, PEOPLE)) == (2, 0, 2)
    assert writer.store(batches) == 0  # a batch that was on its way
    assert erase(database, ALICE) == erase(database, str(uuid.uuid4())) == 0
    assert is_known(database, ALICE)
    refresh(database)
    _nothing_of(database, ALICE)


def _nothing_of(database: Database, person: str, *, marks: int = 4) -> None:
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
        assert connection.scalar(select(func.count()).select_from(ERASED)) == marks


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


def test_events_go_a_few_at_a_time_and_what_was_cut_off_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_project(database, "a")
    monkeypatch.setattr(erasing, "_EVENTS_AT_ONCE", 3)
    # Some begin in the same microsecond.
    alice = [message(ALICE, at=NOW - timedelta(days=age // 5)) for age in range(1, 25)]
    assert store(database, [*alice, message(BOB), message(ALICE, choice="in")]) == 25
    refresh(database)
    executed: list[str] = []

    def cut_off(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        executed.append(statement)
        if sum(each.startswith("DELETE FROM events") for each in executed) > 3:
            raise ConnectionError

    event.listen(database.engine, "before_cursor_execute", cut_off)
    with pytest.raises(ConnectionError):
        erase(database, ALICE)
    event.remove(database.engine, "before_cursor_execute", cut_off)
    assert 1 < count(database, EVENTS) < 25
    # Nothing more is taken, though the person is still there.
    assert store(database, [message(ALICE), message(BOB)]) == 1
    left = count(database, EVENTS) - 2
    assert erase(database, ALICE) == left
    assert (count(database, EVENTS), count(database, PEOPLE), count(database, CHOICES)) == (2, 1, 0)
    refresh(database)
    _nothing_of(database, ALICE, marks=1)


def run(failures: list[BaseException], function: Callable[..., object], *words: object) -> None:
    try:
        function(*words)
    except BaseException as error:
        failures.append(error)


class Held:
    """PostgreSQL: a database of one project in which a refresh stands still amid a day, until the `with` block ends."""

    def __init__(self, server: Server) -> None:
        self.database, self.failures = open_database(server.create()), list[BaseException]()
        self._threads: list[threading.Thread] = []
        add_project(self.database, "a")
        for _ in range(2):  # the second time numbers of these days are there already
            refresh(self.database)
            store(self.database, [message(ALICE, at=NOW - timedelta(days=days)) for days in range(1, 5)])
        with self.database.writing() as connection:
            connection.execute(text("CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
                                    "'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'"))  # fmt: skip
            connection.execute(text("CREATE TRIGGER hold BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION hold()"))

    def __enter__(self) -> Held:
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(self.database.writing())
        self._connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
        self.begin(refresh, self.database)
        return self

    def begin(self, function: Callable[..., object], *words: object) -> None:
        """Begin something that comes to wait as well."""
        self._threads.append(threading.Thread(target=run, args=(self.failures, function, *words)))
        self._threads[-1].start()
        until = time.monotonic() + 60
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while self._connection.scalar(waiting) != len(self._threads):
            assert time.monotonic() < until
            time.sleep(0.01)

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        for thread in self._threads:
            thread.join()
        assert self.failures == []


@pytest.mark.parametrize("of_person", [False, True], ids=["project", "person"])
def test_what_is_deleted_while_its_numbers_are_made_leaves_none(postgresql_server: Server, of_person: bool) -> None:
    held = Held(postgresql_server)
    database = held.database
    with held:
        held.begin(*((erase, database, ALICE) if of_person else (delete_project, database, "a")))
    refresh(database)
    assert [count(database, table) for table in ROLL_UPS] == [0] * len(ROLL_UPS)
    database.close()


@pytest.mark.parametrize("of_person", [False, True], ids=["project", "person"])
def test_nobody_who_stores_waits_behind_an_erasure(postgresql_server: Server, of_person: bool) -> None:
    held = Held(postgresql_server)
    database = held.database
    add_project(database, "b")
    batches = [check(project, [message(BOB)], limits(NOW_US + 10**9, 365)) for project in (1, 2)]
    storing = threading.Thread(target=run, args=(held.failures, Writer(database).store, batches))
    with held:
        held.begin(*((erase, database, ALICE) if of_person else (delete_project, database, "a")))
        storing.start()
        storing.join(30)
        is_stored = not storing.is_alive()
    storing.join()
    assert is_stored
    refresh(database)
    assert count(database, EVENTS) == 1 + of_person
    database.close()


def test_a_number_is_never_given_to_somebody_else(database: Database) -> None:
    add_project(database, "a")
    numbers = []
    for _ in range(4):
        person = str(uuid.uuid4())
        store(database, [message(person)])
        with database.reading() as connection:
            numbers.append(connection.scalar(select(func.max(PEOPLE.c.id))))
        erase(database, person)
    assert len(set(numbers)) == 4
