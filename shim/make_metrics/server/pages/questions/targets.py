"""What each target cost: by target, and by target and point of time."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection

from make_metrics.server.pages.questions.scope import Scope, ask

OWN, WHOLE = 0, 1
Histogram = dict[int, int]


class Totals(NamedTuple):
    """Sums of DAYS, and how many people are behind them; `passed` is how many of these had a run that passed.

    `waited_ms` is the whole time of runs that were asked for.
    """

    people: int
    passed: int
    runs: int
    own_ms: int
    waited_ms: int
    failures: int
    given_up: int
    then_passed: int


_PASSED = "runs > failures + given_up"
_PEOPLE = f"count(*) AS people, sum(CASE WHEN {_PASSED} THEN 1 ELSE 0 END) AS passed"
_SUMS = """
    sum(runs) AS runs, sum(own_ms) AS own_ms, sum(waited_ms) AS waited_ms, sum(failures) AS failures,
    sum(given_up) AS given_up, sum(then_passed) AS then_passed
"""
_OF_PERSON = _SUMS.replace("sum(waited_ms)", "sum(CASE WHEN cut IN :goals THEN whole_ms ELSE 0 END)")


def totals(connection: Connection, scope: Scope) -> dict[int, Totals]:
    """The sums of each target of the period, by its number."""
    rows = ask(
        connection,
        scope,
        f"""
        SELECT target, {_PEOPLE}, {_SUMS} FROM (
            SELECT target, person, {_OF_PERSON} FROM days WHERE {{here}} GROUP BY target, person
        ) AS by_person GROUP BY target
        """,
        goals=_goals(connection, scope),
    )
    return {row.target: _totals(row[1:]) for row in rows}


def totals_by_step(
    connection: Connection, scope: Scope, targets: list[int] | None = None
) -> dict[tuple[int, int], Totals]:
    """The sums of each target and point of time (counted from 0); of all targets, or of these."""
    some = "" if targets is None else "AND target IN :targets"
    rows = ask(
        connection,
        scope,
        f"""
        SELECT target, step, {_PEOPLE}, {_SUMS} FROM (
            SELECT target, (day - :first) / :step AS step, person, {_OF_PERSON}
            FROM days WHERE {{here}} {some} GROUP BY target, (day - :first) / :step, person
        ) AS by_person GROUP BY target, step
        """,
        goals=_goals(connection, scope),
        targets=targets or [],
    )
    return {(row.target, row.step): _totals(row[2:]) for row in rows}


def histograms(connection: Connection, scope: Scope, kind: int = OWN) -> dict[int, Histogram]:
    """The durations of each target's runs that passed, as counts by bucket."""
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
    rows = ask(
        connection,
        scope,
        f"""
        SELECT target, count(*) FROM (
            SELECT target, person FROM days WHERE {{here}} AND {_PASSED} GROUP BY target, person
        ) AS by_person GROUP BY target
        """,
    )
    found: dict[int, int] = dict(rows)
    return found


def statuses(connection: Connection, scope: Scope, target: int | None = None) -> list[tuple[int, int, int]]:
    """Exit statuses other than 0: status, people, runs; of all targets or of one."""
    some = "" if target is None else "AND target = :target"
    rows = ask(
        connection,
        scope,
        f"""
        SELECT status, count(*) AS people, sum(runs) AS runs FROM (
            SELECT status, person, sum(runs) AS runs FROM statuses WHERE {{here}} {some} GROUP BY status, person
        ) AS by_person GROUP BY status
        """,
        target=target,
    )
    return [(row.status, row.people, int(row.runs)) for row in rows]


def _goals(connection: Connection, scope: Scope) -> list[int]:
    """The cuts whose targets were asked for."""
    rows = ask(connection, scope, "SELECT id FROM cuts WHERE project = :project AND goal = 1")
    return [row.id for row in rows]


def _totals(values: tuple[object, ...]) -> Totals:
    return Totals(*(int(value) for value in values))  # type: ignore[call-overload]
