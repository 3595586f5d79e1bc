from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths, private_directory
from make_metrics.store.bounds import DAY_NS
from make_metrics.sweep.sweep import sweep
from tests.support.records import add, ended_run, line, lines_of, paths_in
from tests.support.store import ask


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = paths_in(tmp_path / "mm")
    private_directory(paths.records)
    return paths


def months_ago(paths: Paths) -> str:
    """A run that was made and combined a hundred days ago; the clock went on until then."""
    run, then_ns = ended_run(), time.time_ns() - 100 * DAY_NS
    add(paths, run, replace(line(make=run), wall_ns=then_ns))
    sweep(paths)

    def move(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE builds SET combined_ns = ?", (then_ns,))
        connection.execute("UPDATE clock SET seen_ns = ?1, trusted_ns = ?1", (then_ns,))

    ask(paths, move)
    return run


def test_a_clock_that_jumped_deletes_no_history_and_two_weeks_later_it_does(paths: Paths) -> None:
    run = months_ago(paths)
    sweep(paths)
    sweep(paths)
    assert lines_of(paths) == {run: 1}
    ask(paths, lambda connection: connection.execute("UPDATE clock SET jumped_ns = jumped_ns - ?", (15 * DAY_NS,)))
    sweep(paths)
    assert lines_of(paths) == {}


def test_a_run_that_is_combined_late_is_not_deleted_at_once(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, replace(line(make=run), wall_ns=time.time_ns() - 100 * DAY_NS))
    sweep(paths)
    sweep(paths)
    assert lines_of(paths) == {run: 1}


def test_the_user_sets_the_history_and_is_told_what_that_costs(paths: Paths) -> None:
    paths.config.mkdir(parents=True, mode=0o700)
    paths.user_settings.write_text("history-mib = 1\n")
    runs, problems = list[str](), list[str]()
    for _ in range(15):
        runs.append(run := ended_run())
        add(paths, run, *(line(f"a_target_with_some_name_{number}", make=run) for number in range(3_000)))
        problems += sweep(paths).problems
    assert "the history has reached 1 MiB: its oldest" in problems[0]
    assert "history-mib" in problems[0]
    assert len(lines_of(paths)) == 10
    assert runs[-1] in lines_of(paths)
