"""`make-metrics events`: one JSON object a line."""

from __future__ import annotations

import json

import pytest

from make_metrics import cli
from make_metrics.combine.event import envelope
from make_metrics.combine.record import Make
from make_metrics.commands.reading import combined_store
from make_metrics.files.paths import Paths, private_directory
from tests.support.records import WALL_NS, add, ended_run, line


def test_events_are_envelopes_one_a_line(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["events"]) == 0
    events = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert len(events) == 5
    first = next(event for event in events if event["properties"]["command"] == "b")
    assert first["event"] == "make.target.run"
    assert first["properties"]["exit_status"] == 3
    assert first["properties"]["duration_ms"] == 11
    assert first["properties"]["start_time"] == "2096-10-02T07:06:42.001000+00:00"
    assert set(first) == {"event", "anonymousId", "messageId", "timestamp", "sentAt", "properties", "local"}
    assert cli.main(["events"]) == 0
    assert [json.loads(text) for text in capsys.readouterr().out.splitlines()] == events


def test_since_leaves_out_what_is_older(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["events", "--since", "2096-10-02T07:06:42+00:00"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_without_events_nothing_is_printed(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["events"]) == 0
    assert capsys.readouterr().out == ""


def test_a_printed_event_is_the_envelope_of_the_stored_one(
    run: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    private_directory(paths.state)
    with combined_store() as store:
        expected = [envelope(stored.event) for stored in store.events()]
    cli.main(["events"])
    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [{name: value for name, value in event.items() if name != "local"} for event in printed] == expected


def test_events_join_with_their_run_their_parent_and_each_other(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run, nested = ended_run(), ended_run()
    long_name = "x" * 300
    add(
        paths,
        run,
        Make(key=run, goals=("a",), directory="/p", wall_ns=WALL_NS),
        Make(key=nested, goals=("all",), directory="/p/lib", level=1, parent=run, parent_target="a"),
        line("a", make=run, end=20, usage=(7, 9)),
        line(long_name, make=nested, level=1, start=1, end=2),
    )
    assert cli.main(["events"]) == 0
    events = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    by_target = {event["local"]["target"]: event for event in events}
    inner, outer = by_target[long_name], by_target["a"]
    assert inner["local"]["parent"] == outer["messageId"]
    assert inner["local"]["run"] == outer["local"]["run"] == run
    assert (inner["local"]["project"], inner["local"]["directory"]) == ("/p", "/p/lib")
    assert (outer["local"]["cpu_us"], outer["local"]["peak_kib"]) == (7, 9)
    assert len(inner["properties"]["command"]) == 50
