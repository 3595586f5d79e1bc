from __future__ import annotations

import json
from dataclasses import replace

import pytest

from make_metrics.report.rows import ASCII_BARS, FIELDS, document, duration, record, size, sparkline, table
from make_metrics.store.questions.costs import Cost, Times
from make_metrics.store.questions.trends import Trend
from tests.support.records import WALL_NS


def cost(target: str = "a", *, goal: bool = False, level: int = 0, directory: str = ".") -> Cost:
    return Cost(
        project="/p",
        directory=directory,
        level=level,
        target=target,
        goal=goal,
        runs=3,
        failures=1,
        own=Times(60_000, 20_499, 20_500, 10_000),
        whole=Times(2_060_000, 1_020_000, 30_000, 10_000),
        cpu_us=None,
        peak_kib=7,
        last_exit_status=0,
        last_start_ns=WALL_NS,
    )


def test_the_document_is_json() -> None:
    report = json.loads(json.dumps(document([cost(goal=True)], since_ns=WALL_NS, until_ns=None, project="/p")))
    assert (report["version"], report["since"], report["until"], report["project"]) == (
        1, "2096-10-02T07:06:40.000000+00:00", None, "/p",
    )  # fmt: skip
    (row,) = report["targets"]
    assert tuple(row) == FIELDS
    assert (row["own_median_ms"], row["own_p95_ms"], row["median_ms"]) == (20, 21, 1_020)
    assert (row["cpu_ms"], row["peak_kib"]) == (None, 7)
    assert tuple(record(cost())) == FIELDS


def test_a_table_has_the_time_with_prerequisites_only_for_goals() -> None:
    columns, rows = table([cost(goal=True), cost("b")])
    assert [column.heading for column in columns] == [
        "target", "goal", "runs", "failed", "own", "median", "p95", "last", "whole", "when", "cpu",
        "memory",
    ]  # fmt: skip
    assert [row[:9] for row in rows] == [
        ["a", "goal", "3", "1", "60ms", "20ms", "21ms", "10ms", "1.02s"],
        ["b", "", "3", "1", "60ms", "20ms", "21ms", "10ms", ""],
    ]


def test_columns_that_only_distinguish_are_there_if_they_differ() -> None:
    columns, rows = table([cost(), cost(level=1, directory="lib")])
    assert [column.heading for column in columns[12:]] == ["level", "directory"]
    assert [row[12:] for row in rows] == [["0", "."], ["1", "lib"]]


def test_several_days_are_a_trend_and_passing_again_is_flaky() -> None:
    days = tuple((f"2026-01-{day:02}", day * 1_000) for day in range(1, 17))
    changed = replace(cost(), trend=Trend(days=days, flaky=2), jobs=8)
    columns, rows = table([changed, cost("b")])
    assert [column.heading for column in columns[12:]] == ["trend", "flaky", "jobs"]
    assert [row[12:] for row in rows] == [["▂▂▃▃▄▄▅▅▆▆▇▇██", "2", "-j8"], ["", "0", ""]]
    assert table([changed], bars=ASCII_BARS)[1][0][12] == "22334455667788"
    assert record(changed)["days"][:2] == [["2026-01-01", 1], ["2026-01-02", 2]]


def test_a_sparkline_is_as_high_as_its_largest_value() -> None:
    assert sparkline([0, 1, 50, 100]) == "▁▁▄█"
    assert (sparkline([]), sparkline([0, 0]), sparkline([3, 3])) == ("", "▁▁", "██")


@pytest.mark.parametrize(
    ("kib", "text"),
    [(0, "0KiB"), (999, "999KiB"), (1_000, "1.0MiB"), (102_348, "99.9MiB"), (102_400, "100MiB"), (2_621_440, "2.5GiB")],
)
def test_an_amount_of_memory_has_the_unit_that_fits_it(kib: int, text: str) -> None:
    assert size(kib) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0ms"), (999, "999ms"), (1_000, "1.00s"), (59_994, "59.99s"), (59_995, "1m00s"), (125_000, "2m05s"),
     (3_599_499, "59m59s"), (3_599_500, "1h00m"), (3_720_000, "1h02m"), (360_000_000, "100h00m")],
)  # fmt: skip
def test_a_duration_has_the_unit_that_fits_it(ms: int, text: str) -> None:
    assert duration(ms) == text
