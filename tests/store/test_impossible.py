"""A row with an impossible value costs itself: the command removes it, says so, and goes on."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from make_metrics.store import impossible
from tests.support.sharing_project import Sharing


def damage(store: Path, table: str, column: str, value: object) -> None:
    """Write a value into one row of a table, as no version of ours would."""
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        keys = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
        key = ", ".join(keys)
        changed = connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE ({key}) = (SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT 1)",  # noqa: S608
            (value,),
        )
        assert changed.rowcount == 1


@pytest.fixture
def store(sharing: Sharing) -> Path:
    """A store with two runs, one of them sent."""
    sharing.cli("opt-in", "--yes")
    sharing.make("all", "b")
    sharing.cli("flush")
    sharing.make("c")
    sharing.cli("runs")
    with contextlib.closing(sqlite3.connect(sharing.paths.store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sharing.paths.store


def test_nothing_that_we_write_is_impossible(store: Path, sharing: Sharing) -> None:
    assert impossible.remove(sharing.paths) == ""


@pytest.mark.parametrize(
    ("table", "column", "value", "command"),
    [
        ("builds", "started_ns", "text", "report"),
        ("builds", "started_ns", 2**63 - 1, "runs"),
        ("builds", "duration_ms", "text", "runs"),
        ("builds", "exit_status", b"\xff", "trace"),
        ("builds", "number", -1, "last"),
        ("targets", "start_us", "text", "last"),
        ("targets", "span_us", b"\xff", "timeline"),
        ("makes", "level", "text", "last"),
        ("ledger", "body", b"\xff", "sent"),
        ("ledger", "sent_ns", "text", "sent"),
        ("ledger", "url", b"\xff", "sent"),
    ],
)
def test_an_impossible_row_is_removed_and_said(
    sharing: Sharing, store: Path, table: str, column: str, value: object, command: str
) -> None:
    damage(store, table, column, value)
    words = (command, "-o", "out") if command in ("timeline", "trace") else (command,)
    sharing.cli(*words, status=0)
    assert "Traceback" not in sharing.errors
    if "impossible values" in sharing.errors:
        assert f"1 of {table}" in sharing.errors
        sharing.cli(*words)
        assert "impossible values" not in sharing.errors


@pytest.mark.parametrize("value", ["text", "[", '{"a":', "3", "[3]"])
def test_a_damaged_list_of_names_is_an_empty_one(sharing: Sharing, store: Path, value: str) -> None:
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE texts SET text = ? WHERE id = (SELECT goals FROM builds LIMIT 1)", (value,))
    for command in ("last", "runs", "report"):
        sharing.cli(command)
