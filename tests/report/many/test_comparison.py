from __future__ import annotations

import json

from make_metrics.analysis.changes import Sample, changes
from make_metrics.report.many.comparison import FIELDS, Comparison, Side, document, heading, notes, records, table
from make_metrics.store.questions.own_times import OneRun, Place
from tests.support.records import WALL_NS


def side(name: str, runs: int = 5, *, jobs: int = 1) -> Side:
    return Side(
        name,
        [
            OneRun(
                number=number,
                id=f"{name}{number}",
                started_ns=WALL_NS + number,
                duration_ms=1_000,
                jobs=jobs,
                directory="/p",
                commit="",
                branch=name,
            )
            for number in range(runs)
        ],
    )


SAMPLES: dict[Place, Sample] = {
    ("/p", "a"): Sample([1_000_000] * 5, [1_300_000] * 5),
    ("/p/lib", "b"): Sample([2_000_000] * 5, [1_000_000] * 5),
    ("/p", "c"): Sample([50_000] * 5, []),
    ("/p", "d"): Sample([50_000] * 5, [50_000] * 5),
    ("/p", "e"): Sample([0] * 5, [40_000] * 5),
    ("/p", "f"): Sample([50_000] * 3, [50_000] * 5),
}


def comparison(above: float | None = None, *, jobs: int = 1) -> Comparison:
    return Comparison(side("main"), side("new", jobs=jobs), changes(SAMPLES), "/p", above)


def test_what_changed_is_shown_the_largest_difference_first() -> None:
    columns, rows = table(comparison())
    assert [column.heading for column in columns] == [
        "target", "change", "before", "after", "by", "part", "runs", "directory",
    ]  # fmt: skip
    assert rows == [
        ["a", "slower", "1.00s", "1.30s", "+300ms", "+30%", "5/5", "."],
        ["e", "slower", "0ms", "40ms", "+40ms", "", "5/5", "."],
        ["b", "faster", "2.00s", "1.00s", "-1.00s", "-50%", "5/5", "lib"],
        ["c", "vanished", "50ms", "", "", "", "5/0", "."],
    ]


def test_what_is_slower_than_allowed_is_named_also_if_it_took_nothing_before() -> None:
    assert comparison().too_slow == []
    assert comparison(0.3).too_slow == [("/p", "e")]
    assert comparison(0.29).too_slow == [("/p", "a"), ("/p", "e")]


def test_the_lines_around_the_table_say_what_was_compared() -> None:
    above = ["".join(part.text for part in parts) for parts in heading(comparison())]
    assert above == ["Before: main (5 runs, -j1, median 1.00s)", "After:  new (5 runs, -j1, median 1.00s)", ""]
    below = ["".join(part.text for part in parts) for parts in notes(comparison(jobs=4), 3)]
    assert below[:3] == ["", "3 of 4 rows.", "4 targets compared by own time. 1 not: fewer than 5 runs on a side."]
    assert any(text.startswith("The sides differ in their numbers of jobs") for text in below)
    single = Comparison(side("a", 1), side("b", 1), changes(dict[Place, Sample]()), "")
    texts = ["".join(part.text for part in parts) for parts in (*heading(single), *notes(single, 0))]
    assert texts[0] == "Before: a (-j1, 1.00s)"
    assert texts[3:5] == ["No target became slower or faster.", "0 targets compared by own time."]


def test_the_document_is_json_and_has_all_targets() -> None:
    shown = json.loads(json.dumps(document(comparison(0.3), None)))
    assert (shown["version"], shown["project"], shown["tested"], shown["too_slow"]) == (1, "/p", 3, 1)
    assert (shown["before"]["name"], shown["before"]["runs"], shown["before"]["median_ms"]) == ("main", 5, 1_000)
    assert len(shown["targets"]) == len(SAMPLES)
    assert all(tuple(row) == FIELDS for row in records(comparison()))
    assert len(document(comparison(), 2)["targets"]) == 2
