"""What a report may hold: all else is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from make_metrics.crashes import report as crash_report
from make_metrics.crashes.own_message import own_message
from tests.support.project import ROOT, SOURCE


def entry_with(**facts: Any) -> crash_report.LogEntry:
    frames = (crash_report.Frame("/x/make_metrics/cli.py", 3, "main", "make_metrics/cli.py"),)
    known: dict[str, Any] = {
        "path": Path(), "id": "0" * 32, "first_ns": 1, "last_ns": 1, "part": "shim", "version": "0.1.0",
        "python": "3.12.1", "system": "Linux", "machine": "x86_64", "make": "4.3", "directory": "/secret",
        "allowed": True, "failures": (crash_report.Failure("KeyError", "secret", frames),), "outcome": "",
    }  # fmt: skip
    return crash_report.LogEntry(**{**known, **facts})


@pytest.mark.parametrize(
    "facts",
    [{"system": "a secret"}, {"machine": "/secret"}, {"python": "secret"}, {"make": "4.3 secret"}, {"make": ""},
     {"python": "3.13.0rc1"}],
)  # fmt: skip
def test_a_value_of_another_form_is_left_out(facts: dict[str, str]) -> None:
    event = crash_report.report(entry_with(**facts), own_message)
    assert event is not None
    assert crash_report.check(event) == []
    assert set(event["tags"]) == {"system", "machine", "python", "make"} - facts.keys()
    assert "secret" not in json.dumps(event)


@pytest.mark.parametrize("facts", [{"id": "secret"}, {"version": "secret"}, {"failures": ()}])
def test_without_a_required_value_there_is_no_report(facts: dict[str, Any]) -> None:
    assert crash_report.report(entry_with(**facts), own_message) is None


def test_frames_of_other_code_are_left_out() -> None:
    frames = (
        crash_report.Frame("/home/secret/site.py", 1, "secret", ""),
        crash_report.Frame("/x/make_metrics/cli.py", 3, "main", "make_metrics/cli.py"),
        crash_report.Frame("/x/make_metrics/secret.txt", 3, "main", "make_metrics/secret.txt"),
        crash_report.Frame("/x/make_metrics/../secret.py", 3, "main", "make_metrics/../secret.py"),
        crash_report.Frame("/x/make_metrics/cli.py", 3, "a secret", "make_metrics/cli.py"),
        crash_report.Frame("/usr/lib/python3/json.py", 1, "secret", ""),
    )
    event = crash_report.report(entry_with(failures=(crash_report.Failure("KeyError", "x", frames),)), own_message)
    assert event is not None
    (value,) = event["exception"]["values"]
    frame = {"filename": "make_metrics/cli.py", "function": "main", "lineno": 3}
    assert value == {"type": "KeyError", "stacktrace": {"frames": [frame]}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"server_name": "host"}, "server_name"),
        ({"event_id": "x"}, "event_id"),
        ({"tags": {"user": "me"}}, "tags.user"),
        ({"tags": None}, "tags is missing"),
        ({"exception": {"values": [{"type": "A", "vars": {}}]}}, "exception.vars"),
        ({"exception": {"values": [{"type": "A", "value": "two\nlines"}]}}, "exception.value"),
        ({"exception": {"values": [{"type": "A", "stacktrace": {"frames": [{"filename": "/etc/passwd"}]}}]}},
         "frame.filename"),
        ({"exception": {"values": [], "more": 1}}, "more"),
    ],
)  # fmt: skip
def test_the_check_of_a_report_finds_what_is_not_allowed(change: dict[str, Any], problem: str) -> None:
    event = crash_report.report(entry_with(), own_message)
    assert event is not None
    assert crash_report.check(event) == []
    assert problem in crash_report.check({**event, **change})


def test_a_frame_may_name_any_module_of_the_package() -> None:
    fields = {field.name: field for field in crash_report.FRAME}
    for path in sorted((SOURCE / "make_metrics").rglob("*.py")):
        assert fields["filename"].allows(str(path.relative_to(ROOT / "shim"))), path
