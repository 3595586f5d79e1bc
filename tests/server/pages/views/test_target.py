from __future__ import annotations

from dataclasses import replace

import pytest

from make_metrics.server.pages.filters import Filters
from make_metrics.server.storage.buckets import LOWER_MS, bucket
from tests.support.team_pages import (
    FILTERS,
    SMALLEST,
    TODAY,
    Seen,
    Team,
    by,
    people,
    quantile,
    rows_of,
    section_of,
    step_of,
    view_of,
    within,
)


def passed_people(events: list[Seen]) -> int:
    return people(event for event in events if not event.status)


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
@pytest.mark.parametrize("smallest", [0, SMALLEST])
def test_trend_and_distribution_are_those_of_the_events(looked_at: Team, filters: Filters, smallest: int) -> None:
    filters = replace(filters, target="test")
    whole = filters.goal == "yes"
    view = view_of(looked_at.database, "target", filters, smallest=smallest)
    events = [event for event in within(looked_at.events, filters, 28) if event.target == "test"]
    days = filters.days or 28
    step, last = step_of(days), TODAY if filters.until is None else filters.until
    first = last - days + 1
    expected = []
    for place, cell in sorted(by(events, lambda event: (event.day - first) // step).items()):
        if people(cell) >= smallest:
            tells = passed_people(cell) >= smallest
            median, p95 = (quantile(cell, share, whole=whole) if tells else None for share in (0.5, 0.95))
            failed = sum(event.failed for event in cell)
            expected.append((first + place * step, people(cell), len(cell), failed, median, p95))
    assert rows_of(view, "trend") == expected
    times = [event.whole_ms if whole else event.own_ms for event in events if not event.status]
    buckets = by(events and [event for event in events if not event.status],
                 lambda event: bucket(event.whole_ms if whole else event.own_ms))  # fmt: skip
    shown = [
        (LOWER_MS[number], LOWER_MS[number + 1], len(group))
        for number, group in sorted(buckets.items())
        if min(len(group), passed_people(events)) >= smallest
    ]
    assert rows_of(view, "distribution") == shown
    assert len(times) >= sum(row[2] for row in shown)


@pytest.mark.parametrize("filters", FILTERS[:4], ids=Filters.query)
def test_splits_are_those_of_the_events(looked_at: Team, filters: Filters) -> None:
    filters = replace(filters, target="lint")
    events = [event for event in within(looked_at.events, filters, 28) if event.target == "lint"]
    rows = {row[:2]: row[2:] for row in rows_of(view_of(looked_at.database, "target", filters, smallest=0), "split")}
    expected = {}
    for what, which_of in (
        ("system", lambda event: event.system or "unknown"),
        ("driver", lambda event: event.driver or "unknown"),
        ("branch", lambda event: {True: "default", False: "other", None: "unknown"}[event.on_default]),
        ("goal", lambda event: "yes" if event.goal else "no"),
        ("jobs", lambda event: {None: "unknown", 0: "no limit", 1: "1", 500: "64 or more"}.get(event.jobs, "4 to 7")),
    ):
        for which, group in by(events, which_of).items():
            expected[what, which] = (
                people(group), len(group), sum(event.failed for event in group), quantile(group, 0.5),
                quantile(group, 0.95),
            )  # fmt: skip
    assert rows == expected


def test_commits_that_three_people_ran_are_marked(looked_at: Team) -> None:
    filters = Filters(target="test", days=91)
    few = section_of(view_of(looked_at.database, "target", filters), "trend").chart or ""
    all_commits = section_of(view_of(looked_at.database, "target", filters, smallest=0), "trend").chart or ""
    # In this team everybody who ran make on a day had that day's commit.
    days = by(looked_at.events, lambda event: event.day)
    assert all_commits.count('class="mark"') == len(days)
    assert few.count('class="mark"') == sum(people(events) >= SMALLEST for events in days.values())


def test_a_page_without_a_target_asks_for_one(looked_at: Team) -> None:
    assert "Choose" in view_of(looked_at.database, "target").text
    assert "no such" in view_of(looked_at.database, "target", Filters(target="' OR 1=1 --")).text
