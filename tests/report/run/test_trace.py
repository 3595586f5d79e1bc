"""The trace-event format: spans nest in each thread, arrows begin and end in spans, names are only text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from make_metrics.analysis.build import Build, MakeProcess, RecipeLine
from make_metrics.report.run.trace import text
from tests.support.builds import build_of, nested_builds, target


def events_of(build: Build) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads("".join(text(build, "1a2b")))["traceEvents"]
    return events


def spans(events: list[dict[str, Any]]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event in events:
        if event["ph"] == "X":
            found.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
    return found


@given(nested_builds())
def test_spans_of_a_thread_nest_and_a_thread_has_one_process(build: Build) -> None:
    found = spans(events_of(build))
    assert len({thread for _, thread in found}) == len(found)
    assert 0 not in {number for key in found for number in key}
    for thread in found.values():
        stack: list[int] = []
        for start, end in sorted(thread, key=lambda span: (span[0], -span[1])):
            while stack and stack[-1] <= start:
                stack.pop()
            assert not stack or end <= stack[-1]
            stack.append(end)


def test_lines_are_inside_their_target_and_failures_have_a_status() -> None:
    lines = (RecipeLine(start_us=0, end_us=4_000), RecipeLine(start_us=3_999, end_us=10_500, status=2))
    events = events_of(build_of(target("a", 0, 10, "b", lines=lines, status=2, cpu_us=7)))
    made = [event for event in events if event["ph"] == "X"]
    assert [(event["name"], event["cat"], event["ts"], event["dur"]) for event in made] == [
        ("a", "target", 0, 10_000), ("line 1", "line", 0, 4_000), ("line 2", "line", 4_000, 6_000),
    ]  # fmt: skip
    assert made[0]["args"] == {"exit_status": 2, "goal": False, "own_us": 10_000, "cpu_us": 7, "prerequisites": ["b"]}
    assert made[2]["args"] == {"exit_status": 2}


def test_an_arrow_leads_from_a_target_to_the_make_that_it_starts() -> None:
    makes = [MakeProcess(number=1, parent=0, parent_target="sub", level=1, directory="/project/lib", goals=("x",))]
    events = events_of(build_of(target("sub", 0, 100), target("x", 10, 90, make=1), makes=makes))
    start, end = (next(event for event in events if event["ph"] == phase) for phase in "sf")
    assert (start["id"], start["pid"], end["id"], end["pid"], end["bp"]) == (1, 1, 1, 2, "e")
    for arrow in (start, end):
        assert any(a <= arrow["ts"] < b for a, b in spans(events)[arrow["pid"], arrow["tid"]])
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert names == {1: "make all (/project)", 2: "make x (/project/lib)"}


def test_the_counter_has_the_jobs_that_ran() -> None:
    events = events_of(build_of(target("a", 0, 10), target("b", 0, 20)))
    counts = [(event["ts"], event["args"]["jobs"]) for event in events if event["ph"] == "C"]
    assert counts == [(0, 2), (10_000, 1), (20_000, 0)]


def test_any_name_is_text() -> None:
    name = '"\\</script>\n\u202e\ud800'
    assert any(event["name"] == name for event in events_of(build_of(target(name, 0, 1))))
