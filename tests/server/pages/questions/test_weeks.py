"""Pages that take the roll-ups by the week show what those by the day say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from make_metrics.server.pages.app import VIEWS
from make_metrics.server.pages.filters import Filters
from make_metrics.server.pages.questions.people import health
from make_metrics.server.pages.questions.scope import Scope, scope_of
from make_metrics.server.pages.questions.targets import WHOLE, costs, histograms, people_who_passed, results
from make_metrics.server.pages.questions.use import use
from make_metrics.server.pages.questions.weeks import weeks_of
from make_metrics.server.projects.projects import change_project
from make_metrics.server.receiving.importing import import_messages
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.erasing import erase
from make_metrics.server.storage.keeping import delete_old
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import PEOPLE
from make_metrics.server.storage.weeks import DAYS_IN_WEEK, OF_PERSONS, WEEKS
from tests.support.team_pages import MIDNIGHT, PROJECT, TODAY, team, team_messages, view_of
from tests.support.team_receiver import message


def answers(database: Database, first: int, last: int, filters: Filters) -> list[Any]:
    """Everything that is asked of a period for which there may be weeks."""
    scope = Scope(project=1, first=first, last=last)
    with database.reading() as connection:
        asked = scope_of(connection, 1, filters, smallest=0, today=TODAY, days=1)
        scope = replace(scope, cuts=asked.cuts, group=asked.group)
        return [
            costs(connection, scope),
            *results(connection, scope),
            *(results(connection, scope, target) for target in (1, 2, 3)),
            histograms(connection, scope),
            histograms(connection, scope, WHOLE),
            people_who_passed(connection, scope),
            use(connection, scope),
            health(connection, scope)[:3],
        ]


LIMITS = (
    Filters(),
    Filters(system="linux"),
    Filters(system="unknown"),
    Filters(goal="yes"),
    Filters(branch="other", jobs=4),
    Filters(system="plan9"),  # no cut at all
)


def all_answers(database: Database, periods: Sequence[tuple[int, int]]) -> list[Any]:
    """Of each period without a limit, and with one of them in turn."""
    return [
        answers(database, *period, filters)
        for number, period in enumerate(periods)
        for filters in (LIMITS[0], LIMITS[1 + number % (len(LIMITS) - 1)])
    ]


def is_made(database: Database, first: int, last: int) -> bool:
    with database.reading() as connection:
        return weeks_of(connection, Scope(project=1, first=first, last=last)) is not None


def agree(database: Database, *, least: int = 6) -> None:
    """Periods of each length and beginning: first by the week, then with no week made."""
    periods = [(TODAY - back - days + 1, TODAY - back) for days in (7, 28, 364) for back in (0, 3, 8)]
    periods = [period for period in periods if is_made(database, *period)]
    assert len(periods) >= least
    by_week = all_answers(database, periods)
    with database.writing() as connection:
        spoiled = connection.execute(select(WEEKS).where(WEEKS.c.spoiled_us.is_(None))).all()
        connection.execute(update(WEEKS).values(spoiled_us=1))
    assert all_answers(database, periods) == by_week
    with database.writing() as connection:
        weeks = [row.week for row in spoiled]
        connection.execute(update(WEEKS).where(WEEKS.c.week.in_(weeks)).values(spoiled_us=None))


def rows_of(database: Database, person: int | None) -> list[Any]:
    """A person's rows in the weeks, made or not."""
    with database.reading() as connection:
        return [
            row for table in OF_PERSONS for row in connection.execute(select(table).where(table.c.person == person))
        ]


def test_they_say_the_same_also_after_late_events_an_erasure_and_retention(database: Database) -> None:
    events = team(database)
    agree(database)
    for filters in LIMITS:
        assert bool(answers(database, TODAY - 363, TODAY, filters)[0]) == (filters.system != "plan9")
    # Late events of a week that is made: the page reads its days at once, and the week again once it is made.
    late = [message(events[0].person, target="late", at=MIDNIGHT - timedelta(days=30)) for _ in range(5)]
    import_messages(database, PROJECT, late)
    refresh(database, most_days=40)
    agree(database)
    refresh(database)
    agree(database)
    with database.reading() as connection:
        number = connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.anonymous_id == events[1].person))
    assert rows_of(database, number)
    erase(database, events[1].person)
    assert not rows_of(database, number)
    agree(database, least=0)  # all weeks are spoiled
    refresh(database)
    agree(database)
    change_project(database, PROJECT, retention_days=25)
    assert delete_old(database, now_us=TODAY * 86_400_000_000)
    refresh(database)
    agree(database)
    with database.reading() as connection:
        assert connection.scalar(select(func.min(WEEKS.c.week))) == (TODAY - 25) // DAYS_IN_WEEK


def test_a_page_that_is_limited_shows_the_same_by_the_week(database: Database) -> None:
    team(database)
    for name in VIEWS:
        filters = Filters(days=364, system="linux", target="all" if name == "target" else "")
        before = view_of(database, name, filters)
        with database.writing() as connection:
            connection.execute(update(WEEKS).values(spoiled_us=1))
        assert view_of(database, name, filters) == before
        refresh(database)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("most_days", [0, 40])
def test_none_is_made_of_the_week_that_goes_on(database: Database, most_days: int) -> None:
    team(database)
    import_messages(database, PROJECT, team_messages(7, 20, days=3))
    refresh(database, most_days=most_days)
    with database.reading() as connection:
        this = select(WEEKS.c.spoiled_us).where(WEEKS.c.week >= TODAY // DAYS_IN_WEEK)
        assert None not in connection.scalars(this).all()
