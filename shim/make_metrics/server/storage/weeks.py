"""Roll-ups by the week, for the pages of long periods: much fewer rows than those by the day.

They are made of the roll-ups by the day, once a week is over and nothing of it has changed for a while. Whoever changes
those notes the week as spoiled in the same transaction (`spoil`): a page then reads its days, until it is made again.
So a page that takes the weeks that are not spoiled always shows what the days say.

Which days somebody used a target on is one bit for each, so that periods may begin in the middle of a week. Only all
cuts together are here: a page that is limited to some reads the days.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from sqlalchemy import BigInteger, Column, Connection, Integer, SmallInteger, Table, delete, text

from make_metrics.server.storage.database import Database
from make_metrics.server.storage.statements import insert
from make_metrics.server.storage.tables import DAY_US, METADATA

# Weeks of which there are roll-ups by the day: a week is a number of days since 1970, divided by seven. `spoiled_us` is
# when one of these last changed, NULL if the week's own are made of them as they are.
WEEKS = Table(
    "weeks",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("week", Integer, primary_key=True),
    Column("spoiled_us", BigInteger),
    sqlite_with_rowid=False,
)

# On which days of a week a person ran a target, and on which with success: a bit for each day, 1 for the first. All
# cuts together, as in the next two.
WEEK_PEOPLE = Table(
    "week_people",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("week", Integer, primary_key=True),
    Column("target", BigInteger, primary_key=True),
    Column("person", BigInteger, primary_key=True),
    Column("ran", SmallInteger, nullable=False),
    Column("passed", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The sums of DAYS by target and day, of all people. `waited_ms` is `whole_ms` where the target was a goal.
WEEK_TARGETS = Table(
    "week_targets",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("week", Integer, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("target", BigInteger, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("own_ms", BigInteger, nullable=False),
    Column("waited_ms", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("given_up", BigInteger, nullable=False),
    Column("then_passed", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# A week's BUCKETS.
WEEK_BUCKETS = Table(
    "week_buckets",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("kind", SmallInteger, primary_key=True),
    Column("week", Integer, primary_key=True),
    Column("target", BigInteger, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

BY_WEEK = (WEEK_PEOPLE, WEEK_TARGETS, WEEK_BUCKETS)
DAYS_IN_WEEK = 7

_CALM_S = 60.0
_OF_WEEK = "project = :project AND day BETWEEN :first AND :last"
_MAKE = (
    f"""
    INSERT INTO {WEEK_PEOPLE.name} (project, week, target, person, ran, passed)
    SELECT :project, :week, target, person, sum(bit), sum(CASE WHEN passes > 0 THEN bit ELSE 0 END) FROM (
        SELECT target, person, 1 << (day - :first) AS bit, sum(runs - failures - given_up) AS passes
        FROM days WHERE {_OF_WEEK} GROUP BY target, person, day
    ) AS by_day GROUP BY target, person
    """,
    f"""
    INSERT INTO {WEEK_TARGETS.name}
        (project, week, day, target, runs, own_ms, waited_ms, failures, given_up, then_passed)
    SELECT :project, :week, day, target, sum(runs), sum(own_ms),
        sum(CASE WHEN cut IN (SELECT id FROM cuts WHERE project = :project AND goal = 1) THEN whole_ms ELSE 0 END),
        sum(failures), sum(given_up), sum(then_passed)
    FROM days WHERE {_OF_WEEK} GROUP BY day, target
    """,
    f"""
    INSERT INTO {WEEK_BUCKETS.name} (project, kind, week, target, bucket, runs)
    SELECT :project, kind, :week, target, bucket, sum(runs)
    FROM buckets WHERE {_OF_WEEK} GROUP BY kind, target, bucket
    """,
)


def spoil(connection: Connection, project: int, days: Collection[int]) -> None:
    """Note that roll-ups of these days change, in the transaction that changes them.

    PostgreSQL: after the days are changed and before the weeks are, so that nobody waits for somebody who waits.
    """
    now_us = time.time_ns() // 1000
    weeks = sorted({day // DAYS_IN_WEEK for day in days})
    rows = [{"project": project, "week": week, "spoiled_us": now_us} for week in weeks]
    if rows:
        statement = insert(connection, WEEKS)
        statement = statement.on_conflict_do_update(
            index_elements=["project", "week"], set_={"spoiled_us": statement.excluded.spoiled_us}
        )
        connection.execute(statement, rows)


def forget(connection: Connection, project: int, before: int) -> None:
    """Delete what is made of days before one, and note the week in which it is."""
    spoil(connection, project, [before])
    for table in (WEEKS, *BY_WEEK):
        connection.execute(delete(table).where(table.c.project == project, table.c.week < before // DAYS_IN_WEEK))


def make(database: Database, *, calm_s: float = _CALM_S, most: int = 0) -> int:
    """Make spoiled weeks that are over and have not changed for some seconds, all or so many; how many were made.

    Each is a transaction of its own. Raises AwayError.
    """
    now_us = time.time_ns() // 1000
    # A day that will be made again would soon spoil its week.
    query = f"""
        SELECT project, week FROM weeks WHERE spoiled_us <= :before AND week < :this AND NOT EXISTS (
            SELECT 1 FROM dirty_days WHERE dirty_days.project = weeks.project
            AND dirty_days.day / {DAYS_IN_WEEK} = weeks.week
        ) ORDER BY week DESC LIMIT :most
    """
    values = {"before": now_us - int(calm_s * 1e6), "this": now_us // DAY_US // DAYS_IN_WEEK, "most": most or 10_000}
    with database.reading() as connection:
        found = connection.execute(text(query), values).all()
    made = 0
    for project, week in found:
        with database.writing() as connection:
            made += _make(connection, project, week)
    return made


def _make(connection: Connection, project: int, week: int) -> bool:
    first = week * DAYS_IN_WEEK
    values = {"project": project, "week": week, "first": first, "last": first + DAYS_IN_WEEK - 1}
    # This locks the row: who changes days of the week and is not done yet spoils it after this, or did so before.
    taken = "UPDATE weeks SET spoiled_us = NULL WHERE project = :project AND week = :week AND spoiled_us IS NOT NULL"
    if not connection.execute(text(taken), {"project": project, "week": week}).rowcount:
        return False
    for table in BY_WEEK:
        connection.execute(delete(table).where(table.c.project == project, table.c.week == week))
    for statement in _MAKE:
        connection.execute(text(statement), values)
    return True
