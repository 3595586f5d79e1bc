"""Who takes part, in numbers: first days, participants, versions, what was refused."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection

from make_metrics.server.pages.questions.scope import Scope, ask
from make_metrics.server.pages.questions.weeks import weeks_of
from make_metrics.server.storage.tables import DAY_US

# The longest time to the first success, in seconds, of each class but the last two: later, and not yet.
CLASSES_S = (60, 600, 3_600, 86_400, 604_800)
LATER, NEVER = len(CLASSES_S), len(CLASSES_S) + 1


def first_days(connection: Connection, scope: Scope) -> dict[int, dict[int, int]]:
    """For each point of time how many ids are new, by how long they took to their first success (`CLASSES_S`)."""
    cases = " ".join(
        f"WHEN first_success_us - first_us <= {seconds * 1_000_000} THEN {number}"
        for number, seconds in enumerate(CLASSES_S)
    )
    rows = ask(
        connection,
        scope,
        f"""
        SELECT step, class, count(*) AS people FROM (
            SELECT (first_us / {DAY_US} - :first) / :step AS step,
                CASE WHEN first_success_us IS NULL THEN {NEVER} {cases} ELSE {LATER} END AS class
            FROM people
            WHERE project = :project AND first_us >= :first * {DAY_US} AND first_us < (:last + 1) * {DAY_US}
        ) AS classes GROUP BY step, class
        """,
    )
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for row in rows:
        found[row.step][row[1]] = row.people
    return found


class Health(NamedTuple):
    """What is held of a project. Times are microseconds since 1970; None without any event.

    `people` is how many ids are known, `active` how many had an event in the period, `agreed` and `withdrawn` how many
    said yes or no in it. `oldest_day` is the first day of which there is something, in days since 1970.
    """

    people: int
    active: int
    runs: int
    last_us: int | None
    agreed: int
    withdrawn: int
    oldest_day: int | None
    waiting_days: int


def health(connection: Connection, scope: Scope) -> Health:
    """What is held of a project."""
    (people, last_us), *_ = ask(connection, scope, "SELECT count(*), max(last_us) FROM people WHERE project = :project")
    if weeks := weeks_of(connection, scope):
        active, runs = weeks.people(), sum(each.runs for each in weeks.sums().values())
    else:
        (active, runs), *_ = ask(
            connection,
            scope,
            """
            SELECT count(*), coalesce(sum(runs), 0) FROM (
                SELECT person, sum(runs) AS runs FROM days WHERE {here} GROUP BY person
            ) AS by_person
            """,
        )
    choices: dict[str, int] = dict(
        ask(
            connection,
            scope,
            f"""
            SELECT choice, count(DISTINCT person) FROM choices WHERE project = :project AND is_test = 'no'
            AND at_us >= :first * {DAY_US} AND at_us < (:last + 1) * {DAY_US} GROUP BY choice
            """,
        )
    )
    (oldest,), *_ = ask(connection, scope, "SELECT min(day) FROM days WHERE project = :project")
    (waiting,), *_ = ask(connection, scope, "SELECT count(DISTINCT day) FROM dirty_days WHERE project = :project")
    return Health(people, active, int(runs), last_us, choices.get("in", 0), choices.get("out", 0), oldest, waiting)


def versions(connection: Connection, scope: Scope) -> list[tuple[int, int, int]]:
    """The versions of the list of properties: version, people, runs."""
    rows = ask(
        connection,
        scope,
        """
        SELECT value, count(*) AS people, sum(runs) AS runs FROM (
            SELECT value, person, sum(runs) AS runs FROM facts
            WHERE project = :project AND day BETWEEN :first AND :last AND kind = 1 GROUP BY value, person
        ) AS by_person GROUP BY value ORDER BY value DESC
        """,
    )
    return [(row.value, row.people, int(row.runs)) for row in rows]


def refused(connection: Connection, scope: Scope) -> list[tuple[str, str, int, int]]:
    """What was refused in the period: property, reason, how often, the last day."""
    rows = ask(
        connection,
        scope,
        """
        SELECT property, reason, sum(count) AS times, max(day) AS last_day FROM refused
        WHERE project = :project AND day BETWEEN :first AND :last GROUP BY property, reason
        ORDER BY sum(count) DESC, property, reason
        """,
    )
    return [(row.property, row.reason, int(row.times), row.last_day) for row in rows]
