"""How much the store keeps, and what it gives up first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import gather
from make_metrics.store import bounds
from make_metrics.store.bounds import DAY_NS
from make_metrics.store.history import History
from make_metrics.store.store import SavedRun, Store
from tests.support.records import WALL_NS, line, run_with
from tests.support.stored_run import put


def test_runs_and_records_are_deleted_after_90_days(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_with("old", "a", start_ns=WALL_NS))
    put(store, run_with("new", "a", start_ns=WALL_NS + DAY_NS))
    for number in range(2):
        store.mark(f"record{number}", size=1, now_ns=WALL_NS + number * DAY_NS)
    History(connection).prune(now_ns=WALL_NS + 90 * DAY_NS + 1)
    assert [run.id for run in store.runs()] == ["new"]
    assert [stored.event.run for stored in store.events()] == ["new"]
    assert [store.combined_bytes(f"record{number}") for number in range(2)] == [0, 1]


def test_the_parts_of_a_run_are_deleted_after_a_week(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_with("r", "a"))
    History(connection).prune(now_ns=WALL_NS + 7 * DAY_NS)
    assert store.load_run("r").run is not None
    History(connection).prune(now_ns=WALL_NS + 7 * DAY_NS + 1)
    assert store.load_run("r") == SavedRun(exists=True, run=None)
    assert len(store.events()) == 1


def fill(connection: sqlite3.Connection, count: int = 200, lines: int = 1) -> None:
    store = Store(connection)
    for number in range(count):
        name = f"r{number:03}"
        parts = [line(f"target{at}", make=name, start=at) for at in range(10) for _ in range(lines)]
        make = Make(key=name, directory="/project", wall_ns=WALL_NS + 1000 * number)
        put(store, gather(name, Contents(lines=parts, makes=[make])))


def number_in(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def test_the_oldest_runs_are_deleted_when_the_store_is_too_large(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    store, history = Store(connection), History(connection)
    fill(connection)
    connection.execute("DELETE FROM states")
    empty = 30 * 4096
    before = history.used_bytes()
    history.prune(now_ns=WALL_NS, limit_bytes=empty + (before - empty) // 2)
    left = [run.id for run in store.runs()]
    assert 60 < len(left) < 110
    assert left == [f"r{number:03}" for number in range(200)][-len(left) :]
    assert len(store.events()) == 10 * len(left) == number_in(connection, "targets")
    assert number_in(connection, "makes") == len(left)
    assert history.used_bytes() <= empty + (before - empty) // 2
    assert history.reach().size_until_ns == WALL_NS + 1000 * (199 - len(left))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "store").stat().st_size < before * 0.8


def test_old_lines_are_given_up_before_saved_states_and_these_before_runs(connection: sqlite3.Connection) -> None:
    history = History(connection)
    fill(connection, lines=3)
    kept = []
    size = history.used_bytes()
    while number_in(connection, "builds") == 200:
        size = min(size, history.used_bytes()) - 4096
        history.prune(now_ns=WALL_NS, limit_bytes=size)
        kept.append((number_in(connection, "lines"), number_in(connection, "states"), number_in(connection, "builds")))
    assert kept == sorted(kept, reverse=True)
    assert kept[0][0] == 3_000
    assert {states for lines, states, _ in kept if lines} == {200}
    assert {runs for _, states, runs in kept if states} == {200}
    assert kept[-1][:2] == (0, 0)


def test_the_newest_runs_keep_their_lines(connection: sqlite3.Connection) -> None:
    history = History(connection)
    fill(connection, count=10, lines=2)
    history.prune(now_ns=WALL_NS, limit_lines=100)
    rows = connection.execute("SELECT run, count(*) FROM lines_v1 GROUP BY run").fetchall()
    assert rows == [(f"r{number:03}", 20) for number in range(5, 10)]
    assert history.reach().lines_ns == WALL_NS + 5_000
    assert len(Store(connection).events()) == 100


def test_texts_that_no_row_refers_to_are_deleted(connection: sqlite3.Connection) -> None:
    fill(connection, count=2)
    Store(connection).delete([1, 2])
    put(Store(connection), run_with("r", "stays"))
    History(connection).prune(now_ns=WALL_NS)
    texts = {text for (text,) in connection.execute("SELECT text FROM texts")}
    assert {"stays", "/project"} <= texts
    assert "target1" not in texts
    assert [stored.event.target for stored in Store(connection).events()] == ["stays"]


def test_what_was_just_written_and_the_latest_runs_stay(connection: sqlite3.Connection) -> None:
    fill(connection, count=30)
    assert History(connection).prune(now_ns=WALL_NS, written=["r003"], limit_bytes=1) == 19
    assert [run.id for run in Store(connection).runs()] == ["r003", *(f"r{number:03}" for number in range(20, 30))]
    assert History(connection).prune(now_ns=WALL_NS, written=["r003"], limit_bytes=1) == 0
    assert [(each.kind, each.count) for each in bounds.given_up(connection)] == [(bounds.RUNS, 19)]


def test_other_data_costs_no_history(connection: sqlite3.Connection) -> None:
    fill(connection, 13)
    connection.executemany(
        "INSERT INTO delivered VALUES ('segment https://a', ?, 1)", ((f"{number:032x}",) for number in range(50_000))
    )
    connection.executemany(
        "INSERT INTO ledger (sink, project, sent_ns, url, events, body) VALUES ('s', 'p', 1, 'u', 1, ?)",
        [(bytes(50_000),)] * 20,
    )
    history = History(connection)
    assert history.used_bytes() > 2_000_000
    assert history.prune(now_ns=WALL_NS, limit_bytes=1_000_000) == 0
    assert len(Store(connection).runs()) == 13
