"""Who uses what: people and runs of each target and point of time, and targets that nobody uses any more."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from sqlalchemy import Connection

from make_metrics.server.pages.questions.scope import Scope, ask
from make_metrics.server.pages.questions.weeks import Weeks, weeks_of

_TARGET, _STEP, _CELL = range(3)


class Used(NamedTuple):
    """How many people used something, how many runs they started, and of how many targets."""

    people: int
    runs: int
    targets: int = 1


class Use(NamedTuple):
    """The use of each target by its number, of each point of time (counted from 0), and of both."""

    by_target: dict[int, Used]
    by_step: dict[int, Used]
    by_both: dict[tuple[int, int], Used]


def use(connection: Connection, scope: Scope) -> Use:
    """The use in the period."""
    if weeks := weeks_of(connection, scope, step=scope.step):
        return _by_week(weeks)
    # The roll-ups are read once: what is counted of their rows are few.
    rows = ask(
        connection,
        scope,
        f"""
        WITH cells AS MATERIALIZED (
            SELECT target, (day - :first) / :step AS step, person, sum(runs) AS runs
            FROM days WHERE {{here}} GROUP BY target, (day - :first) / :step, person
        )
        SELECT {_CELL} AS what, target, step, count(*) AS people, sum(runs) AS runs, 1 AS targets
        FROM cells GROUP BY target, step
        UNION ALL SELECT {_TARGET}, target, 0, count(DISTINCT person), sum(runs), 1 FROM cells GROUP BY target
        UNION ALL SELECT {_STEP}, 0, step, count(DISTINCT person), sum(runs), count(DISTINCT target)
        FROM cells GROUP BY step
        """,
    )
    found = Use({}, {}, {})
    for what, target, step, people, runs, targets in rows:
        used = Used(people, int(runs), targets)
        if what == _TARGET:
            found.by_target[target] = used
        elif what == _STEP:
            found.by_step[step] = used
        else:
            found.by_both[target, step] = used
    return found


def _by_week(weeks: Weeks) -> Use:
    by_target, by_both, by_step = weeks.presence(all_targets=True)
    sums = weeks.sums()
    of_target, of_step = Counter[int](), Counter[int]()
    for (target, step), each in sums.items():
        of_target[target] += each.runs
        of_step[step] += each.runs
    return Use(
        {target: Used(each.people, of_target[target]) for target, each in by_target.items()},
        {step: Used(each.people, of_step[step], each.targets) for step, each in by_step.items()},
        {cell: Used(each.people, sums[cell].runs) for cell, each in by_both.items()},
    )


def unused(connection: Connection, scope: Scope, *, since: int) -> list[tuple[int, int, int, int]]:
    """Targets that ran since a day before the period, and not in it or later: number, last day, runs, people."""
    # The last day of a name is found in the index. Names of events have none.
    last_days = dict[int, int](
        ask(
            connection,
            scope,
            """
            SELECT id, last_day FROM (
                SELECT id, (
                    SELECT max(day) FROM days WHERE days.project = :project AND days.target = names.id
                ) AS last_day FROM names WHERE project = :project
            ) AS of_names WHERE last_day >= :since AND last_day < :first
            """,
            since=since,
        )
    )
    rows = ask(
        connection,
        scope,
        """
        SELECT target, sum(runs) AS runs, count(DISTINCT person) AS people FROM days
        WHERE project = :project AND target IN :targets AND day >= :since GROUP BY target
        """,
        since=since,
        targets=list(last_days),
    )
    return [(row.target, last_days[row.target], int(row.runs), row.people) for row in rows]
