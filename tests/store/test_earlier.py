"""What an earlier version stored moves to the tables of this one, whole, and in pieces."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import pytest

from make_metrics.combine import saved_run
from make_metrics.combine.event import Event
from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import Run, events_of, gather
from make_metrics.combine.summary import Summary, summarise
from make_metrics.errors import UserError
from make_metrics.store import builds, database, earlier, tables
from make_metrics.store.store import Store
from tests.support.records import MS, WALL_NS, line

EARLIER = tables.STEPS[:4]
COLUMNS = ("message_id", "parent_id", "run", "make", "target", "start_wall_ns", "duration_ms", "exit_status", "goal",
           "recipe_ms", "recipe_lines", "make_level", "parallel", "is_test", "git_checked_out_master",
           "git_commit_time", "cpu_us", "peak_kib")  # fmt: skip


def nested_run(name: str, number: int) -> Run:
    """A run with two makes, and with a make that includes no fragment between two others."""
    start_ns = WALL_NS + number * 1_000 * MS
    lines = [
        line("sub", make=name, start=5, end=90),
        line("x", make=f"{name}.1", level=1, start=10, end=20),
        line("x", make=f"{name}.1", level=1, start=30, end=40, status=1),
        line("y", make=f"{name}.3", level=3, start=50, end=60, usage=(700, 3_000)),
        line("all", make=name, start=95, end=99),
    ]
    makes = [
        Make(key=name, goals=("all",), directory="/project", version="4.3", wall_ns=start_ns, jobs=3, branch="main"),
        Make(key=f"{name}.1", parent=name, parent_target="sub", level=1, directory="/project/sub", parallel=True),
        Make(key=f"{name}.3", parent=f"{name}.2", parent_target="hidden", level=3, is_test="yes"),
    ]
    lines = [replace(each, wall_ns=start_ns + each.start_ns) for each in lines]
    return gather(name, Contents(lines=lines, makes=makes))


def with_metrics(events: list[Event]) -> list[Event]:
    return [
        replace(event, metrics={"os": "linux", "size": at}, git_checked_out_master=True, git_commit_time="2021-05-17")
        for at, event in enumerate(events)
    ]


def write_earlier(path: Path, runs: int, *, states: bool) -> tuple[list[Event], list[Summary]]:
    """A store as the version before wrote it; returns its events, and summaries as this version would make them."""
    all_events, summaries = [], []
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("PRAGMA auto_vacuum = INCREMENTAL")
        tables.migrate(store, EARLIER)
        store.execute("BEGIN")
        for number in range(runs):
            run = nested_run(f"r{number:03}", number)
            events = with_metrics(events_of(run))
            summary = summarise(run, events, fallback_ns=0)
            state = saved_run.dump(run) if states else None
            store.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (run.id, summary.started_ns, summary.directory, json.dumps(summary.goals), summary.exit_status,
                 summary.duration_ms - (summary.before_ms or 0), summary.targets, summary.make_version, summary.torn,
                 WALL_NS, state),
            )  # fmt: skip
            for event in events:
                values = [*(getattr(event, name) for name in COLUMNS), json.dumps(event.metrics)]
                directory = run.makes[event.make].directory
                store.execute(
                    f"INSERT INTO events ({', '.join(COLUMNS)}, metrics, directory) VALUES ({', '.join('?' * 20)})",  # noqa: S608
                    (*values, directory),
                )
            all_events += events
            summaries.append(summary if states else replace(summary, jobs=-1, commit="", branch=""))
        store.execute("COMMIT")
    return sorted(all_events, key=attrgetter("start_wall_ns", "make_level", "message_id")), summaries


@pytest.mark.parametrize("states", [True, False])
def test_nothing_is_lost(tmp_path: Path, states: bool) -> None:
    events, summaries = write_earlier(tmp_path / "store", 20, states=states)
    with closing(database.connect(tmp_path / "store")) as connection:
        store = Store(connection)
        assert [stored.event for stored in store.events()] == events
        assert store.runs() == summaries
        assert {stored.make_directory for stored in store.events()} == {"/project", "/project/sub", ""}
        assert (store.load_run("r000").run == nested_run("r000", 0)) is states
        build = builds.build(connection, "r000")
        assert build is not None
        made = {(build.makes[target.make].level, target.name): target for target in build.targets}
        assert set(made) == {(0, "all"), (0, "sub"), (1, "x"), (3, "y")}
        assert made[0, "all"].own_us == 4_000
        assert made[0, "all"].end_us == pytest.approx(made[0, "all"].start_us + 4_000)
        assert build.makes[made[1, "x"].make].parent == 0
        assert (build.makes[0].jobs, len(made[1, "x"].lines)) == ((3, 2) if states else (-1, 0))
        for name in ("runs", "events"):
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,)  # noqa: S608


def test_a_move_that_is_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events, _ = write_earlier(tmp_path / "store", 20, states=False)
    monkeypatch.setattr(earlier, "_PIECE", 20)
    move_run, moved = earlier._move_run, list[str]()

    def stopped(connection: sqlite3.Connection, store: Store, name: str) -> int:
        moved.append(name)
        if len(moved) % 7 == 6:
            raise KeyboardInterrupt
        return move_run(connection, store, name)

    monkeypatch.setattr(earlier, "_move_run", stopped)
    with pytest.raises(KeyboardInterrupt):
        database.connect(tmp_path / "store")
    assert moved[0] == "r019"  # the newest are there first
    with closing(sqlite3.connect(tmp_path / "store")) as connection:
        assert 0 < connection.execute("SELECT count(*) FROM builds").fetchone()[0] < 20
    for _ in range(5):
        try:
            database.connect(tmp_path / "store").close()
            break
        except KeyboardInterrupt:
            pass
    with closing(database.connect(tmp_path / "store")) as connection:
        assert [stored.event for stored in Store(connection).events()] == events


def test_impossible_values_cost_their_run_alone(tmp_path: Path) -> None:
    write_earlier(tmp_path / "store", 3, states=False)
    with closing(sqlite3.connect(tmp_path / "store")) as connection, connection:
        connection.execute("UPDATE events SET start_wall_ns = 'x' WHERE run = 'r001'")
    with closing(database.connect(tmp_path / "store")) as connection:
        assert [run.id for run in Store(connection).runs()] == ["r000", "r002"]


def test_an_earlier_version_says_to_upgrade_and_loses_nothing(tmp_path: Path) -> None:
    events, _ = write_earlier(tmp_path / "store", 3, states=False)
    database.connect(tmp_path / "store").close()
    with (
        closing(sqlite3.connect(tmp_path / "store", isolation_level=None)) as connection,
        pytest.raises(UserError, match="upgrade make-metrics"),
    ):
        tables.migrate(connection, EARLIER)
    with closing(database.connect(tmp_path / "store")) as connection:
        assert [stored.event for stored in Store(connection).events()] == events
