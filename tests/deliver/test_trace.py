"""A run as a trace, from records as the shim writes them; and that it is for receivers of traces alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from make_metrics.combine import record
from make_metrics.combine.event import Event
from make_metrics.deliver import trace
from make_metrics.deliver.message import message
from make_metrics.properties.trace import check
from tests.support.events import ID, messages_of, nested_run
from tests.support.project import Project, until

JOINED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def by_name(messages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {message["properties"].get("command", "RUN"): message["trace"] for message in messages}


def test_nested_makes_are_below_the_target_that_started_them() -> None:
    events = nested_run()
    messages = trace.with_trace(events, messages_of(events))
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
    events = nested_run()
    found = by_name(trace.with_trace(events, messages_of(events, "inner")))
    assert found["deep"]["parentSpanId"] == found["a"]["spanId"]
    found = by_name(trace.with_trace(events, messages_of(events, "inner", "a")))
    assert found["deep"]["parentSpanId"] == found["RUN"]["spanId"]
    assert trace.with_trace(events, {}) == []


def test_a_circle_of_parents_ends_at_the_run() -> None:
    one, two, *_ = nested_run()
    events = [replace(one, parent_id=two.message_id), replace(two, parent_id=one.message_id)]
    found = by_name(trace.with_trace(events, messages_of(events, two.target)))
    assert found[one.target]["parentSpanId"] == found["RUN"]["spanId"]


def test_the_run_is_from_first_to_last_and_ends_as_its_goals_did() -> None:
    events = nested_run()
    (root,) = (one for one in trace.with_trace(events, messages_of(events)) if "command" not in one["properties"])
    assert (root["properties"]["duration_ms"], root["properties"]["exit_status"]) == (60, 3)
    assert root["properties"]["start_time"] == by_start(events)[0]
    killed = [replace(event, exit_status=-2 if event.target == "all" else 0) for event in events]
    (root, *_) = trace.with_trace(killed, messages_of(killed))
    assert root["properties"]["exit_status"] == -2


def by_start(events: list[Event]) -> list[str]:
    return sorted(message(event, name="x", anonymous_id=ID)["properties"]["start_time"] for event in events)


def test_ids_are_stable_and_of_one_project_only() -> None:
    events = nested_run()
    first = trace.with_trace(events, messages_of(events))
    assert first == trace.with_trace(nested_run(), messages_of(nested_run()))
    other = trace.with_trace(events, messages_of(events, whose=ID.replace("2", "3")))
    ids = [{value for one in found for value in one["trace"].values()} for found in (first, other)]
    assert not ids[0] & ids[1]
    assert {one["messageId"] for one in first} & {one["messageId"] for one in other} == set(messages_of(events))


def test_a_run_joins_the_trace_that_it_was_started_in() -> None:
    events = nested_run()
    found = by_name(trace.with_trace(events, messages_of(events), inherited=JOINED))
    assert {one["traceId"] for one in found.values()} == {"0af7651916cd43dd8448eb211c80319c"}
    assert found["RUN"]["parentSpanId"] == "b7ad6b7169203331"
    assert found["a"]["parentSpanId"] == found["RUN"]["spanId"]
    broken = by_name(trace.with_trace(events, messages_of(events), inherited="00-x"))
    assert {one["traceId"] for one in broken.values()} == {trace.trace_id("m", ID)}


def test_a_trace_is_checked_as_everything_that_is_sent() -> None:
    events = nested_run()
    root, target, *_ = trace.with_trace(events, messages_of(events))
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
