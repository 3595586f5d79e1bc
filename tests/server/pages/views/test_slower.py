from __future__ import annotations

import random
import uuid
from datetime import timedelta

import pytest

from make_metrics.analysis.changes import Sample, Verdict, changes
from make_metrics.server.pages.filters import Filters
from make_metrics.server.pages.views.slower import times_us
from make_metrics.server.projects.projects import add_project
from make_metrics.server.storage.buckets import bucket
from make_metrics.server.storage.database import Database
from tests.support.team_pages import (
    FILTERS,
    MIDNIGHT,
    PROJECT,
    SMALLEST,
    Team,
    by,
    deliver,
    people,
    rows_of,
    view_of,
    within,
)
from tests.support.team_receiver import message


@pytest.mark.parametrize("filters", FILTERS, ids=Filters.query)
def test_runs_of_both_periods_are_counted(looked_at: Team, filters: Filters) -> None:
    after, before = (
        by((event for event in within(looked_at.events, filters, 7, before=side) if not event.status),
           lambda event: event.target)
        for side in (False, True)
    )  # fmt: skip
    expected = {
        target: (len(before.get(target, [])), len(after.get(target, [])))
        for target in before.keys() | after.keys()
        if not any(0 < people(side.get(target, [])) < SMALLEST for side in (before, after))
    }
    rows = rows_of(view_of(looked_at.database, "slower", filters), "changes")
    assert {row[0]: (row[6], row[7]) for row in rows} == expected


def test_a_slower_and_a_faster_target_are_found_and_noise_is_not(database: Database) -> None:
    add_project(database, PROJECT)
    chance = random.Random(5)  # noqa: S311
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(5)]
    factors = {"slow": 1.3, "fast": 0.7, "same": 1.0, "noisy": 1.0}
    sent = [
        message(
            chance.choice(ids),
            target=target,
            at=MIDNIGHT - timedelta(days=ago, minutes=-5),
            recipe_ms=int(
                20_000 * (factor if ago < 7 else 1) * chance.lognormvariate(0, 0.05 if target != "noisy" else 1)
            ),
            duration_ms=60_000,
        )
        for target, factor in factors.items()
        for ago in range(14)
        for _ in range(12)
    ]
    deliver(database, sent, 1)
    rows = rows_of(view_of(database, "slower"), "changes")
    assert [(row[0], row[1]) for row in rows[:2]] == [("fast", "faster"), ("slow", "slower")] or [
        (row[0], row[1]) for row in rows[:2]
    ] == [("slow", "slower"), ("fast", "faster")]
    assert {row[1] for row in rows[2:]} == {"same"}
    slow = next(row for row in rows if row[0] == "slow")
    assert slow[5] == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize("seed", range(40))
def test_numbers_kept_in_steps_say_what_the_exact_ones_say(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    factor = chance.choice([1.0, 1.0, 1.3, 0.6])
    before = [1_000 * int(chance.lognormvariate(8, 0.2)) for _ in range(chance.randrange(30, 400))]
    after = [1_000 * int(factor * chance.lognormvariate(8, 0.2)) for _ in range(chance.randrange(30, 400))]
    exact = changes({1: Sample(before, after)}).by_key[1]
    kept = changes({1: Sample(*(times_us(histogram(side)) for side in (before, after)))}).by_key[1]
    assert kept.before_us == pytest.approx(exact.before_us, rel=0.05)
    if factor == 1:
        # Chance alone: seldom does either rule see something, and the kept numbers not more often.
        assert Verdict.SAME in (kept.verdict, exact.verdict)
    else:
        assert kept.verdict is exact.verdict


def histogram(times: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for us in times:
        number = bucket(us // 1_000)
        counts[number] = counts.get(number, 0) + 1
    return counts


def test_a_million_runs_are_a_hundred_times_of_the_same_median() -> None:
    counts = {50: 300_000, 51: 400_000, 52: 300_000, 60: 1}
    times = times_us(counts)
    assert len(times) == 100
    assert bucket(round(times[50] / 1_000)) == 51
