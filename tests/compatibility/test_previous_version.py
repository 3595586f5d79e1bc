"""What the version before wrote goes on working: store, records, decisions, failures."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from make_metrics.properties.registry import OPTIONAL, check
from make_metrics.store.tables import STEPS
from tests.support.previous_version import COMBINED, DATA, WAITING, PreviousVersion


@pytest.fixture
def previous(tmp_path: Path, home: Path) -> PreviousVersion:
    return PreviousVersion(tmp_path)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(previous: PreviousVersion, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(previous.paths.store)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_waiting_record_is_combined_once_with_the_runs_of_the_store(previous: PreviousVersion) -> None:
    assert [path.stem for path in previous.paths.records.glob("*.rec")] == [WAITING]
    for _ in range(2):
        runs = {run["id"]: run["goals"] for run in json.loads(previous.cli("runs", "--json"))}
        assert runs == {**COMBINED, WAITING: ["third"]}
        events = lines(previous.cli("events"))
        assert sorted(event["properties"]["command"] for event in events) == [
            "all",
            "fails",
            "first",
            "second",
            "third",
        ]
    assert list(previous.paths.records.iterdir()) == []
    assert rows(previous, "PRAGMA user_version") == [(len(STEPS),)]


def test_the_report_counts_old_and_new_runs(previous: PreviousVersion) -> None:
    targets = {row["target"]: row for row in json.loads(previous.cli("report", "--json"))["targets"]}
    assert {name: (row["runs"], row["failures"]) for name, row in targets.items()} == {
        "all": (1, 0),
        "fails": (1, 1),
        "first": (1, 0),
        "second": (1, 0),
        "third": (1, 0),
    }


def waiting(previous: PreviousVersion) -> list[dict[str, Any]]:
    return [json.loads(text) for (text,) in rows(previous, "SELECT message FROM outbox ORDER BY sink, message_id")]


def test_an_old_yes_is_asked_again_once_and_nothing_is_sent_in_between(previous: PreviousVersion) -> None:
    written = (previous.paths.files / "builds.jsonl").read_bytes()
    before = waiting(previous)
    assert {message["properties"].get("event_version", 1) for message in before} == {1}
    status = json.loads(previous.cli("status", "--json"))
    assert (status["mode"], status["decision"]) == ("local", "older")
    assert "has changed since your yes" in status["reason"]
    previous.cli("runs")
    previous.cli("flush", status=1)
    assert (previous.paths.files / "builds.jsonl").read_bytes() == written
    assert waiting(previous) == before  # nor does anything new wait
    previous.cli("opt-in", "--yes", CI="true")
    assert json.loads(previous.cli("status", "--json"))["mode"] == "on"
    assert "already said yes" in previous.cli("opt-in", "--yes", CI="true")


def test_what_waited_is_sent_as_the_new_notice_says(previous: PreviousVersion) -> None:
    """The names that the Makefile does not spell now are gone from it, also from what is set aside."""
    makefile = previous.project / "Makefile"
    makefile.write_text(makefile.read_text().replace("second", "%"))
    connection = sqlite3.connect(previous.paths.store)
    with connection:
        connection.execute("UPDATE outbox SET aside = 'refused' WHERE message LIKE '%\"second\"%'")
    connection.close()
    previewed = previous.cli("preview")
    previous.cli("opt-in", "--yes", CI="true")
    messages = [message for message in waiting(previous) if "recipe_ms" in message["properties"]]
    assert sorted(message["properties"]["command"] for message in messages) == ["all", "fails", "first", "other"]
    assert {message["properties"]["event_version"] for message in messages} == {2}
    assert all(check(message, metrics=OPTIONAL) == [] for message in messages)
    assert '"second"' not in previewed + str(waiting(previous))
    runs = {message["properties"]["command"]: message["properties"]["run_id"] for message in messages}
    assert runs["all"] == runs["first"] == runs["other"] != runs["fails"]
    (id_file,) = previous.paths.identities.iterdir()
    assert {message["anonymousId"] for message in messages} == {id_file.read_text().strip()}


def test_flush_sends_each_event_to_the_file_once(previous: PreviousVersion) -> None:
    previous.cli("opt-in", "--yes", CI="true")
    for _ in range(2):
        previous.cli("flush", status=1)  # nobody answers at the other receiver's address
    written = lines((previous.paths.files / "builds.jsonl").read_text())
    commands = [message["properties"]["command"] for message in written]
    # The third was recorded before the yes to the notice of this version.
    assert sorted(commands) == ["all", "fails", "first", "metrics-opt-in", "metrics-opt-in", "second"]


def test_sent_and_preview_read_what_is_there(previous: PreviousVersion) -> None:
    assert f"file://{previous.paths.files}/builds.jsonl" in previous.cli("sent")
    assert '"command": "third"' in previous.cli("preview")


def test_the_no_holds(previous: PreviousVersion) -> None:
    status = json.loads(previous.cli("status", "--json", "-C", str(previous.other)))
    assert status["mode"] == "local"
    assert "opt-out" in status["reason"]


def test_the_yes_to_crash_reports_holds(previous: PreviousVersion) -> None:
    assert previous.cli("crash-reports", "status").startswith("mode: on (")


def test_doctor_shows_the_failures_of_the_version_before(previous: PreviousVersion) -> None:
    previous.cli("setup")
    text = previous.cli("doctor")
    assert "queue_length failed (1 time, last 2026-11-26" in text
    assert "'sqlite3.Connection' object is not subscriptable; " in text


def test_on_this_machine_of_the_version_before_counts_in_ci(previous: PreviousVersion) -> None:
    for path in previous.paths.decisions.iterdir():
        path.unlink()
    assert json.loads(previous.cli("status", "--json", CI="true"))["mode"] == "local"
    (previous.paths.data / "on-this-machine").unlink()
    assert json.loads(previous.cli("status", "--json", CI="true"))["mode"] == "off"


def test_a_fragment_whose_package_is_gone_leaves_the_build_to_make(previous: PreviousVersion, any_make: str) -> None:
    assert str(previous.package) in previous.paths.fragment.read_text()
    measured = [previous.run([any_make, goal]) for goal in ("all", "fails")]
    previous.paths.fragment.unlink()
    plain = [previous.run([any_make, goal]) for goal in ("all", "fails")]
    assert [(run.returncode, run.stdout, run.stderr) for run in measured] == [
        (run.returncode, run.stdout, run.stderr) for run in plain
    ]
    assert [path.stem for path in previous.paths.records.glob("*.rec")] == [WAITING]


def test_the_data_is_of_the_layout_before() -> None:
    assert "/site-packages/shim/hot/entry.py\n" in (DATA / "home/data/metrics.mk").read_text()
