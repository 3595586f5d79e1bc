"""A run as a trace, from records as the shim writes them; and that it is for receivers of traces alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from make_metrics.combine import record
from make_metrics.combine.event import Event
from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import Run, events_of, gather
from make_metrics.deliver import trace
from make_metrics.deliver.message import message
from make_metrics.properties.trace import check
from tests.support.project import Project, until
from tests.support.records import line

ID = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"
JOINED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def run() -> list[Event]:
    """`all` needs `a`, whose recipe starts a make for `inner`, whose recipe starts one for `deep`."""
    makes = [
        Make(key="m", goals=("all",)),
        Make(key="n", parent="m", parent_target="a", level=1, goals=("inner",)),
        Make(key="o", parent="n", parent_target="inner", level=2, goals=("deep",)),
    ]
    lines = [
        line("a", goal="all", start=0, end=50),
        line("inner", make="n", goal="inner", level=1, start=10, end=40),
        line("deep", make="o", goal="deep", level=2, start=20, end=30, status=2),
        line("all", goal="all", start=50, end=60, status=3),
    ]
    gathered: Run = gather("m", Contents(run="m", makes=makes, lines=lines))
    return events_of(gathered)


def made(events: list[Event], *kept: str, whose: str = ID) -> dict[str, dict[str, Any]]:
    sent = (event for event in events if event.target not in kept)
    return {event.message_id: message(event, name="make", anonymous_id=whose) for event in sent}


def by_name(messages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {message["properties"].get("command", "RUN"): message["trace"] for message in messages}


def test_nested_makes_are_below_the_target_that_started_them() -> None:
    events = run()
    messages = trace.with_trace(events, made(events))
    found = by_name(messages)
    assert {one["traceId"] for one in found.values()} == {trace.trace_id("m", ID)}
    assert len({one["spanId"] for one in found.values()}) == 5
    parents = {name: one.get("parentSpanId") for name, one in found.items()}
    spans = {name: one["spanId"] for name, one in found.items()}
    assert parents == {
        "RUN": None,
        "all": spans["RUN"],
        "a": spans["RUN"],
        "inner": spans["a"],
        "deep": spans["inner"],
    }
    assert [problem for one in messages for problem in check(one)] == []


def test_a_target_that_stays_here_leaves_no_gap() -> None:
    events = run()
    found = by_name(trace.with_trace(events, made(events, "inner")))
    assert found["deep"]["parentSpanId"] == found["a"]["spanId"]
    found = by_name(trace.with_trace(events, made(events, "inner", "a")))
    assert found["deep"]["parentSpanId"] == found["RUN"]["spanId"]
    assert trace.with_trace(events, {}) == []


def test_a_circle_of_parents_ends_at_the_run() -> None:
    one, two, *_ = run()
    events = [replace(one, parent_id=two.message_id), replace(two, parent_id=one.message_id)]
    found = by_name(trace.with_trace(events, made(events, two.target)))
    assert found[one.target]["parentSpanId"] == found["RUN"]["spanId"]


def test_the_run_is_from_first_to_last_and_ends_as_its_goals_did() -> None:
    events = run()
    (root,) = (one for one in trace.with_trace(events, made(events)) if "command" not in one["properties"])
    assert (root["properties"]["duration_ms"], root["properties"]["exit_status"]) == (60, 3)
    assert root["properties"]["start_time"] == by_start(events)[0]
    killed = [replace(event, exit_status=-2 if event.target == "all" else 0) for event in events]
    (root, *_) = trace.with_trace(killed, made(killed))
    assert root["properties"]["exit_status"] == -2


def by_start(events: list[Event]) -> list[str]:
    return sorted(message(event, name="x", anonymous_id=ID)["properties"]["start_time"] for event in events)


def test_ids_are_stable_and_of_one_project_only() -> None:
    events = run()
    first = trace.with_trace(events, made(events))
    assert first == trace.with_trace(run(), made(run()))
    other = trace.with_trace(events, made(events, whose=ID.replace("2", "3")))
    ids = [{value for one in found for value in one["trace"].values()} for found in (first, other)]
    assert not ids[0] & ids[1]
    assert {one["messageId"] for one in first} & {one["messageId"] for one in other} == set(made(events))


def test_a_run_joins_the_trace_that_it_was_started_in() -> None:
    events = run()
    found = by_name(trace.with_trace(events, made(events), inherited=JOINED))
    assert {one["traceId"] for one in found.values()} == {"0af7651916cd43dd8448eb211c80319c"}
    assert found["RUN"]["parentSpanId"] == "b7ad6b7169203331"
    assert found["a"]["parentSpanId"] == found["RUN"]["spanId"]
    broken = by_name(trace.with_trace(events, made(events), inherited="00-x"))
    assert {one["traceId"] for one in broken.values()} == {trace.trace_id("m", ID)}


def test_a_trace_is_checked_as_everything_that_is_sent() -> None:
    events = run()
    root, target, *_ = trace.with_trace(events, made(events))
    for wrong in ({"traceId": "x"}, {"host": "me"}, {"spanId": ""}):
        assert check({**target, "trace": {**target["trace"], **wrong}})
    assert check({**target, "trace": "x"})
    assert check({**root, "trace": {}})
    assert check({name: value for name, value in root.items() if name != "trace"})
    assert check({**root, "properties": {**root["properties"], "goal": True}})


@pytest.mark.parametrize("given", [JOINED, "00-nonsense", ""])
def test_the_walk_writes_down_the_trace_that_make_was_started_in(project: Project, given: str) -> None:
    project.write("export TRACEPARENT := 00-11111111111111111111111111111111-2222222222222222-01\n"
                  "all:\n\t@$(MAKE) b\nb:\n\t@echo $$TRACEPARENT\n")  # fmt: skip
    done = project.make("-s", env=project.environment(TRACEPARENT=given))
    assert (done.returncode, done.stdout) == (0, "00-11111111111111111111111111111111-2222222222222222-01\n")
    until(lambda: all(path.read_bytes().count(b"\nM ") == 2 for path in project.records()))
    (path,) = project.records()
    found = {make.level: make.traceparent for make in record.parse(path.read_bytes()).makes}
    assert found == {0: given if given == JOINED else "", 1: ""}
