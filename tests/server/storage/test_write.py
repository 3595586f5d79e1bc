"""Storing: each event once, whoever stores it and however often; what is stored is what came in."""

from __future__ import annotations

import json
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from make_metrics.server.projects.projects import add_project, delete_project
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage import numbers
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import CHOICES, DIRTY_DAYS, EVENTS, NAMES, PEOPLE, REFUSED
from make_metrics.server.storage.write import Writer
from tests.support.team_receiver import message, messages
from tests.support.team_store import count

NOW_US = time.time_ns() // 1000
PERSON = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"


def store(database: Database, found: list[Any], *, project: int = 1) -> int:
    return Writer(database).store([check(project, found, limits(NOW_US, 365))])


def test_an_event_is_stored_once_however_often_it_comes(database: Database) -> None:
    add_project(database, "a")
    some = messages(50)
    writer = Writer(database)
    batch = check(1, some, limits(NOW_US, 365))
    assert writer.store([batch, batch]) == 50
    assert writer.store([batch]) == 0
    assert store(database, [*some[:10], *messages(5, seed=2)]) == 5
    assert count(database, EVENTS) == 55


def test_the_same_message_in_two_projects_is_two_events(database: Database) -> None:
    add_project(database, "a")
    add_project(database, "b")
    some = messages(3)
    assert (store(database, some), store(database, some, project=2)) == (3, 3)


def test_every_value_is_stored_as_it_came(database: Database) -> None:
    add_project(database, "a")
    begun = datetime(2026, 5, 17, 19, 44, 9, 105052, UTC)
    sent = message(
        PERSON, target="dev.pull", at=begun, jobs=3, os="linux", driver="ci", make_version="4.3", label_a="x"
    )
    Writer(database).store([check(1, [sent], limits(int(begun.timestamp() * 1e6), 365))])
    with database.reading() as connection:
        row = connection.execute(select(EVENTS)).one()
    assert row.message_id == sent["messageId"]
    assert row.started_us == int(begun.timestamp()) * 1_000_000 + 105_052
    assert (row.own_ms, row.whole_ms, row.status, row.goal, row.lines, row.level) == (800, 1200, 0, True, 3, 0)
    assert (row.parallel, row.jobs, row.on_default, row.version, row.is_test) == (False, 3, True, 2, "no")
    assert (row.commit_offset_min, row.run, row.parent) == (120, sent["properties"]["run_id"], None)
    assert json.loads(row.rest) == {"make_version": "4.3", "label_a": "x"}


@pytest.mark.parametrize(
    "text", ["NULL", "null", '"', "\\", '\\"', "a,b", "{}", "}, {", "%s", "''", ":a", "$1", "None"]
)
def test_a_text_is_stored_as_it_came_whatever_characters_it_has(database: Database, text: str) -> None:
    add_project(database, "a")
    some = [message(PERSON, label_a=text), message(PERSON, label_a="x"), message(PERSON, is_test="NULL")]
    assert store(database, some) == 3
    with database.reading() as connection:
        rows = {row.message_id: row for row in connection.execute(select(EVENTS))}
    rests = [rows[sent["messageId"]].rest for sent in some]
    assert [rest and json.loads(rest) for rest in rests] == [{"label_a": text}, {"label_a": "x"}, None]
    assert [rows[sent["messageId"]].is_test for sent in some] == ["no", "no", "NULL"]


def test_when_a_persons_events_began_is_known_whatever_order_they_come_in(database: Database) -> None:
    add_project(database, "a")
    times = [datetime(2026, 11, day, tzinfo=UTC) for day in (3, 1, 5, 2)]
    statuses = (0, 2, 0, 0)
    for at, status in zip(times, statuses, strict=True):
        store(database, [message(PERSON, at=at, exit_status=status)])
    with database.reading() as connection:
        row = connection.execute(select(PEOPLE)).one()
    moments = [datetime.fromtimestamp(us / 1e6, UTC).day for us in (row.first_us, row.first_success_us, row.last_us)]
    assert moments == [1, 2, 5]


def test_a_choice_is_stored_beside_the_events(database: Database) -> None:
    add_project(database, "a")
    yes = message(PERSON, target="metrics-opt-in", choice="in")
    assert store(database, [yes, yes]) == 0
    with database.reading() as connection:
        row = connection.execute(select(CHOICES)).one()
    assert (row.choice, row.message_id) == ("in", yes["messageId"])
    assert count(database, EVENTS) == 0


def test_events_of_a_deleted_project_are_left_out(database: Database) -> None:
    add_project(database, "a")
    add_project(database, "b")
    writer = Writer(database)
    batches = [check(project, messages(3), limits(NOW_US, 365)) for project in (1, 2)]
    assert writer.store(batches) == 6
    delete_project(database, "a")
    assert writer.store([check(1, messages(3), limits(NOW_US, 365))]) == 0
    assert writer.store([check(2, messages(3), limits(NOW_US, 365))]) == 3
    assert count(database, EVENTS) == 6


def test_names_without_end_do_not_fill_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "MOST_NAMES", 20)
    add_project(database, "a")
    assert store(database, [message(PERSON, target=f"t{number}") for number in range(50)]) == 50
    assert store(database, [message(PERSON, target=f"u{number}") for number in range(50)]) == 50
    assert count(database, NAMES) <= 21
    with database.reading() as connection:
        other = connection.scalar(select(NAMES.c.id).where(NAMES.c.name == "other"))
        assert (connection.scalar(select(func.count()).where(EVENTS.c.target == other)) or 0) >= 80


def test_what_is_refused_is_counted_and_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add_project(database, "a")
    bad = [message(PERSON, evil=1, duration_ms="3") for _ in range(3)]
    store(database, bad)
    store(database, bad)
    with database.reading() as connection:
        rows = {tuple(row) for row in connection.execute(select(REFUSED.c.property, REFUSED.c["count"]))}
    assert rows == {("evil", 6), ("duration_ms", 6)}
    for start in range(0, 800, 100):
        evil: list[dict[str, Any]] = [{f"evil{number}": 1} for number in range(start, start + 100)]
        store(database, [message(PERSON, **more) for more in evil])
    assert count(database, REFUSED) <= 301
    with database.reading() as connection:
        assert connection.scalar(select(func.sum(REFUSED.c["count"]))) == 812


def test_two_processes_store_the_same_events_once(database: Database) -> None:
    add_project(database, "a")
    batches = [check(1, messages(40, seed=seed), limits(NOW_US, 365)) for seed in range(6)]
    new: list[int] = []

    def run(order: list[int]) -> None:
        writer = Writer(database)
        for number in order:
            new.append(writer.store([batches[number]]))

    threads = [threading.Thread(target=run, args=(order,)) for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(new), count(database, EVENTS)) == (240, 240)
    assert count(database, PEOPLE) == len({row.person for batch in batches for row in batch.rows})


def test_each_day_of_new_events_is_marked_and_none_of_repeated_ones(database: Database) -> None:
    add_project(database, "a")
    some = messages(30, days=4)
    store(database, some)
    marks = count(database, DIRTY_DAYS)
    assert marks in (4, 5)
    store(database, some)
    assert count(database, DIRTY_DAYS) == marks


def test_ids_without_end_cost_a_row_each_and_no_memory(database: Database) -> None:
    add_project(database, "a")
    writer = Writer(database)
    sample = message(PERSON)
    for _ in range(4):
        many = [{**sample, "anonymousId": str(uuid.uuid4()), "messageId": str(uuid.uuid4())} for _ in range(500)]
        assert writer.store([check(1, many, limits(NOW_US, 365))]) == 500
    assert count(database, PEOPLE) == 2_000
    assert len(vars(writer._numbers)["_names"]) < 10
