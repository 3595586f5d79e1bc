"""The same as the roll-ups by the day say, from those by the week where these are made: see `storage.weeks`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection

from make_metrics.server.pages.questions.scope import Scope, ask
from make_metrics.server.storage.statements import is_postgresql
from make_metrics.server.storage.weeks import DAYS_IN_WEEK

PASSED = "runs > failures + given_up"
"""That of a row of DAYS some run passed."""
_NONE = "1 = 0"
_MOST_BITS = 62


class Presence(NamedTuple):
    """How many people ran something, how many of these had a run that passed, and of how many targets it was."""

    people: int
    passed: int
    targets: int


class Sums(NamedTuple):
    """Sums over runs; see DAYS. `waited_ms` is the whole time of runs that were asked for."""

    runs: int
    own_ms: int
    waited_ms: int
    failures: int
    given_up: int
    then_passed: int


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of a scope that are made, at least one. `step` is how many days a point of time stands for."""

    connection: Connection
    scope: Scope
    made: tuple[int, ...]
    step: int
    goals: tuple[int, ...]

    def presence(
        self, target: int | None = None, *, all_targets: bool = False
    ) -> tuple[dict[int, Presence], dict[tuple[int, int], Presence], dict[int, Presence]]:
        """Who ran each target, or one: by target, by target and point of time, and (`all_targets`) by point of time."""
        both = f"""
            SELECT target, step, person, CAST(passed & mask <> 0 AS INTEGER) AS passed
            FROM spans CROSS JOIN {self._table("people")} AS weekly
            WHERE project = :project AND weekly.week = spans.week {self._weekly()} {_of(target)} AND ran & mask <> 0
            UNION ALL
            SELECT target, (day - :first) / :step, person, CASE WHEN {PASSED} THEN 1 ELSE 0 END
            FROM days WHERE project = :project AND {self._other_days()} {_of(target)}
        """
        rows = self._ask(
            f"""
            WITH spans(week, step, mask) AS (VALUES {self._spans()}), {self._cells(both)}
            SELECT 0 AS what, target, 0 AS step, count(*) AS people, sum(passed) AS passed, 1 AS targets FROM (
                SELECT target, person, max(passed) AS passed FROM cells GROUP BY target, person
            ) AS by_person GROUP BY target
            UNION ALL SELECT 1, target, step, count(*), sum(passed), 1 FROM cells GROUP BY target, step
            {_BY_STEP if all_targets else ""}
            """,
            target,
        )
        by_target: dict[int, Presence] = {}
        by_both: dict[tuple[int, int], Presence] = {}
        by_step: dict[int, Presence] = {}
        for what, number, step, *values in rows:
            presence = Presence(*map(int, values))
            if what == 0:
                by_target[number] = presence
            elif what == 1:
                by_both[number, step] = presence
            else:
                by_step[step] = presence
        return by_target, by_both, by_step

    def _cells(self, both: str) -> str:
        """The table `cells`: what a statement finds, each target, point of time and person once."""
        last = (self.scope.days - 1) // self.step
        if last > _MOST_BITS or not is_postgresql(self.connection):
            return f"""
                cells AS MATERIALIZED (
                    SELECT target, step, person, max(passed) AS passed FROM ({both}) AS both_kinds
                    GROUP BY target, step, person
                )
            """
        # A bit for each point of time, which SQLite cannot collect: fewer groups, in three quarters of the time.
        return f"""
            bits AS MATERIALIZED (
                SELECT target, person, bit_or(CAST(1 AS BIGINT) << step) AS ran,
                    bit_or(CAST(passed AS BIGINT) << step) AS passed
                FROM ({both}) AS both_kinds GROUP BY target, person
            ), cells AS MATERIALIZED (
                SELECT target, step, person, (passed >> step) & 1 AS passed
                FROM bits CROSS JOIN generate_series(0, {last}) AS step WHERE (ran >> step) & 1 = 1
            )
        """

    def sums(self, target: int | None = None) -> dict[tuple[int, int], Sums]:
        """The sums of each target, or of one, by target and point of time."""
        rows = self._ask(
            f"""
            SELECT target, step, sum(runs), sum(own_ms), sum(waited_ms), sum(failures), sum(given_up), sum(then_passed)
            FROM (
                SELECT target, (day - :first) / :step AS step, runs, own_ms, waited_ms, failures, given_up, then_passed
                FROM {self._table("targets")} WHERE project = :project AND week IN {_list(self.made)} {self._weekly()}
                AND day BETWEEN :first AND :last {_of(target)}
                UNION ALL
                SELECT target, (day - :first) / :step, runs, own_ms,
                    CASE WHEN cut IN {_list(self.goals)} THEN whole_ms ELSE 0 END, failures, given_up, then_passed
                FROM days WHERE project = :project AND {self._other_days()} {_of(target)}
            ) AS both_kinds GROUP BY target, step
            """,
            target,
        )
        return {(number, step): Sums(*map(int, values)) for number, step, *values in rows}

    def people(self) -> int:
        """How many people ran something."""
        ((count,),) = self._ask(
            f"""
            WITH spans(week, step, mask) AS (VALUES {self._spans()})
            SELECT count(*) FROM (
                SELECT person FROM spans CROSS JOIN {self._table("people")} AS weekly
                WHERE project = :project AND weekly.week = spans.week {self._weekly()} AND ran & mask <> 0
                UNION SELECT person FROM days WHERE project = :project AND {self._other_days()}
            ) AS persons
            """
        )
        return int(count)

    def histograms(self, kind: int) -> list[Any]:
        """The durations of runs that passed: target, bucket, count."""
        scope = self.scope
        whole = [
            week
            for week in self.made
            if scope.first <= week * DAYS_IN_WEEK and (week + 1) * DAYS_IN_WEEK - 1 <= scope.last
        ]
        return self._ask(
            f"""
            SELECT target, bucket, sum(runs) FROM (
                SELECT target, bucket, runs FROM {self._table("buckets")}
                WHERE project = :project AND kind = {kind} AND week IN {_list(whole)} {self._weekly()}
                UNION ALL
                SELECT target, bucket, runs FROM buckets
                WHERE project = :project AND kind = {kind} AND {_days_outside(scope, whole)} {self._limited()}
            ) AS both_kinds GROUP BY target, bucket
            """
        )

    def _ask(self, statement: str, target: int | None = None) -> list[Any]:
        return ask(self.connection, self.scope, statement, step=self.step, target=target)

    def _table(self, name: str) -> str:
        return f"week_{name}" if self.scope.cuts is None else f"week_cut_{name}"

    def _weekly(self) -> str:
        """The condition that a week's row is of the cuts of the scope."""
        return self._limited() if self.scope.group is None else f"AND cut = {self.scope.group}"

    def _limited(self) -> str:
        """The condition that a day's row is of the cuts of the scope."""
        return "" if self.scope.cuts is None else f"AND cut IN {_list(self.scope.cuts)}"

    def _other_days(self) -> str:
        return f"{_days_outside(self.scope, self.made)} {self._limited()}"

    def _spans(self) -> str:
        """Rows of a week, a point of time, and a bit for each day that is of both."""
        rows = []
        for week in self.made:
            first = week * DAYS_IN_WEEK
            days = range(max(first, self.scope.first), min(first + DAYS_IN_WEEK - 1, self.scope.last) + 1)
            for step, some in groupby(days, lambda day: (day - self.scope.first) // self.step):
                rows.append(f"({week}, {step}, {sum(1 << (day - first) for day in some)})")
        return ", ".join(rows)


_BY_STEP = "UNION ALL SELECT 2, 0, step, count(DISTINCT person), 0, count(DISTINCT target) FROM cells GROUP BY step"


def weeks_of(connection: Connection, scope: Scope, *, step: int | None = None) -> Weeks | None:
    """The weeks of a scope that are made; None without any.

    `step` is how many days a point of time stands for; without it, it is one for all.
    """
    weeks = ask(
        connection,
        scope,
        f"""
        SELECT week FROM weeks WHERE project = :project AND spoiled_us IS NULL
        AND week BETWEEN {scope.first // DAYS_IN_WEEK} AND {scope.last // DAYS_IN_WEEK} ORDER BY week
        """,
    )
    if not weeks:
        return None
    goals = ask(connection, scope, "SELECT id FROM cuts WHERE project = :project AND goal = 1")
    return Weeks(
        connection, scope, tuple(row.week for row in weeks), step or scope.days, tuple(row.id for row in goals)
    )


def _days_outside(scope: Scope, weeks: Iterable[int]) -> str:
    """The condition that a day of the scope is in none of these weeks."""
    gaps, first = [], scope.first
    for week in weeks:
        if week * DAYS_IN_WEEK > first:
            gaps.append((first, week * DAYS_IN_WEEK - 1))
        first = max(first, (week + 1) * DAYS_IN_WEEK)
    if first <= scope.last:
        gaps.append((first, scope.last))
    return f"({' OR '.join(f'day BETWEEN {start} AND {end}' for start, end in gaps) or _NONE})"


def _list(numbers: Iterable[int]) -> str:
    return f"({', '.join(map(str, numbers)) or 'NULL'})"


def _of(target: int | None) -> str:
    return "" if target is None else "AND target = :target"
