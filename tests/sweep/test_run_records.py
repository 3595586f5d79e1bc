"""One run's records and the outbox: which events a sweep queues."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from make_metrics.combine import summary
from make_metrics.combine.run import Run
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id, erase_id, read_id
from make_metrics.crashes import log as crash_log
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.sweep import run_records
from make_metrics.sweep.sweep import sweep
from tests.support.agreed_project import agreed_project
from tests.support.records import (
    WALL_NS,
    add,
    age,
    ended_run,
    entry_of,
    left_in,
    line,
    lines_of,
    make_in_project,
    paths_in,
)
from tests.support.store import ask, waiting_for
from tests.support.sweep_points import sweep_points


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path, paths: Paths) -> Project:
    return agreed_project(tmp_path / "project", paths)


def queued(paths: Paths, project: Project) -> int:
    """How many events wait for each of the project's two sinks."""
    return ask(paths, lambda connection: Outbox(connection).count(str(project.directory)).events) // 2


def test_events_are_queued_once_the_record_has_their_makes_header(paths: Paths, project: Project) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run))
    sweep(paths)
    assert queued(paths, project) == 0
    add(paths, run, make_in_project(run, project))
    sweep(paths)
    assert queued(paths, project) == 1
    add(paths, run, line("b", make=run, start=5))
    sweep(paths)
    assert queued(paths, project) == 2


def test_a_late_line_changes_the_waiting_message(paths: Paths, project: Project) -> None:
    run = ended_run()
    add(paths, run, make_in_project(run, project), line("a", make=run, end=5))
    sweep(paths)
    add(paths, run, line("a", make=run, start=6, end=500))
    sweep(paths)
    key = sink_id(project.sinks[0])
    (waiting,) = ask(paths, lambda connection: waiting_for(Outbox(connection), str(project.directory), key))
    assert waiting.message["properties"]["duration_ms"] == 500


OTLP = '[[sinks]]\ntype = "otlp"\nhost = "https://127.0.0.1:9"\nsignals = "traces"\n'


def test_what_the_registry_refuses_is_counted(tmp_path: Path, paths: Paths) -> None:
    project = agreed_project(tmp_path / "traced", paths, more=OTLP)
    run = ended_run()
    impossible = line("a", make=run, start=1, status=300)
    add(paths, run, make_in_project(run, project), impossible, line("b", make=run), line("c", make=run))
    sweep(paths)
    sinks = len(project.sinks)
    dropped = ask(paths, lambda connection: Outbox(connection).dropped(str(project.directory)))
    assert dropped == {"not allowed to be sent: its exit_status": sinks + 1}  # of a, and of the run's span
    assert ask(paths, lambda connection: Outbox(connection).count(str(project.directory)).events) == 2 * sinks


def test_a_run_that_began_before_the_yes_is_not_queued(paths: Paths, project: Project) -> None:
    run = ended_run()
    early = replace(line("a", make=run), wall_ns=WALL_NS - 1)
    add(paths, run, make_in_project(run, project), early, line("b", make=run, start=5))
    sweep(paths)
    assert queued(paths, project) == 0


@pytest.mark.parametrize("point", ["locked", "read", "committed"])
def test_a_no_and_a_yes_during_a_sweep_delete_what_is_older(paths: Paths, project: Project, point: str) -> None:
    """Nothing that was recorded before the second yes is queued, whatever the sweep is doing at that moment."""
    for run in (ended_run(), ended_run()):
        add(paths, run, make_in_project(run, project), line("a", make=run))

    def decide(reached: str) -> None:
        if reached != point or read_id(paths, project) != before:
            return
        consent.write_decision(paths, project, yes=False, now_ns=WALL_NS + 1)
        erase_id(paths, project)
        with sqlite3.connect(paths.store) as connection:
            Outbox(connection).withdraw(project.path)
        connection.close()
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=WALL_NS + 1_000_000_000)

    before = read_id(paths, project)
    assert before
    with sweep_points(decide):
        assert sweep(paths).combined == 2
    assert read_id(paths, project) not in (None, before)
    assert queued(paths, project) == 0


def fail_for(monkeypatch: pytest.MonkeyPatch, name: str, run: str) -> None:
    """Have a function that takes a run, among others, fail for this one."""
    works = getattr(run_records, name)

    def fail(*words: object, **named: object) -> object:
        if any(isinstance(word, Run) and word.id == run for word in words):
            raise RuntimeError("a bug")
        return works(*words, **named)

    monkeypatch.setattr(run_records, name, fail)


def test_a_record_that_cannot_be_combined_costs_only_itself(
    paths: Paths, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = sorted((ended_run(), ended_run()))
    record = add(paths, bad, make_in_project(bad, project), line("a", make=bad)).read_bytes()
    add(paths, good, make_in_project(good, project), line("a", make=good))
    fail_for(monkeypatch, "events_of", bad)
    swept = sweep(paths)
    assert lines_of(paths) == {good: 1}
    assert queued(paths, project) == 1
    assert left_in(paths.records) == []
    (kept,) = paths.set_aside.iterdir()
    assert kept.read_bytes() == record
    assert (swept.combined, swept.put_aside, len(swept.problems)) == (1, 1, 1)
    assert str(kept) in swept.problems[0]
    assert {entry.part for entry in crash_log.entries(paths)} == {"sweep"}


def test_a_run_that_cannot_be_sent_is_recorded(paths: Paths, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = sorted((ended_run(), ended_run()))
    for run in (bad, good):
        add(paths, run, make_in_project(run, project), line("a", make=run))
    fail_for(monkeypatch, "permissions", bad)
    swept = sweep(paths)
    assert lines_of(paths) == {bad: 1, good: 1}
    assert queued(paths, project) == 1
    assert "nothing of it is sent" in swept.problems[0]


def test_of_a_runs_records_only_the_bad_one_is_put_aside(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ended_run()
    record = add(paths, run, line("a", make=run))
    other = record.with_name(f"{run}~1.rec")
    other.write_bytes(entry_of(line("bad", make=run)))
    age(other, 120)
    works = summary.summarise

    def fail(found: Run, *words: Any, **named: Any) -> object:
        if (run, "bad") in found.work:
            raise RuntimeError("a bug")
        return works(found, *words, **named)

    monkeypatch.setattr("make_metrics.sweep.run_records.summarise", fail)
    assert sweep(paths).put_aside == 1
    assert lines_of(paths) == {run: 1}
    assert [path.name.endswith(other.name) for path in paths.set_aside.iterdir()] == [True]
