from __future__ import annotations

from collections import Counter

import pytest

from make_metrics.server.pages.filters import Filters
from make_metrics.server.pages.views.target import status_text
from tests.support.team_pages import (
    FILTERS,
    SMALLEST,
    TODAY,
    Team,
    by,
    people,
    rows_of,
    step_of,
    then_passed,
    view_of,
    within,
)


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
@pytest.mark.parametrize("smallest", [0, SMALLEST])
def test_failures_are_those_of_the_events(looked_at: Team, filters: Filters, smallest: int) -> None:
    view = view_of(looked_at.database, "failures", filters, smallest=smallest)
    chosen = within(looked_at.events, filters, 28)
    rows = {row[0]: row[1:] for row in rows_of(view, "targets")}
    by_target = by(chosen, lambda event: event.target)
    assert rows.keys() == {target for target, events in by_target.items() if people(events) >= smallest}
    for target in rows:
        events = by_target[target]
        failed = sum(event.failed for event in events)
        passed = then_passed(looked_at.events, events)
        assert rows[target] == (
            people(events), len(events), failed, failed / len(events), sum(event.given_up for event in events), passed,
            passed / failed if failed else None,
        )  # fmt: skip
    by_status = by((event for event in chosen if event.status), lambda event: event.status)
    assert sorted(rows_of(view, "statuses")) == sorted(
        (status_text(status), people(events), len(events))
        for status, events in by_status.items()
        if people(events) >= smallest
    )


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
def test_rates_over_time_are_those_of_the_events(looked_at: Team, filters: Filters) -> None:
    days = filters.days or 28
    step, last = step_of(days), TODAY if filters.until is None else filters.until
    first = last - days + 1
    expected = Counter[tuple[object, ...]]()
    cells = by(within(looked_at.events, filters, 28), lambda event: (event.target, (event.day - first) // step))
    failing = {row[0] for row in rows_of(view_of(looked_at.database, "failures", filters), "targets") if row[3]}
    for (target, place), events in cells.items():
        if target in failing and people(events) >= SMALLEST:
            failed = sum(event.failed for event in events)
            expected[target, first + place * step, people(events), len(events), failed, failed / len(events)] += 1
    assert Counter(rows_of(view_of(looked_at.database, "failures", filters), "rates")) == expected
