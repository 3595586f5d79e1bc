from __future__ import annotations

import pytest

from make_metrics.server.pages.filters import Filters
from tests.support.team_pages import FILTERS, SMALLEST, TODAY, Team, by, people, rows_of, step_of, view_of, within


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
@pytest.mark.parametrize("smallest", [0, SMALLEST])
def test_people_and_runs_are_those_of_the_events(looked_at: Team, filters: Filters, smallest: int) -> None:
    view = view_of(looked_at.database, "use", filters, smallest=smallest)
    events = within(looked_at.events, filters, 91)
    days = filters.days or 91
    step, last = step_of(days), TODAY if filters.until is None else filters.until
    first = last - days + 1
    steps = range((days + step - 1) // step)
    cells = by(events, lambda event: (event.day - first) // step)
    assert rows_of(view, "weeks") == [
        (first + place * step, people(cell), len(cell), len({event.target for event in cell}))
        for place, cell in sorted(cells.items())
        if people(cell) >= smallest
    ]
    expected = []
    for target, group in by(events, lambda event: event.target).items():
        if people(group) < smallest:
            continue
        counts = [people(event for event in group if (event.day - first) // step == place) for place in steps]
        cells_of = [None if not count else "·" if count < smallest else count for count in counts]
        expected.append((target, people(group), len(group), *cells_of))
    expected.sort(key=lambda row: (-row[1], -row[2], row[0]))
    assert rows_of(view, "targets") == expected


def test_targets_that_nobody_uses_any_more_are_named(looked_at: Team) -> None:
    events = [event for event in looked_at.events if event.target == "docs"]
    rows = rows_of(view_of(looked_at.database, "use", Filters(days=28)), "unused")
    assert rows == [("docs", max(event.day for event in events), len(events), people(events))]
    assert rows_of(view_of(looked_at.database, "use", Filters(days=91)), "unused") == []
