"""A run as a trace, from records as the shim writes them; and that it is for receivers of traces alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from make_metrics.combine import record
from make_metrics.combine.event import Event
from make_metrics.deliver import trace
from make_metrics.deliver.message import message
from make_metrics.properties.is_test import marker
from make_metrics.properties.trace import check
from tests.support.events import ID, messages_of, nested_run
from tests.support.project import Project, until

JOINED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def by_name(messages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {message["properties"].get("command", "RUN"): message["trace"] for message in messages}


def test_a_nested_makes_spans_are_below_the_target_that_started_it() -> None:
    events = nested_run()
    messages = trace.with_trace(events, messages_of(events))
    positions = by_name(messages)
    assert {position["traceId"] for position in positions.values()} == {trace.trace_id("m", ID)}
    assert len({position["spanId"] for position in positions.values()}) == 5
    parents = {name: position.get("parentSpanId") for name, position in positions.items()}
    spans = {name: position["spanId"] for name, position in positions.items()}
    assert parents == {
        "RUN": None,
        "all": spans["RUN"],
        "a": spans["RUN"],
        "inner": spans["a"],
        "deep": spans["inner"],
    }
    assert [problem for message in messages for problem in check(message)] == []


def test_the_parent_of_a_span_is_its_nearest_ancestor_that_is_sent() -> None:
    events = nested_run()
    positions = by_name(trace.with_trace(events, messages_of(events, "inner")))
    assert positions["deep"]["parentSpanId"] == positions["a"]["spanId"]
    positions = by_name(trace.with_trace(events, messages_of(events, "inner", "a")))
    assert positions["deep"]["parentSpanId"] == positions["RUN"]["spanId"]
    assert trace.with_trace(events, {}) == []


def test_a_circle_of_parents_ends_at_the_run() -> None:
    first, second, *_ = nested_run()
    events = [replace(first, parent_id=second.message_id), replace(second, parent_id=first.message_id)]
    positions = by_name(trace.with_trace(events, messages_of(events, second.target)))
    assert positions[first.target]["parentSpanId"] == positions["RUN"]["spanId"]


def test_the_run_lasts_from_first_to_last_event_and_has_its_goals_status() -> None:
    events = nested_run()
    (root,) = (
        message for message in trace.with_trace(events, messages_of(events)) if "command" not in message["properties"]
    )
    assert (root["properties"]["duration_ms"], root["properties"]["exit_status"]) == (60, 3)
    assert root["properties"]["start_time"] == by_start(events)[0]
    killed = [replace(event, exit_status=-2 if event.target == "all" else 0) for event in events]
    (root, *_) = trace.with_trace(killed, messages_of(killed))
    assert root["properties"]["exit_status"] == -2


@pytest.mark.parametrize("value", ["my test", "x\ty", "a" * 500])
def test_the_runs_own_message_may_be_sent_whatever_marks_it_as_a_test(value: str) -> None:
    sendable = messages_of(nested_run())
    (root, *_) = trace.with_trace([replace(event, is_test=value) for event in nested_run()], sendable)
    assert check(root) == []
    assert root["properties"]["is_test"] == marker(value)


def by_start(events: list[Event]) -> list[str]:
    return sorted(message(event, name="x", anonymous_id=ID)["properties"]["start_time"] for event in events)


def test_ids_are_stable_and_differ_between_projects() -> None:
    events = nested_run()
    first = trace.with_trace(events, messages_of(events))
    assert first == trace.with_trace(nested_run(), messages_of(nested_run()))
    other = trace.with_trace(events, messages_of(events, whose=ID.replace("2", "3")))
    ids = [{value for message in messages for value in message["trace"].values()} for messages in (first, other)]
    assert not ids[0] & ids[1]
    assert {message["messageId"] for message in first} & {message["messageId"] for message in other} == set(
        messages_of(events)
    )


def test_a_run_joins_the_trace_that_it_was_started_in() -> None:
    events = nested_run()
    positions = by_name(trace.with_trace(events, messages_of(events), inherited=JOINED))
    assert {position["traceId"] for position in positions.values()} == {"0af7651916cd43dd8448eb211c80319c"}
    assert positions["RUN"]["parentSpanId"] == "b7ad6b7169203331"
    assert positions["a"]["parentSpanId"] == positions["RUN"]["spanId"]
    broken = by_name(trace.with_trace(events, messages_of(events), inherited="00-x"))
    assert {position["traceId"] for position in broken.values()} == {trace.trace_id("m", ID)}


def test_a_message_with_a_forbidden_trace_is_refused() -> None:
    events = nested_run()
    root, target, *_ = trace.with_trace(events, messages_of(events))
    for wrong in ({"traceId": "x"}, {"host": "me"}, {"spanId": ""}):
        assert check({**target, "trace": {**target["trace"], **wrong}})
    assert check({**target, "trace": "x"})
    assert check({**root, "trace": {}})
    assert check({name: value for name, value in root.items() if name != "trace"})
    assert check({**root, "properties": {**root["properties"], "goal": True}})


@pytest.mark.parametrize("traceparent", [JOINED, "00-nonsense", ""])
def test_the_walk_records_the_trace_that_make_was_started_in(project: Project, traceparent: str) -> None:
    project.write("export TRACEPARENT := 00-11111111111111111111111111111111-2222222222222222-01\n"
                  "all:\n\t@$(MAKE) b\nb:\n\t@echo $$TRACEPARENT\n")  # fmt: skip
    done = project.make("-s", env=project.environment(TRACEPARENT=traceparent))
    assert (done.returncode, done.stdout) == (0, "00-11111111111111111111111111111111-2222222222222222-01\n")
    until(lambda: all(path.read_bytes().count(b"\nM ") == 2 for path in project.records()))
    (path,) = project.records()
    recorded = {make.level: make.traceparent for make in record.parse(path.read_bytes()).makes}
    assert recorded == {0: traceparent if traceparent == JOINED else "", 1: ""}
