"""Runs that are combined in pieces: whatever ends the sweeps between, the result is the same, and nothing waits."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from make_metrics.combine.event import Event
from make_metrics.combine.record import Line, Make
from make_metrics.combine.run import Run
from make_metrics.combine.summary import Summary
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.files.paths import Paths, private_directory
from make_metrics.project.project import project_of
from make_metrics.store import builds
from make_metrics.store.pieces import Pieces
from make_metrics.store.store import Store
from make_metrics.sweep import large_run, run_records
from make_metrics.sweep import sweep as sweep_module
from make_metrics.sweep.sweep import Swept, sweep
from tests.support.records import add, ended_run, left_in, line, lines_of, paths_in, runs, stored
from tests.support.sharing_project import TEXT
from tests.support.store import ask

SINKS = """
[[sinks]]
type = "otlp"
host = "https://127.0.0.1:9"
signals = "traces"

[[sinks]]
type = "file"
name = "a"
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = paths_in(tmp_path / "mm")
    private_directory(paths.records)
    return paths


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_records, "PIECE_BYTES", 3_000)
    monkeypatch.setattr(run_records, "LARGE", 40)
    monkeypatch.setattr("make_metrics.sweep.record_file._BLOCK", 1_000)
    monkeypatch.setattr(large_run, "SLICE", 25)


def large(directory: str = "/p", goals: tuple[str, ...] = ("all",)) -> tuple[str, list[Line | Make]]:
    """A run with two makes and 200 targets; one has two lines, which lie in different pieces."""
    run = ended_run()
    inner = f"{run}-inner"
    parts: list[Line | Make] = [
        Make(key=run, goals=goals, directory=directory, version="4.3", wall_ns=5, ceiling="on"),
        Make(key=inner, parent=run, parent_target="t7", level=1, directory=directory, version="4.3", ceiling="on"),
    ]
    for number in range(100):
        parts.append(line(f"t{number}", make=run, start=number * 10, end=number * 10 + 5, status=number == 60))
        parts.append(line(f"in{number}", make=inner, level=1, start=70 + number * 0.01))
    parts.append(line("t3", make=run, start=5_000, end=5_001))
    return run, parts


def in_bits(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> int:
    """Sweep, each sweep ending behind its first piece or slice; how many sweeps that took."""
    count = 0
    monkeypatch.setattr(sweep_module, "_is_large", lambda _: False)  # else a sweep without time begins nothing large
    swept = Swept(unfinished=True)
    while swept.unfinished:
        count += 1
        assert count < 100
        swept = sweep(paths, give_up=0)
    return count


MANY_GOALS = tuple(f"t{number}" for number in range(90))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("goals", [("all",), MANY_GOALS], ids=["one goal", "many goals"])
def test_a_run_in_pieces_is_as_if_it_had_been_combined_at_once(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goals: tuple[str, ...]
) -> None:
    run, parts = large(goals=goals)
    add(paths, run, *parts)
    assert in_bits(paths, monkeypatch) > 10
    assert left_in(paths.records) == []
    assert ask(paths, lambda connection: Pieces(connection).runs()) == []
    in_pieces = stored(paths), runs(paths)
    assert lines_of(paths) == {run: 201}
    monkeypatch.undo()
    whole = paths_in(tmp_path / "whole")
    add(whole, run, *parts)
    sweep(whole)
    assert in_pieces == (stored(whole), runs(whole))


@pytest.mark.usefixtures("small_pieces")
def test_nothing_shows_a_run_before_all_of_it_is_there(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    run, parts = large()
    add(paths, run, *parts)
    monkeypatch.setattr(sweep_module, "_is_large", lambda _: False)

    def shown() -> tuple[object, ...]:
        found = ask(paths, lambda connection: (builds.newest(connection), builds.run_ids(connection)))
        return (len(stored(paths)), len(runs(paths)), *found, ask(paths, builds.count))

    seen, written = set[str](), set[int]()
    while sweep(paths, give_up=0).unfinished:
        seen.add(str((shown(), ask(paths, lambda connection: Pieces(connection).runs()))))
        written |= ask(paths, lambda connection: set(connection.execute("SELECT count(*) FROM builds").fetchone()))
    assert seen == {str(((0, 0, None, [], 0), [run]))}
    assert written == {0, 1}  # it was there before it was shown
    assert shown() == (201, 1, run, [run], 1)


@pytest.mark.usefixtures("small_pieces")
def test_late_lines_of_a_large_run_in_pieces_change_what_they_should(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, parts = large()
    add(paths, run, *parts)
    sweep(paths)
    add(paths, run, line("t3", make=run, start=6_000, status=4), line("late", make=run, start=6_001))
    assert in_bits(paths, monkeypatch) > 5
    events = {event.target: event for event in stored(paths)}
    assert (events["t3"].recipe_lines, events["t3"].exit_status, len(events)) == (3, 4, 202)
    assert runs(paths)[0].targets == 202


@pytest.mark.usefixtures("small_pieces")
def test_lines_that_come_between_two_sweeps_begin_the_slices_again(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, parts = large()
    add(paths, run, *parts)
    monkeypatch.setattr(sweep_module, "_is_large", lambda _: False)
    done = 0
    while not done:
        sweep(paths, give_up=0)
        done = ask(paths, lambda connection: sum(each for (each,) in connection.execute("SELECT done FROM unfinished")))
    add(paths, run, line("t0", make=run, start=7_000, status=5))
    while sweep(paths, give_up=0).unfinished:
        pass
    assert {event.target: event.exit_status for event in stored(paths)}["t0"] == 5
    assert lines_of(paths) == {run: 202}


@pytest.mark.usefixtures("small_pieces")
def test_small_and_new_runs_are_combined_although_a_large_one_has_no_time(paths: Paths) -> None:
    run, parts = large()
    add(paths, run, *parts)
    small = ended_run()
    add(paths, small, line(make=small))
    swept = sweep(paths, give_up=0)
    assert swept.unfinished
    assert lines_of(paths) == {small: 1}
    assert not sweep(paths).unfinished
    assert lines_of(paths) == {small: 1, run: 201}


def messages(connection: sqlite3.Connection) -> dict[tuple[str, str], object]:
    rows = connection.execute("SELECT sink, message_id, message FROM outbox")
    return {(sink.split()[0], name): json.loads(message) for sink, name, message in rows}


def test_a_slice_writes_few_targets_of_a_run_of_many_goals(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_records, "LARGE", 40)
    monkeypatch.setattr(large_run, "SLICE", 25)
    written: list[int] = []
    put_some = Store.put_some

    def counted(self: Store, run: Run, events: Sequence[Event], summary: Summary, *, now_ns: int) -> None:
        written.append(len(events))
        put_some(self, run, events, summary, now_ns=now_ns)

    monkeypatch.setattr(Store, "put_some", counted)
    run, parts = large(goals=MANY_GOALS)
    add(paths, run, *parts)
    sweep(paths)
    assert len(written) == 8
    assert max(written[:-1]) <= 25 + 5  # and the first and last of each make, and the target that started one
    assert lines_of(paths) == {run: 201}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("goals", [("all",), MANY_GOALS], ids=["one goal", "many goals"])
def test_what_is_sent_of_a_run_in_pieces_is_the_same(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goals: tuple[str, ...]
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "make-metrics.toml").write_text(f"{TEXT}\n{SINKS}")
    project = project_of(root)
    assert not project.problems
    with consent.lock(paths):
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=1)
    run, parts = large(str(root), goals)
    add(paths, run, *parts)
    in_bits(paths, monkeypatch)
    in_pieces = ask(paths, messages)
    monkeypatch.undo()
    for table in ("outbox", "builds", "states", "records"):
        ask(paths, lambda connection, table=table: connection.execute(f"DELETE FROM {table}"))  # type: ignore[misc]  # noqa: S608
    add(paths, run, *parts)
    sweep(paths)
    whole = ask(paths, messages)
    assert len(whole) == (200 + ("all" in goals)) * 2 + 1
    assert in_pieces == whole
