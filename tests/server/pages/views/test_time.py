from __future__ import annotations

import pytest

from make_metrics.server.pages.filters import Filters
from make_metrics.server.storage.database import Database
from tests.support.team_pages import (
    FILTERS,
    SMALLEST,
    Seen,
    Team,
    by,
    people,
    quantile,
    rows_of,
    section_of,
    team,
    view_of,
    within,
)

Row = tuple[object, ...]


def expected_rows(events: list[Seen], filters: Filters, smallest: int) -> tuple[list[Row], int]:
    """The rows that plain Python finds, and how many are hidden."""
    by_target = by(within(events, filters, 28), lambda event: event.target)
    shown = {target: group for target, group in by_target.items() if people(group) >= smallest}
    whole = sum(event.own_ms for group in shown.values() for event in group)
    rows = []
    for target, group in sorted(shown.items(), key=lambda item: (-sum(event.own_ms for event in item[1]), item[0])):
        own = sum(event.own_ms for event in group)
        few = people(event for event in group if not event.status) < smallest
        rows.append(
            (
                target,
                people(group),
                len(group),
                own,
                own / whole,
                own / len(group),
                *("·" if few else quantile(group, share) for share in (0.5, 0.95)),
                sum(event.whole_ms for event in group if event.goal) or None,
            )
        )
    return rows, len(by_target) - len(shown)


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
@pytest.mark.parametrize("smallest", [0, SMALLEST])
def test_sums_and_quantiles_are_those_of_the_events(looked_at: Team, filters: Filters, smallest: int) -> None:
    rows, hidden = expected_rows(looked_at.events, filters, smallest)
    view = view_of(looked_at.database, "time", filters, smallest=smallest)
    assert rows_of(view, "targets") == rows
    assert section_of(view, "targets").hidden == hidden


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_late_and_repeated_events_and_erased_people_leave_the_right_numbers(database: Database, seed: int) -> None:
    events = team(database, seed)
    for filters in FILTERS:
        view = view_of(database, "time", filters)
        assert (rows_of(view, "targets"), section_of(view, "targets").hidden) == expected_rows(
            events, filters, SMALLEST
        )
    failed = {row[0]: row[3] for row in rows_of(view_of(database, "failures", Filters(days=91)), "targets")}
    assert failed == {
        target: sum(event.failed for event in group)
        for target, group in by(events, lambda event: event.target).items()
        if people(group) >= SMALLEST
    }


def test_what_two_people_ran_is_not_on_the_page(looked_at: Team) -> None:
    filters = Filters(days=91)
    assert people(event for event in looked_at.events if event.target == "rare") < SMALLEST
    assert "rare" not in [row[0] for row in rows_of(view_of(looked_at.database, "time", filters), "targets")]
    assert "rare" in [row[0] for row in rows_of(view_of(looked_at.database, "time", filters, smallest=0), "targets")]


def test_the_chart_has_the_targets_of_the_table(looked_at: Team) -> None:
    section = section_of(view_of(looked_at.database, "time", smallest=0), "targets")
    assert section.chart is not None
    for row in section.rows:
        assert f">{row[0]}</text>" in section.chart


def test_a_project_without_events_has_a_page(looked_at: Team) -> None:
    view = view_of(looked_at.database, "time", Filters(until=1_000))
    assert rows_of(view, "targets") == []
    assert section_of(view, "targets").chart is None
