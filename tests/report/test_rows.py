from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.combine.event import Event
from make_metrics.combine.summary import StoredEvent
from make_metrics.report.rows import Row, document, duration, rows
from tests.support.records import WALL_NS


def stored(
    target: str = "a",
    ms: int = 10,
    *,
    status: int = 0,
    goal: bool = False,
    level: int = 0,
    project: str = "/p",
    directory: str = "/p",
    at: int = 0,
) -> StoredEvent:
    event = Event(
        message_id=f"{target}{at}{ms}",
        parent_id="",
        run="r",
        make="m",
        target=target,
        start_wall_ns=WALL_NS + at,
        duration_ms=ms,
        exit_status=status,
        goal=goal,
        recipe_ms=ms,
        recipe_lines=1,
        make_level=level,
        parallel=False,
    )
    return StoredEvent(event, project, directory)


def test_a_row_says_what_a_target_cost() -> None:
    table = rows([stored(ms=30, at=1, status=3), stored(ms=10, at=3, goal=True), stored(ms=20, at=2)])
    assert table == [
        Row(
            project="/p",
            directory=".",
            level=0,
            target="a",
            goal=True,
            runs=3,
            failures=1,
            total_ms=60,
            median_ms=20,
            p95_ms=30,
            last_ms=10,
            last_exit_status=0,
            last_start="2096-10-02T07:06:40.000000+00:00",
        )
    ]


def test_the_most_expensive_comes_first() -> None:
    table = rows([stored("cheap", 1), stored("dear", 100), stored("both", 60), stored("both", 60, at=1)])
    assert [row.target for row in table] == ["both", "dear", "cheap"]


@pytest.mark.parametrize(("count", "p95"), [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (100, 95)])
def test_the_95th_percentile_is_one_of_the_durations(count: int, p95: int) -> None:
    (row,) = rows(stored(ms=ms, at=ms) for ms in range(1, count + 1))
    assert row.p95_ms == p95


def test_targets_of_one_name_are_rows_of_their_own_in_each_directory_and_level() -> None:
    table = rows(
        [
            stored("all", 50),
            stored("all", 20, level=1, directory="/p/lib"),
            stored("all", 10, level=1, directory="/p/doc"),
            stored("all", 9, level=1),
            stored("all", 8, level=1, directory="/elsewhere"),
            stored("all", 7, project="/q", directory="/q"),
            stored("all", 6, project="/q", directory=""),
        ]
    )
    assert [(row.project, row.directory, row.level, row.total_ms) for row in table] == [
        ("/p", ".", 0, 50),
        ("/p", "lib", 1, 20),
        ("/q", ".", 0, 13),
        ("/p", "doc", 1, 10),
        ("/p", ".", 1, 9),
        ("/p", "/elsewhere", 1, 8),
    ]


@given(st.lists(st.builds(stored, st.sampled_from("abc"), st.integers(0, 10**9), status=st.integers(-2, 3))))
def test_every_event_is_in_one_row(events: list[StoredEvent]) -> None:
    table = rows(events)
    assert sum(row.runs for row in table) == len(events)
    assert sum(row.total_ms for row in table) == sum(stored.event.duration_ms for stored in events)
    assert sum(row.failures for row in table) == sum(stored.event.exit_status != 0 for stored in events)
    for row in table:
        assert 0 <= row.median_ms <= row.total_ms
        assert row.median_ms <= row.p95_ms <= row.total_ms
        assert row.last_ms <= row.total_ms
    assert table == rows(reversed([replace(stored) for stored in events])) or len(
        {stored.event.message_id for stored in events}
    ) < len(events)


def test_the_document_is_json() -> None:
    report = json.loads(json.dumps(document(rows([stored()]), since_ns=WALL_NS)))
    assert report["since"] == "2096-10-02T07:06:40.000000+00:00"
    assert report["targets"][0]["target"] == "a"
    assert document([], since_ns=None) == {"version": 1, "since": None, "targets": []}


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0ms"), (999, "999ms"), (1_000, "1.00s"), (59_994, "59.99s"), (59_995, "1m00s"), (125_000, "2m05s"),
     (3_599_499, "59m59s"), (3_599_500, "1h00m"), (3_720_000, "1h02m"), (360_000_000, "100h00m")],
)  # fmt: skip
def test_a_duration_has_the_unit_that_fits_it(ms: int, text: str) -> None:
    assert duration(ms) == text
