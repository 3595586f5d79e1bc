"""`make-metrics events`: one JSON object a line."""

from __future__ import annotations

import json

import pytest

from make_metrics import cli
from make_metrics.combine.event import envelope
from make_metrics.commands.reading import combined_store
from make_metrics.files.paths import Paths, private_directory


def test_events_are_envelopes_one_a_line(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["events"]) == 0
    events = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert len(events) == 5
    first = next(event for event in events if event["properties"]["command"] == "b")
    assert first["event"] == "make.target.run"
    assert first["properties"]["exit_status"] == 3
    assert first["properties"]["duration_ms"] == 11
    assert first["properties"]["start_time"] == "2096-10-02T07:06:42.001000+00:00"
    assert set(first) == {"event", "anonymousId", "messageId", "timestamp", "sentAt", "properties"}
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
    assert [json.loads(text) for text in capsys.readouterr().out.splitlines()] == expected
