"""One target: its times over time, their distribution, and the same by what a run was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from make_metrics.server.pages.questions.scope import UNKNOWN, Scope, ask, cuts_of
from make_metrics.server.pages.questions.targets import Histogram
from make_metrics.server.storage.statements import is_postgresql

Split = tuple[str, str]
_DAY_S = 86_400


class Part(NamedTuple):
    """A part of a target's runs: people, how many of these had one that passed, runs, failures, and the durations of
    those that passed.
    """

    people: int
    passed: int
    runs: int
    failures: int
    histogram: Histogram


def histograms_by_step(connection: Connection, scope: Scope, target: int, kind: int) -> dict[int, Histogram]:
    """The durations of a target's runs that passed at each point of time, as counts by bucket."""
    rows = ask(
        connection,
        scope,
        f"""
        SELECT (day - :first) / :step AS step, bucket, sum(runs) AS runs FROM {_buckets(connection)}
        WHERE {{here}} AND target = :target AND kind = :kind GROUP BY (day - :first) / :step, bucket
        """,
        target=target,
        kind=kind,
    )
    found: dict[int, Histogram] = defaultdict(dict)
    for row in rows:
        found[row.step][row.bucket] = int(row.runs)
    return found


def _buckets(connection: Connection) -> str:
    """BUCKETS, of one target: SQLite would read all targets of the days, as it does not know how many there are."""
    return "buckets" if is_postgresql(connection) else "buckets INDEXED BY buckets_kind"


def parts(connection: Connection, scope: Scope, target: int, kind: int) -> dict[Split, Part]:
    """A target's runs by system, driver, jobs, branch and whether it was a goal: by (what, which)."""
    people = ask(
        connection,
        scope,
        """
        SELECT cut, person, sum(runs) AS runs, sum(failures) AS failures,
            sum(given_up) AS given_up FROM days
        WHERE {here} AND target = :target GROUP BY cut, person
        """,
        target=target,
    )
    durations = ask(
        connection,
        scope,
        f"""
        SELECT cut, bucket, sum(runs) AS runs FROM {_buckets(connection)}
        WHERE {{here}} AND target = :target AND kind = :kind GROUP BY cut, bucket
        """,
        target=target,
        kind=kind,
    )
    cuts = {row.id: row for row in cuts_of(connection, scope.project)}
    found: dict[Split, Part] = {}
    for what, which_of in _SPLITS.items():
        persons, passed = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
        runs, failures = defaultdict[str, int](int), defaultdict[str, int](int)
        histograms: dict[str, Histogram] = defaultdict(dict)
        for row in people:
            which = which_of(cuts[row.cut])
            persons[which].add(row.person)
            if row.runs > row.failures + row.given_up:
                passed[which].add(row.person)
            runs[which] += int(row.runs)
            failures[which] += int(row.failures)
        for row in durations:
            histogram = histograms[which_of(cuts[row.cut])]
            histogram[row.bucket] = histogram.get(row.bucket, 0) + int(row.runs)
        for which in sorted(persons):
            found[what, which] = Part(
                len(persons[which]), len(passed[which]), runs[which], failures[which], histograms[which]
            )
    return found


_SPLITS: dict[str, Callable[[Row[Any]], str]] = {
    "system": lambda cut: cut.system or UNKNOWN,
    "driver": lambda cut: cut.driver or UNKNOWN,
    "jobs": lambda cut: jobs_text(cut.jobs),
    "branch": lambda cut: {1: "default", 0: "other"}.get(cut.on_default, UNKNOWN),
    "goal": lambda cut: {1: "yes", 0: "no"}.get(cut.goal, UNKNOWN),
}


def jobs_text(jobs: int) -> str:
    """The jobs of a cut for people."""
    return {-1: UNKNOWN, 0: "no limit", 1: "1"}.get(jobs, f"{jobs} to {2 * jobs - 1}" if jobs < 64 else "64 or more")


def commits(connection: Connection, scope: Scope) -> list[tuple[int, int, int]]:
    """Commits that were made and run in the period: their time in seconds since 1970, people, runs."""
    rows = ask(
        connection,
        scope,
        """
        SELECT value, count(DISTINCT person) AS people, sum(runs) AS runs FROM facts
        WHERE project = :project AND day BETWEEN :first AND :last AND kind = 0
        AND value BETWEEN :oldest AND :newest GROUP BY value ORDER BY value
        """,
        oldest=scope.first * _DAY_S,
        newest=(scope.last + 1) * _DAY_S - 1,
    )
    return [(row.value, row.people, int(row.runs)) for row in rows]
