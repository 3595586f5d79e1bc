"""The roll-ups say what the events say, whatever came late, twice or was deleted."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, text

from make_metrics.server.projects.projects import add_project, delete_project
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage.buckets import bucket
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.day import beside
from make_metrics.server.storage.erasing import erase
from make_metrics.server.storage.rollups import mark, refresh
from make_metrics.server.storage.tables import BUCKETS, BY_PERSON, DAY_US, DAYS, DIRTY_DAYS, EVENTS, PEOPLE, STATUSES
from make_metrics.server.storage.write import Writer
from tests.support.team_receiver import message, messages, write

NOW_US = time.time_ns() // 1000
_GIVEN_UP = (-2, 130)
PERSON = str(uuid.UUID(int=1, version=4))


def expected(database: Database) -> tuple[Counter[Any], Counter[Any], Counter[Any]]:
    """What DAYS, BUCKETS and STATUSES must have, computed here from the events."""
    days: Counter[Any] = Counter()
    buckets: Counter[Any] = Counter()
    statuses: Counter[Any] = Counter()
    with database.reading() as connection:
        rows = connection.execute(select(EVENTS).where(EVENTS.c.is_test == "no")).all()
    following: dict[Any, int] = {}
    for row in sorted(rows, key=lambda row: (row.started_us, row.message_id), reverse=True):
        day = row.started_us // DAY_US
        key = (day, row.target, row.person, row.cut)
        failed = row.status != 0 and row.status not in _GIVEN_UP
        days[key, "runs"] += 1
        days[key, "own_ms"] += row.own_ms
        days[key, "whole_ms"] += row.whole_ms
        days[key, "failures"] += failed
        days[key, "given_up"] += row.status in _GIVEN_UP
        days[key, "then_passed"] += failed and following.get((day, row.target, row.person)) == 0
        following[day, row.target, row.person] = row.status
        if row.status == 0:
            buckets[day, row.target, row.cut, 0, bucket(row.own_ms)] += 1
            buckets[day, row.target, row.cut, 1, bucket(row.whole_ms)] += 1
        else:
            statuses[day, row.target, row.cut, row.status] += 1
    return days, buckets, statuses


def found(database: Database) -> tuple[Counter[Any], Counter[Any], Counter[Any]]:
    days: Counter[Any] = Counter()
    buckets: Counter[Any] = Counter()
    statuses: Counter[Any] = Counter()
    with database.reading() as connection:
        for row in connection.execute(select(DAYS)):
            for name in ("runs", "own_ms", "whole_ms", "failures", "given_up", "then_passed"):
                days[(row.day, row.target, row.person, row.cut), name] += getattr(row, name)
        for row in connection.execute(select(BUCKETS)):
            buckets[row.day, row.target, row.cut, row.kind, row.bucket] += row.runs
        for row in connection.execute(select(STATUSES)):
            statuses[row.day, row.target, row.cut, row.status] += row.runs
    return days, buckets, statuses


def agree(database: Database) -> None:
    refresh(database)
    assert found(database) == expected(database)


@contextlib.contextmanager
def while_made(database: Database, act: Callable[[], object]) -> Iterator[None]:
    """Do something once, when a refresh within the block has read the events, and before it goes on."""
    waiting = [act]

    def listener(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "buckets" in statement and "INSERT" in statement and waiting:
            waiting.pop()()

    event.listen(database.engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", listener)
    assert not waiting


def store(database: Database, some: list[Any]) -> None:
    Writer(database).store([check(1, some, limits(NOW_US, 365))])


def test_they_follow_late_events_repeated_ones_and_deletions(database: Database) -> None:
    add_project(database, "a")
    some = messages(300)
    store(database, some[:100])
    agree(database)
    assert refresh(database) == 0
    store(database, some)  # late ones, and a hundred again
    agree(database)
    erase(database, some[0]["anonymousId"])
    with database.reading() as connection:
        person_days = len(connection.execute(select(DAYS)).all())
    agree(database)
    assert person_days
    with database.writing() as connection:
        days = {row.started_us // DAY_US for row in connection.execute(select(EVENTS.c.started_us))}
        connection.execute(delete(EVENTS))
        mark(connection, ((1, day) for day in days))
    agree(database)
    assert found(database) == (Counter(), Counter(), Counter())


@pytest.mark.parametrize("rows_at_once", [5_000, 9])
def test_they_are_right_after_storing_and_refreshing_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(beside, "_ROWS_AT_ONCE", rows_at_once)
    add_project(database, "a")
    ended = threading.Event()

    def refreshing() -> None:
        while not ended.is_set():
            refresh(database)

    threads = [threading.Thread(target=refreshing) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        writer = Writer(database)
        for seed in range(25):
            writer.store([check(1, messages(20, seed=seed, days=2), limits(NOW_US, 365))])
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    agree(database)


def test_no_writer_waits_while_they_are_made(database: Database) -> None:
    add_project(database, "a")
    store(database, messages(50, days=1))
    late = messages(50, seed=2, days=1)
    # Who must wait for another writer gives up in the end: AwayError.
    with while_made(database, lambda: store(database, late)):
        refresh(database)
    agree(database)


def test_who_is_erased_while_they_are_made_is_not_in_them(database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL makes them in one transaction")
    add_project(database, "a")
    some = messages(100, days=1)
    store(database, some)
    with database.reading() as connection:
        query = select(PEOPLE.c.id).where(PEOPLE.c.anonymous_id == some[0]["anonymousId"])
        person = connection.scalar(query)
    with while_made(database, lambda: erase(database, some[0]["anonymousId"])):
        refresh(database, most_days=1)
    with database.reading() as connection:
        for table in BY_PERSON:
            assert not connection.execute(select(table).where(table.c.person == person)).all()
    agree(database)


def test_those_of_a_later_refresh_stay(database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL makes them in one transaction")
    add_project(database, "a")
    store(database, messages(50, days=1))
    late = messages(50, seed=2, days=1)

    def overtake() -> None:
        store(database, late)
        refresh(database)

    with while_made(database, overtake):
        refresh(database)
    assert found(database) == expected(database)


def test_a_day_that_another_has_made_of_fewer_events_is_made_again(database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL makes them in one transaction")
    add_project(database, "a")
    for seed in range(2):
        store(database, messages(50, seed=seed, days=1))

    def overtake() -> None:
        with database.writing() as connection:
            # Just after midnight, or just before it, one of the two days may have a single mark.
            marks = select(func.min(DIRTY_DAYS.c.id)).group_by(DIRTY_DAYS.c.day).having(func.count() > 1)
            connection.execute(delete(DIRTY_DAYS).where(DIRTY_DAYS.c.id.in_(marks)))

    with while_made(database, overtake):
        refresh(database)
    assert found(database) == expected(database)


def test_a_busy_day_is_made_once_at_a_time(database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("no other writer can be held up to be in between")
    add_project(database, "a")
    store(database, messages(50, days=1))
    days = refresh(database)
    store(database, messages(50, days=1, seed=2))
    # The latest day is made first. Events of an earlier one would come in time: just after midnight most are of one.
    late = [message(PERSON, at=datetime.now(UTC)) for _ in range(50)]
    with while_made(database, lambda: store(database, late)):
        assert refresh(database, most_days=40) <= days + 1
    with database.reading() as connection:
        assert connection.scalars(select(DIRTY_DAYS.c.day)).all()
    agree(database)


def test_the_log_begins_anew_while_they_are_made(database_url: str, database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL's log is its own")
    add_project(database, "a")
    store(database, messages(50, days=1))
    database.checkpoint_apart()
    log = Path(database_url.removeprefix("sqlite:///") + "-wal")

    def write_much() -> None:
        for _ in range(12):
            write(database, 5_000_000)
            database.checkpoint()
            write(database, 1)

    with while_made(database, write_much):
        refresh(database)
    assert log.stat().st_size < 30_000_000  # of 60
    agree(database)


def test_a_day_of_many_events_is_read_in_small_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL's log is its own")
    monkeypatch.setattr(beside, "_EVENTS_AT_ONCE", 20)
    add_project(database, "a")
    store(database, messages(300, days=2))
    at_once = datetime.now(UTC) - timedelta(days=1)
    store(database, [message(PERSON, at=at_once) for _ in range(50)])
    parts = []

    def listener(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "FROM events" in statement and "made_events" in statement and "INSERT" in statement:
            parts.append(cursor.rowcount)
        else:
            assert "FROM events" not in statement or "LIMIT 1" in statement or "WHERE 0" in statement

    event.listen(database.engine, "after_cursor_execute", listener)
    try:
        refresh(database)
    finally:
        event.remove(database.engine, "after_cursor_execute", listener)
    assert max(parts) <= 20 + 50
    assert len(parts) > 10
    agree(database)


def test_a_day_is_put_in_its_place_in_small_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL's writers do not wait for it")
    monkeypatch.setattr(beside, "_ROWS_AT_ONCE", 7)
    add_project(database, "a")
    parts: list[int] = []

    def listener(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "ON CONFLICT" in statement and "temp.made" in statement:
            parts[-1] += cursor.rowcount

    def begins(connection: Any) -> None:
        parts.append(0)

    event.listen(database.engine, "after_cursor_execute", listener)
    event.listen(database.engine, "begin", begins)
    try:
        for seed in range(3):
            store(database, messages(100, days=2, seed=seed))
            refresh(database)
            agree(database)
        with database.reading() as connection:
            person = connection.scalar(select(PEOPLE.c.anonymous_id).limit(1))
        erase(database, str(person))
        refresh(database)
        agree(database)
    finally:
        event.remove(database.engine, "after_cursor_execute", listener)
        event.remove(database.engine, "begin", begins)
    assert max(parts) == 7
    assert sum(parts) > 100


def test_a_day_is_made_again_after_an_end_between_two_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL makes them in one transaction")
    monkeypatch.setattr(beside, "_ROWS_AT_ONCE", 20)
    add_project(database, "a")
    store(database, messages(200, days=1))
    put, puts = beside._put, []

    def put_some(*given: Any) -> None:
        puts.append(given)
        if len(puts) == 4:
            raise KeyboardInterrupt
        put(*given)

    monkeypatch.setattr(beside, "_put", put_some)
    with pytest.raises(KeyboardInterrupt):
        refresh(database)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(DAYS))
        assert connection.scalars(select(DIRTY_DAYS.c.day)).all()
    refresh(database)
    agree(database)


def test_a_day_may_take_longer_than_a_page(database: Database) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite ends no statement")
    add_project(database, "a")
    store(database, messages(20, days=1))
    limits_ms = []

    def listener(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "INSERT INTO days" in statement:
            cursor.execute("SHOW statement_timeout")
            limits_ms.append(cursor.fetchone()[0])

    event.listen(database.engine, "before_cursor_execute", listener)
    try:
        refresh(database)
    finally:
        event.remove(database.engine, "before_cursor_execute", listener)
    assert set(limits_ms) == {"0"}
    with database.writing() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "1min"


def test_they_stay_away_with_their_project(database: Database) -> None:
    add_project(database, "a")
    store(database, messages(50, days=1))
    deleting = threading.Thread(target=delete_project, args=(database, "a"))

    def delete_beside() -> None:
        deleting.start()
        if not database.is_postgresql:
            deleting.join()
        while deleting.is_alive() and not _waits(database):
            pass

    with while_made(database, delete_beside):
        refresh(database)
    deleting.join()
    assert found(database) == (Counter(), Counter(), Counter())


def _waits(database: Database) -> bool:
    """Whether somebody waits for a lock."""
    with database.reading() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
