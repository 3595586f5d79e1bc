"""Roll-ups by the week, for the pages of long periods: much fewer rows than those by the day.

They are made of the roll-ups by the day, once a week is over and nothing of it has changed for a while. Whoever changes
those notes the week as spoiled in the same transaction (`spoil`): a page then reads its days, until it is made again.
So a page that takes the weeks that are not spoiled always shows what the days say.

Which days somebody used a target on is one bit for each, so that periods may begin in the middle of a week. Each table
is there twice: of all cuts together, and by cut, for a page that is limited to some. Most of those ask for one thing
only, such as a system, which may be nearly all cuts: so the cuts that have it are there together as well, under a
number of their own (`group_number`).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection

from sqlalchemy import BigInteger, Column, Connection, Integer, SmallInteger, Table, delete, select, text

from make_metrics.server.storage.database import Database
from make_metrics.server.storage.statements import insert
from make_metrics.server.storage.tables import CUTS, DAY_US, METADATA

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

_TYPES = {"week": Integer, "day": Integer, "kind": SmallInteger, "bucket": SmallInteger}  # of keys; others are large
_SUMS = ("runs", "own_ms", "waited_ms", "failures", "given_up", "then_passed")


def _table(name: str, key: Collection[str], values: Collection[str], kind: type[Integer] = BigInteger) -> Table:
    """A table of a project: the columns of its key, and values of a kind."""
    keys = (Column(column, _TYPES.get(column, BigInteger), primary_key=True) for column in ("project", *key))
    rest = (Column(column, kind, nullable=False) for column in values)
    return Table(name, METADATA, *keys, *rest, sqlite_with_rowid=False)


# On which days of a week a person ran a target, and on which with success: a bit for each day, 1 for the first.
WEEK_PEOPLE = _table("week_people", ("week", "target", "person"), ("ran", "passed"), SmallInteger)
# The sums of DAYS by target and day, of all people. `waited_ms` is `whole_ms` where the target was a goal.
WEEK_TARGETS = _table("week_targets", ("week", "day", "target"), _SUMS)
# A week's BUCKETS.
WEEK_BUCKETS = _table("week_buckets", ("kind", "week", "target", "bucket"), ("runs",))

# The same by cut, and by group of cuts: `cut` is a number of CUTS or of `group_number`. A week's cuts lie together, so
# that those of a page, and in them one target, are found by the key.
WEEK_CUT_PEOPLE = _table("week_cut_people", ("week", "cut", "target", "person"), ("ran", "passed"), SmallInteger)
WEEK_CUT_TARGETS = _table("week_cut_targets", ("week", "cut", "target", "day"), _SUMS)
WEEK_CUT_BUCKETS = _table("week_cut_buckets", ("kind", "week", "cut", "target", "bucket"), ("runs",))

BY_WEEK = (WEEK_PEOPLE, WEEK_TARGETS, WEEK_BUCKETS, WEEK_CUT_PEOPLE, WEEK_CUT_TARGETS, WEEK_CUT_BUCKETS)
OF_PERSONS = (WEEK_PEOPLE, WEEK_CUT_PEOPLE)
DAYS_IN_WEEK = 7
GROUPED = ("system", "driver", "jobs", "on_default", "goal")
"""The columns of CUTS whose values have a group each."""

_CALM_S = 60.0
_OF_WEEK = "project = :project AND day BETWEEN :first AND :last"
_GOALS = "SELECT id FROM cuts WHERE project = :project AND goal = 1"
_SUMMED = f"""
    sum(runs), sum(own_ms), sum(CASE WHEN cut IN ({_GOALS}) THEN whole_ms ELSE 0 END), sum(failures), sum(given_up),
    sum(then_passed)
"""
_MAKE = (
    f"""
    INSERT INTO {WEEK_PEOPLE.name} (project, week, target, person, ran, passed)
    SELECT :project, :week, target, person, sum(bit), sum(CASE WHEN passes > 0 THEN bit ELSE 0 END) FROM (
        SELECT target, person, 1 << (day - :first) AS bit, sum(runs - failures - given_up) AS passes
        FROM days WHERE {_OF_WEEK} GROUP BY target, person, day
    ) AS by_day GROUP BY target, person
    """,
    f"""
    INSERT INTO {WEEK_TARGETS.name} (project, week, day, target, {", ".join(_SUMS)})
    SELECT :project, :week, day, target, {_SUMMED} FROM days WHERE {_OF_WEEK} GROUP BY day, target
    """,
    f"""
    INSERT INTO {WEEK_BUCKETS.name} (project, kind, week, target, bucket, runs)
    SELECT :project, kind, :week, target, bucket, sum(runs)
    FROM buckets WHERE {_OF_WEEK} GROUP BY kind, target, bucket
    """,
)
_ADDED = ", ".join(f"sum({name})" for name in _SUMS)
_RAN, _PASSED = (" | ".join(f"max({name} & {1 << day})" for day in range(DAYS_IN_WEEK)) for name in ("ran", "passed"))
# The same by cut, where a day has one row of a target, a person and a cut.
_MAKE_BY_CUT = (
    f"""
    INSERT INTO {WEEK_CUT_PEOPLE.name} (project, week, cut, target, person, ran, passed)
    SELECT :project, :week, cut, target, person, sum(1 << (day - :first)),
        sum(CASE WHEN runs > failures + given_up THEN 1 << (day - :first) ELSE 0 END)
    FROM days WHERE {_OF_WEEK} GROUP BY cut, target, person
    """,
    f"""
    INSERT INTO {WEEK_CUT_TARGETS.name} (project, week, cut, target, day, {", ".join(_SUMS)})
    SELECT :project, :week, cut, target, day, {_SUMMED} FROM days WHERE {_OF_WEEK} GROUP BY cut, target, day
    """,
    f"""
    INSERT INTO {WEEK_CUT_BUCKETS.name} (project, kind, week, cut, target, bucket, runs)
    SELECT :project, kind, :week, cut, target, bucket, sum(runs)
    FROM buckets WHERE {_OF_WEEK} GROUP BY kind, cut, target, bucket
    """,
)
# A group's, of those of its cuts: :group is its number, {cuts} these.
_MAKE_GROUP = (
    f"""
    INSERT INTO {WEEK_CUT_PEOPLE.name} (project, week, cut, target, person, ran, passed)
    SELECT :project, :week, :group, target, person, {_RAN}, {_PASSED}
    FROM {WEEK_CUT_PEOPLE.name} WHERE project = :project AND week = :week AND cut IN ({{cuts}}) GROUP BY target, person
    """,
    f"""
    INSERT INTO {WEEK_CUT_TARGETS.name} (project, week, cut, target, day, {", ".join(_SUMS)})
    SELECT :project, :week, :group, target, day, {_ADDED}
    FROM {WEEK_CUT_TARGETS.name} WHERE project = :project AND week = :week AND cut IN ({{cuts}}) GROUP BY target, day
    """,
    *(
        f"""
        INSERT INTO {WEEK_CUT_BUCKETS.name} (project, kind, week, cut, target, bucket, runs)
        SELECT :project, {kind}, :week, :group, target, bucket, sum(runs) FROM {WEEK_CUT_BUCKETS.name}
        WHERE project = :project AND kind = {kind} AND week = :week AND cut IN ({{cuts}}) GROUP BY target, bucket
        """
        for kind in (0, 1)
    ),
)


def group_number(what: str, which: str | int) -> int:
    """The number of all cuts of a project whose column `what` is `which`; negative, and the same everywhere."""
    digest = hashlib.sha256(f"{what}={which}".encode()).digest()
    return -1 - int.from_bytes(digest[:7])


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
    for statement in (*_MAKE, *_MAKE_BY_CUT):
        connection.execute(text(statement), values)
    for number, cuts in _groups(connection, project).items():
        listed = ", ".join(map(str, cuts))
        for statement in _MAKE_GROUP:
            connection.execute(text(statement.format(cuts=listed)), values | {"group": number})
    return True


def _groups(connection: Connection, project: int) -> dict[int, list[int]]:
    """The cuts of each group of a project, by its number."""
    groups: dict[int, list[int]] = {}
    for cut in connection.execute(select(CUTS).where(CUTS.c.project == project)):
        for name in GROUPED:
            groups.setdefault(group_number(name, getattr(cut, name)), []).append(cut.id)
    return groups
