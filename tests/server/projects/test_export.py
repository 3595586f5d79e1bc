"""An export is the messages again, and its import changes nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from make_metrics.errors import UserError
from make_metrics.server.projects import export as module
from make_metrics.server.projects.export import export
from make_metrics.server.projects.projects import add_project
from make_metrics.server.receiving.importing import import_messages, messages_of_lines
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.write import Writer
from tests.support.team_receiver import message, messages, write

PERSON = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"


def test_it_is_what_came_in(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 7)
    add_project(database, "a")
    add_project(database, "b")
    sent = [
        *messages(40),
        message(
            PERSON, parent_id=PERSON, make_version="4.3", label_team="x", git_commit_time="2026-01-01T00:00:00-03:30"
        ),
        message(PERSON, goal=None, recipe_ms=None, event_version=None, run_id=None),
    ]
    yes: dict[str, Any] = {**message(PERSON), "properties": {
        "command": "metrics-opt-in", "command_type": "make", "choice": "in", "is_test": "no",
        "start_time": sent[-1]["properties"]["start_time"], "git_checked_out_master": True,
    }}  # fmt: skip
    Writer(database).store([check(1, [*sent, yes], limits(time.time_ns() // 1000, 365))])
    lines = list(export(database, "a"))
    found = {entry["messageId"]: entry for entry in map(json.loads, lines)}
    for entry in (*sent, yes):
        assert found[entry["messageId"]]["properties"] == entry["properties"]
        assert found[entry["messageId"]]["anonymousId"] == entry["anonymousId"]
    assert len(found) == len(lines) == 43
    again = import_messages(database, "a", messages_of_lines(line.encode() for line in lines))
    assert (again.new, again.messages, again.refused) == (0, 43, {})
    other = import_messages(database, "b", messages_of_lines(line.encode() for line in lines))
    assert other.new == 42
    assert list(export(database, "b")) == lines


def test_who_takes_the_lines_slowly_holds_up_nobody(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_postgresql:
        pytest.skip("PostgreSQL's log is its own")
    monkeypatch.setattr(module, "_PAGE", 7)
    add_project(database, "a")
    Writer(database).store([check(1, messages(40), limits(time.time_ns() // 1000, 365))])
    database.checkpoint_apart()
    lines = export(database, "a")
    next(lines)
    for _ in range(6):
        write(database, 5_000_000)
        database.checkpoint()
        write(database, 1)
    assert Path(database_url.removeprefix("sqlite:///") + "-wal").stat().st_size < 15_000_000  # of 30
    assert len(list(lines)) == 39


def test_no_message_keeps_a_project_from_its_export(database: Database) -> None:
    add_project(database, "a")
    times = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-99-01T00:00:00+00:00"]
    edges = ["0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59+23:59"]
    batch = check(
        1, [message(PERSON, git_commit_time=at) for at in (*times, *edges)], limits(time.time_ns() // 1000, 365)
    )
    assert [batch.refused[key] for key in batch.refused if key[0] == "git_commit_time"] == [3]
    # As a receiver of before has stored it.
    batch.rows[0] = batch.rows[0]._replace(commit_s=-62_135_683_140, commit_offset_min=1_439)
    assert Writer(database).store([batch]) == 5
    found = [json.loads(line)["properties"].get("git_commit_time") for line in export(database, "a")]
    assert sorted(filter(None, found)) == edges


def test_lines_that_are_no_messages_are_counted(database: Database) -> None:
    add_project(database, "a")
    lines = [b"\n", b"no json\n", b"[1]\n", b"\xff\xfe\n", json.dumps(message(PERSON)).encode()]
    imported = import_messages(database, "a", messages_of_lines(lines))
    assert (imported.new, imported.messages, imported.refused.total()) == (1, 4, 3)


def test_a_project_that_is_not_there_is_said(database: Database) -> None:
    with pytest.raises(UserError, match="there is no project x"):
        list(export(database, "x"))
    with pytest.raises(UserError, match="there is no project x"):
        import_messages(database, "x", [])
