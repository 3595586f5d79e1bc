from __future__ import annotations

import json

from make_metrics.report.many.waits import FIELDS, document, in_all, record, table
from make_metrics.store.questions.waits import Wait
from tests.support.records import WALL_NS

WAIT = Wait("2026-W05", 3, 1, 90_000, {"all": 60_000, "test": 30_000}, {"a": 5_000_000, "b": 1, "c": 1, "d": 1})


def test_a_row_has_what_took_longest() -> None:
    columns, rows = table([WAIT])
    assert [column.heading for column in columns] == ["period", "runs", "failed", "waited", "goals", "targets"]
    assert rows == [["2026-W05", "3", "1", "1m30s", "all 1m00s, test 30.00s", "a 5.00s, b 0ms, c 0ms, ..."]]
    assert in_all([WAIT, Wait("2026-W06", 1)]) == "In all 4 runs, 1 of them failed, 1m30s. "


def test_the_document_is_json_with_versions_and_lists() -> None:
    shown = json.loads(json.dumps(document([WAIT], by="week", since_ns=WALL_NS, until_ns=None, project="")))
    assert (shown["version"], shown["by"], shown["since"], shown["project"]) == (
        1, "week", "2096-10-02T07:06:40.000000+00:00", None,
    )  # fmt: skip
    (row,) = shown["periods"]
    assert (row["goals"], row["targets"][0]) == ([["all", 60_000], ["test", 30_000]], ["a", 5_000])
    assert tuple(record(WAIT)) == FIELDS
    many = Wait("2026-W05", targets={str(number): number for number in range(30)})
    assert len(record(many)["targets"]) == 20
