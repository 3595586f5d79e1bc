"""One run's records and the outbox: which events a sweep queues."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id, erase_id, read_id
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.sweep.sweep import sweep
from tests.support.records import WALL_NS, add, ended_run, line, make_in_project, paths_in
from tests.support.settings_files import write_settings
from tests.support.store import ask
from tests.support.sweep_points import sweep_points


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path, paths: Paths) -> Project:
    """A project with a yes that is older than the tests' lines."""
    write_settings(tmp_path / "project")
    project = project_of(tmp_path / "project")
    with consent.lock(paths):
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=WALL_NS)
    return project


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
    (waiting,) = ask(paths, lambda connection: Outbox(connection).waiting(str(project.directory), key))
    assert waiting.message["properties"]["duration_ms"] == 500


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
