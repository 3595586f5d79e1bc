from __future__ import annotations

import json

import pytest

from make_metrics.report.rows import FIELDS, document, duration, record, table
from make_metrics.store.questions.costs import Cost, Times
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
        "target", "goal", "runs", "failed", "own", "median", "p95", "last", "whole", "when",
    ]  # fmt: skip
    assert [row[:9] for row in rows] == [
        ["a", "goal", "3", "1", "60ms", "20ms", "21ms", "10ms", "1.02s"],
        ["b", "", "3", "1", "60ms", "20ms", "21ms", "10ms", ""],
    ]


def test_columns_that_only_distinguish_are_there_if_they_differ() -> None:
    columns, rows = table([cost(), cost(level=1, directory="lib")])
    assert [column.heading for column in columns[10:]] == ["level", "directory"]
    assert [row[10:] for row in rows] == [["0", "."], ["1", "lib"]]


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0ms"), (999, "999ms"), (1_000, "1.00s"), (59_994, "59.99s"), (59_995, "1m00s"), (125_000, "2m05s"),
     (3_599_499, "59m59s"), (3_599_500, "1h00m"), (3_720_000, "1h02m"), (360_000_000, "100h00m")],
)  # fmt: skip
def test_a_duration_has_the_unit_that_fits_it(ms: int, text: str) -> None:
    assert duration(ms) == text
