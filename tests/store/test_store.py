from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from make_metrics.combine import saved_run
from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import Run, events_of, gather
from make_metrics.combine.summary import summarise
from make_metrics.errors import UserError
from make_metrics.properties.property import Value
from make_metrics.store import database, tables
from make_metrics.store.store import DAY_NS, SavedRun, Store
from tests.support.generated_records import CONTENTS
from tests.support.records import WALL_NS, line


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(tmp_path / "store")) as found:
        yield found


def run_of(name: str, *targets: str, start_ns: int = WALL_NS) -> Run:
    lines = [replace(line(target, make=name), wall_ns=start_ns) for target in targets]
    make = Make(key=name, goals=targets[:1], directory="/project", version="4.3", wall_ns=start_ns)
    return gather(name, Contents(lines=lines, makes=[make]))


def put(store: Store, run: Run, *, now_ns: int = WALL_NS) -> None:
    events = events_of(run)
    with store.transaction():
        store.put(run, summarise(run, events, fallback_ns=0), events, now_ns=now_ns)


def test_the_schema_is_made_from_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with closing(database.connect(tmp_path / "store")) as found:
        assert tables.version(found) == len(tables.STEPS)
        assert found.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert found.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    database.connect(tmp_path / "store").close()
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o600


def test_steps_are_taken_one_by_one_and_once(connection: sqlite3.Connection) -> None:
    steps = (*tables.STEPS, ("CREATE TABLE more (a)", "INSERT INTO more VALUES (1)"))
    tables.migrate(connection, steps)
    tables.migrate(connection, steps)
    assert tables.version(connection) == len(tables.STEPS) + 1
    assert connection.execute("SELECT a FROM more").fetchall() == [(1,)]


def test_a_step_that_fails_is_not_half_taken(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        tables.migrate(connection, (*tables.STEPS, ("CREATE TABLE more (a)", "nonsense")))
    assert tables.version(connection) == len(tables.STEPS)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)


def test_a_newer_store_is_refused(tmp_path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="upgrade make-metrics"):
        database.connect(tmp_path / "store")


def test_what_is_put_comes_back(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    run = run_of("r", "all", "b")
    put(store, run)
    events = events_of(run)
    assert [stored.event for stored in store.events()] == events
    assert {(stored.run_directory, stored.make_directory) for stored in store.events()} == {("/project", "/project")}
    assert store.runs() == [summarise(run, events, fallback_ns=0)]
    assert store.load_run("r").run == run
    assert store.load_run("other") == SavedRun(exists=False, run=None)


def test_metrics_come_back_as_they_were(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    run = run_of("r", "a", "b", "c")
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
def test_damaged_metrics_cost_themselves_only(connection: sqlite3.Connection, damage: str) -> None:
    store = Store(connection)
    put(store, run_of("r", "a"))
    connection.execute("UPDATE events SET metrics = ?", (damage,))
    assert [stored.event.metrics for stored in store.events()] == [{}]
    assert list(store.metrics("r").values()) == [{}]


def test_a_run_that_is_put_again_replaces_itself(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_of("r", "a", "b"))
    put(store, run_of("r", "a"))
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


def test_since_is_inclusive(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    for number in range(3):
        put(store, run_of(f"r{number}", "a", start_ns=WALL_NS + number))
    assert [stored.event.run for stored in store.events(since_ns=WALL_NS + 1)] == ["r1", "r2"]
    assert [run.id for run in store.runs(since_ns=WALL_NS + 2)] == ["r2"]


def test_old_runs_and_records_go_after_90_days(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_of("old", "a", start_ns=WALL_NS))
    put(store, run_of("new", "a", start_ns=WALL_NS + DAY_NS))
    for number in range(2):
        store.mark(f"record{number}", size=1, now_ns=WALL_NS + number * DAY_NS)
    store.prune(now_ns=WALL_NS + 90 * DAY_NS + 1)
    assert [run.id for run in store.runs()] == ["new"]
    assert [stored.event.run for stored in store.events()] == ["new"]
    assert [store.combined_bytes(f"record{number}") for number in range(2)] == [0, 1]


def test_the_parts_of_a_run_go_after_a_week(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_of("r", "a"))
    store.prune(now_ns=WALL_NS + 7 * DAY_NS)
    assert store.load_run("r").run is not None
    store.prune(now_ns=WALL_NS + 7 * DAY_NS + 1)
    assert store.load_run("r") == SavedRun(exists=True, run=None)
    assert len(store.events()) == 1


def test_the_oldest_runs_go_when_there_is_too_much(tmp_path: Path, connection: sqlite3.Connection) -> None:
    store = Store(connection)
    for number in range(200):
        put(store, run_of(f"r{number:03}", *(f"target{count}" for count in range(10)), start_ns=WALL_NS + number))
    before = store.used_bytes()
    store.prune(now_ns=WALL_NS, limit_bytes=before // 2)
    left = [run.id for run in store.runs()]
    assert 60 < len(left) < 110
    assert left == [f"r{number:03}" for number in range(200)][-len(left) :]
    assert len(store.events()) == 10 * len(left)
    assert store.used_bytes() <= before // 2
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "store").stat().st_size < before * 0.6


def test_late_events_leave_those_that_are_there_alone(connection: sqlite3.Connection) -> None:
    store = Store(connection)
    put(store, run_of("r", "a"))
    before = store.events()
    late = run_of("r", "a", "b", start_ns=WALL_NS + 5)
    with store.transaction():
        store.put_late(late, events_of(late))
    after = store.events()
    assert after[0] == before[0]
    assert [stored.event.target for stored in after] == ["a", "b"]


@given(CONTENTS)
def test_a_run_is_kept_as_it_was(contents: Contents) -> None:
    run = gather("r", contents)
    assert saved_run.load(saved_run.dump(run)) == run


def test_a_run_that_an_earlier_version_kept_can_be_loaded() -> None:
    run = run_of("r", "a", "b")
    document = json.loads(zlib.decompress(saved_run.dump(run)))
    for _, _, values in document["work"]:
        del values[-2:]
    found = saved_run.load(zlib.compress(json.dumps(document).encode()))
    assert found.work == {key: replace(work, cpu_us=None, peak_kib=None) for key, work in run.work.items()}


def test_the_events_of_an_earlier_versions_store_stay(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store", isolation_level=None)) as old:
        old.execute("PRAGMA auto_vacuum = INCREMENTAL")
        tables.migrate(old, tables.STEPS[:2])
        columns = [name for _, name, *_ in old.execute("PRAGMA table_info(events)")]
        (event,) = events_of(run_of("r", "a"))
        values = [getattr(event, name, "") for name in columns]
        old.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    with closing(database.connect(tmp_path / "store")) as found:
        (stored,) = Store(found).events()
    assert stored.event == replace(event, cpu_us=None, peak_kib=None)


@pytest.mark.parametrize("kept", [b"", b"x", saved_run.dump(Run("r"))[:-5]])
def test_a_damaged_state_is_none(connection: sqlite3.Connection, kept: bytes) -> None:
    with pytest.raises(ValueError, match="no saved run"):
        saved_run.load(kept)
    put(Store(connection), run_of("r", "a"))
    connection.execute("UPDATE runs SET state = ?", (kept,))
    assert Store(connection).load_run("r").run is None


def test_the_gravest_status_is_the_runs() -> None:
    def status(*statuses: int) -> int:
        lines = [line(f"t{place}", make="r", start=place, status=given) for place, given in enumerate(statuses)]
        make = Make(key="r", goals=tuple(part.target for part in lines), keep_going=True)
        run = gather("r", Contents(lines=lines, makes=[make]))
        return summarise(run, events_of(run), fallback_ns=0).exit_status

    assert status(0, 0) == 0
    assert status(0, 3, 1) == 3
    assert status(3, -2, 255) == -2


def test_a_run_of_which_only_torn_entries_are_left_is_a_run() -> None:
    summary = summarise(Run("r", torn=2), [], fallback_ns=7)
    assert (summary.started_ns, summary.torn, summary.targets, summary.exit_status) == (7, 2, 0, 0)
