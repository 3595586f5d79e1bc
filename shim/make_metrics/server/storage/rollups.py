"""The daily roll-ups that the pages read, made again from the events of each day that changed.

Whoever changes events puts their days into DIRTY_DAYS in the same transaction (`mark`). `refresh` makes the roll-ups
of these days again, as a whole, and takes the marks away in one transaction. So late events, repeated ones and
deletions need no rule of their own, and a killed receiver leaves either the mark or the right numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import DAY_US, DIRTY_DAYS, ROLL_UPS

_LOCK = 0x6D616B66  # any number but the one in `migrate`
_DAYS_AT_ONCE = 4

# Of a status: given up by Ctrl-C; failed in any other way.
_GIVEN_UP = "status IN (-2, 130)"
_FAILED = f"status <> 0 AND NOT ({_GIVEN_UP})"
_OF_DAY = "project = :project AND started_us >= :start AND started_us < :end AND is_test = 'no'"

_STEPS = (
    *(f"DELETE FROM {table.name} WHERE project = :project AND day = :day" for table in ROLL_UPS),
    f"""
    INSERT INTO days
        (project, day, target, person, cut, runs, own_ms, whole_ms, failures, given_up, then_passed)
    SELECT :project, :day, target, person, cut, count(*), coalesce(sum(own_ms), 0), coalesce(sum(whole_ms), 0),
        coalesce(sum(CASE WHEN {_FAILED} THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN {_GIVEN_UP} THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN {_FAILED} AND next_status = 0 THEN 1 ELSE 0 END), 0)
    FROM (
        SELECT target, person, cut, own_ms, whole_ms, status,
            lead(status) OVER (PARTITION BY person, target ORDER BY started_us, message_id) AS next_status
        FROM events WHERE {_OF_DAY}
    ) AS following
    GROUP BY target, person, cut
    """,
    *(
        f"""
        INSERT INTO buckets (project, day, target, cut, kind, bucket, runs)
        SELECT :project, :day, target, cut, {kind}, {column}, count(*) FROM events
        WHERE {_OF_DAY} AND status = 0 AND {column} IS NOT NULL GROUP BY target, cut, {column}
        """
        for kind, column in enumerate(("own_bucket", "whole_bucket"))
    ),
    f"""
    INSERT INTO statuses (project, day, target, cut, status, person, runs)
    SELECT :project, :day, target, cut, status, person, count(*) FROM events
    WHERE {_OF_DAY} AND status <> 0 GROUP BY target, cut, status, person
    """,
    *(
        f"""
        INSERT INTO facts (project, day, kind, value, person, runs)
        SELECT :project, :day, {kind}, {column}, person, count(*) FROM events
        WHERE {_OF_DAY} AND {column} IS NOT NULL GROUP BY {column}, person
        """
        for kind, column in enumerate(("commit_s", "version"))
    ),
)


def mark(connection: Connection, days: Iterable[tuple[int, int]]) -> None:
    """Note that events of these (project, day) changed, within the transaction that changes them."""
    rows = [{"project": project, "day": day} for project, day in sorted(set(days))]
    if rows:
        connection.execute(DIRTY_DAYS.insert(), rows)


def refresh(database: Database, *, most_days: int = 0) -> int:
    """Make the roll-ups of changed days again, the latest first; all, or at most `most_days`. The number of days.

    Each few days are a transaction of their own, so that a writer to SQLite waits only briefly. Where another process
    is doing it, nothing is done. Raises AwayError.
    """
    done = 0
    while not most_days or done < most_days:
        with database.writing() as connection:
            count = _refresh_some(connection, is_postgresql=database.is_postgresql)
        if not count:
            break
        done += count
    return done


def _refresh_some(connection: Connection, *, is_postgresql: bool) -> int:
    if is_postgresql and not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        return 0
    days = connection.execute(
        text("SELECT DISTINCT project, day FROM dirty_days ORDER BY day DESC LIMIT :most"),
        {"most": _DAYS_AT_ONCE},
    ).all()
    for project, day in days:
        values = {"project": project, "day": day, "start": day * DAY_US, "end": (day + 1) * DAY_US}
        # The marks go first: each later statement sees the changes whose marks this one has seen.
        connection.execute(text("DELETE FROM dirty_days WHERE project = :project AND day = :day"), values)
        for step in _STEPS:
            connection.execute(text(step), values)
    return len(days)
