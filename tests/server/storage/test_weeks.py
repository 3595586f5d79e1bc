"""Roll-ups by the week: made when a week is over and calm, spoiled by whatever changes its days."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text

from make_metrics.server.projects.projects import add_project
from make_metrics.server.receiving.importing import import_messages
from make_metrics.server.storage import weeks
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.weeks import WEEK_PEOPLE, WEEKS
from tests.support.team_receiver import message

PERSON = str(uuid.UUID(int=1, version=4))
THEN = datetime.now(UTC) - timedelta(days=20)


def bring(database: Database, target: str = "all") -> None:
    import_messages(database, "a", [message(PERSON, target=target, at=THEN)])
    refresh(database, most_days=40)


def spoiled(database: Database) -> list[bool]:
    with database.reading() as connection:
        return [at is not None for at in connection.scalars(select(WEEKS.c.spoiled_us))]


def test_a_week_is_made_once_it_is_calm_and_again_when_it_was_spoiled(database: Database) -> None:
    add_project(database, "a")
    bring(database)
    assert weeks.make(database) == 0
    assert spoiled(database) == [True]
    assert weeks.make(database, calm_s=0) == 1
    assert weeks.make(database, calm_s=0) == 0
    assert spoiled(database) == [False]
    bring(database, "late")
    assert spoiled(database) == [True]
    assert refresh(database) == 0
    assert spoiled(database) == [False]
    with database.reading() as connection:
        assert len(connection.execute(select(WEEK_PEOPLE)).all()) == 2


def test_a_week_whose_days_change_waits_for_them(database: Database) -> None:
    add_project(database, "a")
    bring(database)
    import_messages(database, "a", [message(PERSON, target="late", at=THEN)])
    assert weeks.make(database, calm_s=0) == 0
    refresh(database)
    assert spoiled(database) == [False]


def test_a_change_that_is_not_complete_spoils_the_week_after_it_was_made(database: Database) -> None:
    add_project(database, "a")
    bring(database)
    if not database.is_postgresql:
        return  # one writer at a time
    making = threading.Thread(target=weeks.make, args=(database,), kwargs={"calm_s": 0})
    with database.writing() as connection:
        # A refresh or an erasure, in the middle of it.
        connection.execute(text("DELETE FROM days"))
        making.start()
        making.join(1)
        weeks.spoil(connection, 1, [int(THEN.timestamp()) // 86_400])
    making.join()
    assert spoiled(database) == [True]
    assert weeks.make(database, calm_s=0) == 1
    with database.reading() as connection:
        assert connection.execute(select(WEEK_PEOPLE)).all() == []
