"""What the version before wrote goes on working: store, records, decisions, failures."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

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


def test_the_yes_holds_and_what_waits_is_sent_to_the_same_receiver(previous: PreviousVersion) -> None:
    status = json.loads(previous.cli("status", "--json"))
    assert status["mode"] == "on", status
    previous.cli("runs")
    waiting = rows(previous, "SELECT sink, count(*) FROM outbox WHERE sink LIKE 'segment %' GROUP BY sink")
    assert waiting == [("segment http://127.0.0.1:9 2c70e12b", 6)]
    messages = [json.loads(text) for (text,) in rows(previous, "SELECT message FROM outbox")]
    (id_file,) = previous.paths.identities.iterdir()
    assert {message["anonymousId"] for message in messages} == {id_file.read_text().strip()}


def test_flush_sends_each_event_to_the_file_once(previous: PreviousVersion) -> None:
    previous.cli("flush", status=1)  # nobody answers at the other receiver's address
    written = lines((previous.paths.files / "builds.jsonl").read_text())
    commands = [message["properties"]["command"] for message in written]
    assert sorted(commands) == ["all", "fails", "first", "metrics-opt-in", "second", "third"]


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
