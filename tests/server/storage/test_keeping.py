"""Retention: what must go goes, and what may stay stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from make_metrics.server.projects.projects import add_project, change_project
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage import partitions
from make_metrics.server.storage.database import AwayError, Database
from make_metrics.server.storage.keeping import delete_old
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import CHOICES, DAYS, EVENTS, PEOPLE
from make_metrics.server.storage.write import Writer
from tests.support.team_receiver import message
from tests.support.team_store import ALICE, BOB, NOW, NOW_US, count, store


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
