"""Runs, events and records in the store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.combine import saved_run
from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import Run, events_of, gather, merge
from make_metrics.combine.summary import summarise
from make_metrics.properties.property import Value
from make_metrics.store import builds, database
from make_metrics.store.store import SavedRun, Store
from tests.support.records import WALL_NS, line, run_with
from tests.support.stored_run import put


def test_a_stored_run_and_its_events_read_back_unchanged(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    run = run_with("r", "all", "b")
    put(store, run)
    events = events_of(run)
    assert [stored.event for stored in store.events()] == events
    assert {(stored.run_directory, stored.make_directory) for stored in store.events()} == {("/project", "/project")}
    assert store.runs() == [summarise(run, events, fallback_ns=0)]
    assert store.load_run("r").run == run
    assert store.load_run("other") == SavedRun(exists=False, run=None)


def test_stored_metrics_read_back_unchanged(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    run = run_with("r", "a", "b", "c")
    facts = [(True, "2021-05-17T19:44:09+00:00"), (False, None), (None, None)]
    more: list[dict[str, Value]] = [{"os": "linux", "jobs": 4, "git_dirty": False}, {}, {"jobs": 0}]
    events = [
        replace(event, git_checked_out_master=master, git_commit_time=time, metrics=metrics)
        for event, (master, time), metrics in zip(events_of(run), facts, more, strict=True)
    ]
    with store.transaction():
        store.put(run, summarise(run, events, fallback_ns=0), events, now_ns=0)
    assert [stored.event for stored in store.events()] == events
    assert list(store.metrics("r").values()) == [
        more[0] | {"git_checked_out_master": True, "git_commit_time": "2021-05-17T19:44:09+00:00"},
        {"git_checked_out_master": False},
        {"jobs": 0},
    ]


@pytest.mark.parametrize("damage", ["", "nonsense", "[1]", '{"os": ["linux"], "jobs": null}', "[" * 100_000])
def test_an_event_with_damaged_metrics_has_none(connection: sqlite3.Connection, damage: str) -> None:
    store = Store(connection)
    put(store, run_with("r", "a"))
    connection.execute("UPDATE makes SET metrics = ?", (damage,))
    connection.execute("UPDATE targets SET metrics = ?", (damage,))
    assert [stored.event.metrics for stored in store.events()] == [{}]
    assert list(store.metrics("r").values()) == [{}]


def test_a_run_that_is_written_again_replaces_the_earlier_form(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_with("r", "a", "b"))
    put(store, run_with("r", "a"))
    assert [stored.event.target for stored in store.events()] == ["a"]
    assert len(store.runs()) == 1


def mark_and_fail(connection: sqlite3.Connection) -> None:
    with Store(connection).transaction():
        Store(connection).mark("id", size=5, now_ns=0)
        connection.execute("nonsense")


def test_a_transaction_that_fails_writes_nothing(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    with pytest.raises(sqlite3.OperationalError):
        mark_and_fail(connection)
    assert store.combined_bytes("id") == 0
    with store.transaction():
        store.mark("id", size=5, now_ns=0)
    assert store.combined_bytes("id") == 5


def test_since_includes_its_very_moment(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    for number in range(3):
        put(store, run_with(f"r{number}", "a", start_ns=WALL_NS + 1000 * number))
    assert [stored.event.run for stored in store.events(since_ns=WALL_NS + 1000)] == ["r1", "r2"]
    assert [run.id for run in store.runs(since_ns=WALL_NS + 2000)] == ["r2"]


def test_late_events_do_not_change_earlier_ones(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_with("r", "a"))
    before = store.events()
    late = run_with("r", "a", "b", start_ns=WALL_NS + 5)
    with store.transaction():
        store.put_late(late, events_of(late))
    after = store.events()
    assert after[0] == before[0]
    assert [stored.event.target for stored in after] == ["a", "b"]


@pytest.mark.parametrize("state", [b"", b"x", saved_run.dump(Run("r"))[:-5]])
def test_a_run_with_damaged_parts_has_none(connection: sqlite3.Connection, state: bytes) -> None:
    put(Store(connection), run_with("r", "a"))
    connection.execute("UPDATE states SET state = ?", (state,))
    assert Store(connection).load_run("r") == SavedRun(exists=True, run=None)


def test_a_run_that_is_written_in_pieces_is_the_same(tmp_path: Path, connection: sqlite3.Connection) -> None:
    store = Store(connection)
    name = "r"
    lines = [line(f"t{at}", make=name, start=at) for at in range(9) for _ in range(1 + at % 2)]
    run = gather(name, Contents(lines=lines))
    events, early = events_of(run), summarise(run, events_of(run), fallback_ns=0)
    with_header = gather(name, Contents(makes=[Make(key=name, goals=("t8",), wall_ns=WALL_NS - 5_000_000)]))
    run = merge(run, with_header)
    events, summary = events_of(run), summarise(run, events_of(run), fallback_ns=0)
    with store.transaction():
        store.put_some(run, [replace(event, exit_status=3) for event in events[:5]], early, now_ns=1)
        store.put_some(run, [events[0], *events[3:]], early, now_ns=1)
        store.put_some(run, events[1:3], early, now_ns=1)
        store.put_some(run, [replace(events[0], target="surplus")], early, now_ns=1)
    assert store.count_events(name) == 10
    with store.transaction():
        store.keep_only(name, [(event.make, event.target) for event in events])
        store.put_run(run, summary, now_ns=1)
    assert store.load_run(name).run == run
    with closing(database.connect(tmp_path / "at-once")) as other:
        at_once = Store(other)
        with at_once.transaction():
            at_once.put(run, summary, events, now_ns=1)
        assert store.runs() == at_once.runs()
        assert store.events() == at_once.events()
        assert builds.build(connection, name) == builds.build(other, name)
        assert list(store.metrics(name, events[:2])) == [event.message_id for event in events[:2]]
        for query in ("SELECT lines FROM builds", "SELECT count(*) FROM lines"):
            assert connection.execute(query).fetchone() == other.execute(query).fetchone() == (8,)
