"""How a day's roll-ups are made of its events."""

from __future__ import annotations

from make_metrics.server.storage.tables import BUCKETS, DAYS, FACTS, STATUSES

# Of a status: given up by Ctrl-C; failed in any other way.
_GIVEN_UP = "status IN (-2, 130)"
_FAILED = f"status <> 0 AND NOT ({_GIVEN_UP})"
IN_DAY = "project = :project AND started_us >= :start AND started_us < :end"
OF_DAY = f"{IN_DAY} AND is_test = 'no'"


def selects(events: str, order: str) -> tuple[tuple[str, str, str], ...]:
    """Of each roll-up its table, its columns, and how they are made of a day's events.

    These are a table with its condition, and what tells their order.
    """
    return (
        (
            DAYS.name,
            "project, day, target, person, cut, runs, own_ms, whole_ms, failures, given_up, then_passed",
            f"""
            SELECT :project, :day, target, person, cut, count(*), coalesce(sum(own_ms), 0), coalesce(sum(whole_ms), 0),
                coalesce(sum(CASE WHEN {_FAILED} THEN 1 ELSE 0 END), 0),
                coalesce(sum(CASE WHEN {_GIVEN_UP} THEN 1 ELSE 0 END), 0),
                coalesce(sum(CASE WHEN {_FAILED} AND next_status = 0 THEN 1 ELSE 0 END), 0)
            FROM (
                SELECT target, person, cut, own_ms, whole_ms, status,
                    lead(status) OVER (PARTITION BY person, target ORDER BY {order}) AS next_status
                FROM {events}
            ) AS following
            GROUP BY target, person, cut
            """,
        ),
        *(
            (
                BUCKETS.name,
                "project, day, target, cut, kind, bucket, runs",
                f"""
                SELECT :project, :day, target, cut, {kind}, {column}, count(*) FROM {events}
                AND status = 0 AND {column} IS NOT NULL GROUP BY target, cut, {column}
                """,
            )
            for kind, column in enumerate(("own_bucket", "whole_bucket"))
        ),
        (
            STATUSES.name,
            "project, day, target, cut, status, person, runs",
            f"""
            SELECT :project, :day, target, cut, status, person, count(*) FROM {events}
            AND status <> 0 GROUP BY target, cut, status, person
            """,
        ),
        *(
            (
                FACTS.name,
                "project, day, kind, value, person, runs",
                f"""
                SELECT :project, :day, {kind}, {column}, person, count(*) FROM {events}
                AND {column} IS NOT NULL GROUP BY {column}, person
                """,
            )
            for kind, column in enumerate(("commit_s", "version"))
        ),
    )
