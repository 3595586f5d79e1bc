"""How long people waited, against the same from the runs one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_metrics.combine.record import Make
from make_metrics.report.local_time import local_time
from make_metrics.store.questions.selection import Selection
from make_metrics.store.questions.waits import Wait, waits
from make_metrics.sweep.sweep import sweep
from tests.support.records import WALL_NS, add, ended_run, line, paths_in, runs
from tests.support.store import ask

HOUR_NS = 3_600_000_000_000
MADE = st.tuples(st.integers(0, 24 * 40), st.sampled_from(["all", "test"]), st.integers(0, 9_000), st.integers(0, 1))


def asked(root: Path, **how: object) -> list[Wait]:
    sweep(paths_in(root))
    return ask(paths_in(root), lambda connection: waits(connection, Selection(), **how))  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(st.lists(MADE, min_size=1, max_size=12))
def test_days_and_weeks_add_up_to_the_runs(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, str, int, int]]
) -> None:
    root = tmp_path_factory.mktemp("store")
    for hours, goal, ms, status in made:
        run = ended_run()
        wall_ns = WALL_NS + hours * HOUR_NS
        make = Make(key=run, goals=(goal,), directory="/p", wall_ns=wall_ns)
        add(paths_in(root), run, make, replace(line("x", make=run, end=ms, status=status), wall_ns=wall_ns))
    days = asked(root, by="day")
    summaries = runs(paths_in(root))
    by_day = Counter(local_time(summary.started_ns)[:10] for summary in summaries)
    assert {wait.period: wait.runs for wait in days} == by_day
    assert [wait.period for wait in days] == sorted(by_day)
    assert sum(wait.waited_ms for wait in days) == sum(summary.duration_ms for summary in summaries)
    for wait in days:
        of_day = [summary for summary in summaries if local_time(summary.started_ns)[:10] == wait.period]
        assert wait.failures == sum(summary.exit_status != 0 for summary in of_day)
        assert wait.goals == {
            goal: sum(summary.duration_ms for summary in of_day if summary.goals == (goal,)) for goal in wait.goals
        }
        assert list(wait.goals.values()) == sorted(wait.goals.values(), reverse=True)
    weeks = asked(root, by="week")
    assert sum(wait.targets.get("x", 0) for wait in weeks) == 1_000 * sum(ms for _, _, ms, _ in made)
    expected: Counter[str] = Counter()
    for wait in days:
        year, week, _ = date.fromisoformat(wait.period).isocalendar()
        expected[f"{year}-W{week:02}"] += wait.runs
    assert {wait.period: wait.runs for wait in weeks} == expected
    failed = asked(root, by="day", failed=True)
    assert sum(wait.runs for wait in failed) == sum(summary.exit_status != 0 for summary in summaries)
    assert all(not wait.targets for wait in asked(root, by="day", target="y*"))
