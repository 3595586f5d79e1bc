from __future__ import annotations

import pytest

from make_metrics.server.pages.filters import Filters
from tests.server.pages.conftest import Team
from tests.support.team_pages import FILTERS, SMALLEST, by, people, quantile, rows_of, section_of, view_of, within


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
@pytest.mark.parametrize("smallest", [0, SMALLEST])
def test_sums_and_quantiles_are_those_of_the_events(looked_at: Team, filters: Filters, smallest: int) -> None:
    by_target = by(within(looked_at.events, filters, 28), lambda event: event.target)
    expected = []
    shown = {target: events for target, events in by_target.items() if people(events) >= smallest}
    whole = sum(event.own_ms for events in shown.values() for event in events)
    for target, events in shown.items():
        own = sum(event.own_ms for event in events)
        few = people(event for event in events if not event.status) < smallest
        expected.append(
            (
                target,
                people(events),
                len(events),
                own,
                own / whole,
                own / len(events),
                "·" if few else quantile(events, 0.5),
                "·" if few else quantile(events, 0.95),
                sum(event.whole_ms for event in events if event.goal) or None,
            )
        )
    expected.sort(key=lambda row: (-row[3], row[0]))
    view = view_of(looked_at.database, "time", filters, smallest=smallest)
    assert rows_of(view, "targets") == expected
    assert section_of(view, "targets").hidden == len(by_target) - len(shown)


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
