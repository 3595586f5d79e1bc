"""What each target cost: by target, and by target and point of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from make_metrics.server.pages.questions.scope import Scope, ask
from make_metrics.server.pages.questions.weeks import PASSED, Presence, Sums, Weeks, weeks_of

OWN, WHOLE = 0, 1
Histogram = dict[int, int]


class Cost(NamedTuple):
    """The time of a target's runs, and how many people are behind them; `passed` is how many of these had a run that
    passed. `waited_ms` is the whole time of runs that were asked for.
    """

    people: int
    passed: int
    runs: int
    own_ms: int
    waited_ms: int


class Results(NamedTuple):
    """How a target's runs ended, and how many people are behind them; `passed` as in `Cost`."""

    people: int
    passed: int
    runs: int
    failures: int
    given_up: int
    then_passed: int


_PEOPLE = f"count(*) AS people, sum(CASE WHEN {PASSED} THEN 1 ELSE 0 END) AS passed"
_SUMS = """
    sum(runs) AS runs, sum(failures) AS failures, sum(given_up) AS given_up, sum(then_passed) AS then_passed
"""


def costs(connection: Connection, scope: Scope) -> dict[int, Cost]:
    """The time of each target of the period, by its number."""
    if weeks := weeks_of(connection, scope):
        by_target, _, _ = weeks.presence()
        sums = weeks.sums()
        return {
            target: Cost(
                each.people, each.passed, sums[target, 0].runs, sums[target, 0].own_ms, sums[target, 0].waited_ms
            )
            for target, each in by_target.items()
        }
    # A database sorts the rows to group them: the fewer columns they have, the faster.
    rows = ask(
        connection,
        scope,
        """
        SELECT target, count(*), sum(CASE WHEN passes > 0 THEN 1 ELSE 0 END), sum(runs), sum(own_ms), sum(waited_ms)
        FROM (
            SELECT target, person, sum(runs) AS runs, sum(runs - failures - given_up) AS passes, sum(own_ms) AS own_ms,
                sum(CASE WHEN cut IN :goals THEN whole_ms ELSE 0 END) AS waited_ms
            FROM days WHERE {here} GROUP BY target, person
        ) AS by_person GROUP BY target
        """,
        goals=_goals(connection, scope),
    )
    return {target: Cost(*map(int, values)) for target, *values in rows}


def results(
    connection: Connection, scope: Scope, target: int | None = None
) -> tuple[dict[int, Results], dict[tuple[int, int], Results]]:
    """How the runs of all targets, or of one, ended: by target, and by target and point of time (counted from 0)."""
    if weeks := weeks_of(connection, scope, step=scope.step):
        return _results(weeks, target)
    # The roll-ups are read once: what is counted of their rows are fewer.
    rows = ask(
        connection,
        scope,
        f"""
        WITH cells AS MATERIALIZED (
            SELECT target, (day - :first) / :step AS step, person, {_SUMS}
            FROM days WHERE {{here}} {_of(target)} GROUP BY target, (day - :first) / :step, person
        )
        SELECT target, -1 AS step, {_PEOPLE}, {_SUMS}
        FROM (SELECT target, person, {_SUMS} FROM cells GROUP BY target, person) AS by_person GROUP BY target
        UNION ALL SELECT target, step, {_PEOPLE}, {_SUMS} FROM cells GROUP BY target, step
        """,
        target=target,
    )
    whole: dict[int, Results] = {}
    by_step: dict[tuple[int, int], Results] = {}
    for number, step, *values in rows:
        found = Results(*map(int, values))
        if step < 0:
            whole[number] = found
        else:
            by_step[number, step] = found
    return whole, by_step


def _results(weeks: Weeks, target: int | None) -> tuple[dict[int, Results], dict[tuple[int, int], Results]]:
    by_target, by_both, _ = weeks.presence(target)
    sums, wholes = weeks.sums(target), dict[int, list[Sums]]()
    for (number, _), each in sums.items():
        wholes.setdefault(number, []).append(each)
    whole = {number: _ended(each, wholes[number]) for number, each in by_target.items()}
    return whole, {cell: _ended(each, [sums[cell]]) for cell, each in by_both.items()}


def _ended(presence: Presence, sums: Sequence[Sums]) -> Results:
    counts = ((each.runs, each.failures, each.given_up, each.then_passed) for each in sums)
    return Results(presence.people, presence.passed, *map(sum, zip(*counts, strict=True)))


def histograms(connection: Connection, scope: Scope, kind: int = OWN) -> dict[int, Histogram]:
    """The durations of each target's runs that passed, as counts by bucket."""
    if weeks := weeks_of(connection, scope):
        rows = weeks.histograms(kind)
    else:
        rows = ask(
            connection,
            scope,
            "SELECT target, bucket, sum(runs) FROM buckets WHERE {here} AND kind = :kind GROUP BY target, bucket",
            kind=kind,
        )
    found: dict[int, Histogram] = defaultdict(dict)
    for target, bucket, runs in rows:
        found[target][bucket] = int(runs)
    return found


def people_who_passed(connection: Connection, scope: Scope) -> dict[int, int]:
    """How many people ran each target with success."""
    if weeks := weeks_of(connection, scope):
        by_target, _, _ = weeks.presence()
        return {number: each.passed for number, each in by_target.items() if each.passed}
    rows = ask(
        connection,
        scope,
        f"SELECT target, count(DISTINCT person) FROM days WHERE {{here}} AND {PASSED} GROUP BY target",
    )
    found: dict[int, int] = dict(rows)
    return found


def statuses(connection: Connection, scope: Scope, target: int | None = None) -> list[tuple[int, int, int]]:
    """Exit statuses other than 0: status, people, runs; of all targets or of one."""
    rows = ask(
        connection,
        scope,
        f"""
        SELECT status, count(*) AS people, sum(runs) AS runs FROM (
            SELECT status, person, sum(runs) AS runs FROM statuses WHERE {{here}} {_of(target)} GROUP BY status, person
        ) AS by_person GROUP BY status
        """,
        target=target,
    )
    return [(row.status, row.people, int(row.runs)) for row in rows]


def _goals(connection: Connection, scope: Scope) -> list[int]:
    """The cuts whose targets were asked for."""
    rows = ask(connection, scope, "SELECT id FROM cuts WHERE project = :project AND goal = 1")
    return [row.id for row in rows]


def _of(target: int | None) -> str:
    return "" if target is None else "AND target = :target"
