"""The own time of each target in each run, from real makes."""

from __future__ import annotations

import random
import sqlite3
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.store.compact.texts import Texts
from make_metrics.store.questions.own_times import OneRun, Place, chosen_runs, own_times
from make_metrics.store.questions.selection import Selection
from make_metrics.sweep.sweep import sweep
from tests.support.project import Project
from tests.support.store import ask


def times(project: Project, **how: str) -> tuple[list[OneRun], dict[Place, dict[int, int | None]]]:
    """All runs, and the times in them by the run's number."""
    assert sweep(project.paths, timeout=10).problems == []

    def by_number(connection: sqlite3.Connection) -> tuple[list[OneRun], dict[Place, dict[int, int | None]]]:
        runs = chosen_runs(connection, Selection())
        alone = [[run] for run in runs]
        return runs, {
            place: {run.number: side[0] for run, side in zip(runs, sides, strict=True) if side}
            for place, sides in own_times(connection, alone, **how)
        }

    return ask(project.paths, by_number)


def test_own_time_is_of_a_targets_lines_alone_and_none_where_it_failed(each: Project) -> None:
    each.write(
        """\
        all: a b
        a:
            @sleep 0.1
            @sleep 0.1
        b: a
            @sleep 0.05; exit $(B)
        """
    )
    assert each.make("B=0").returncode == 0
    assert each.make("B=3").returncode == 2
    (newest, oldest), found = times(each)
    folder = str(each.folder)
    assert found.keys() == {(folder, "a"), (folder, "b")}  # `all` has no lines
    times_a, times_b = found[folder, "a"], found[folder, "b"]
    assert (times_a[oldest.number] or 0) > 195_000
    assert (times_b[oldest.number] or 0) > 45_000
    assert (times_b[oldest.number] or 0) + (times_a[oldest.number] or 0) <= 1_000 * oldest.duration_ms + 2_000
    assert times_b[newest.number] is None
    assert times(each, target="?")[1] == found
    assert times(each, target="[!a]")[1].keys() == {(folder, "b")}


def test_what_a_run_makes_twice_in_a_directory_counts_together(project: Project) -> None:
    project.write("all:\n\t@$(MAKE) -C sub x\n\t@$(MAKE) -C sub x\nx:\n\t@true\n")
    project.write("x:\n\t@sleep 0.1\n", "sub/Makefile")
    assert project.make().returncode == 0
    (run,), found = times(project)
    folder = str(project.folder)
    assert 195_000 < (found[f"{folder}/sub", "x"][run.number] or 0) <= 1_000 * run.duration_ms
    assert (folder, "x") not in found


def test_runs_are_chosen_by_what_was_checked_out_and_by_jobs(project: Project) -> None:
    project.write("all:\n\t@true\n")
    for words in ([], ["-j3"], ["-j"]):
        assert project.make(*words).returncode == 0
    (three, two, one), _ = times(project)
    assert [one.jobs, two.jobs, three.jobs] == [1, 3, 0]
    starts = [one.started_ns, two.started_ns, three.started_ns]  # within one clock tick they may be in any order
    for selection, more, expected in (
        (Selection(jobs=3), {}, [two.id]),
        (Selection(jobs=0), {}, [three.id]),
        (Selection(), {"newest": 2}, [three.id, two.id]),
        (Selection(), {"run_id": one.id}, [one.id]),
        (Selection(), {"branch": "main"}, []),
        (Selection(), {"commit": "abcd"}, []),
        (Selection(since_ns=max(starts) + 1), {}, []),
        (Selection(until_ns=min(starts)), {}, []),
    ):
        runs = ask(project.paths, lambda connection: chosen_runs(connection, selection, **more))  # noqa: B023
        assert [run.id for run in runs] == expected


def random_runs(connection: sqlite3.Connection, seed: int, *, runs: int = 30, targets: int = 12) -> None:
    """Runs of two projects with makes in several directories; some targets failed, or ran no line."""
    numbers, texts = random.Random(seed), Texts(connection)  # noqa: S311
    connection.execute("BEGIN")
    names = [texts.number(f"t{number}") for number in range(targets)]
    directories = [texts.number(directory) for directory in ("/p", "/q", "/p/sub")]
    for run in range(1, runs + 1):
        shared = {"goals": 0, "make_version": 0, "jobs": 1}
        build = {"number": run, "id": f"run.{run}", "started_ns": run, "duration_ms": 1, "targets": 1, "lines": 1}
        build |= {"commit_id": 0, "branch": 0, "combined_ns": 1, "torn": 0, "exit_status": 0}
        insert(connection, "builds", **build, **shared, directory=numbers.choice(directories[:2]))
        for number in range(numbers.randint(1, 4)):
            make = {"build": run, "number": number, "key": f"{run}.{number}", "level": 0, "parallel": 1, "is_test": 0}
            directory = numbers.choice((0, *directories))
            insert(connection, "makes", **make, **shared, parent_target=0, metrics="{}", directory=directory)
            for name in numbers.sample(names, numbers.randint(targets // 2, targets)):
                target = {"build": run, "make": number, "name": name, "start_us": 0, "lead_us": 0, "goal": 0}
                span_us = numbers.randint(0, 1_000)
                target |= {"span_us": span_us, "idle_us": numbers.randint(0, span_us + 10)}
                target |= {"exit_status": numbers.choice((0, 0, 0, 2)), "lines": numbers.choice((0, 1, 1, 2))}
                insert(connection, "targets", **target)
    connection.execute("COMMIT")


def insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
        tuple(values.values()),
    )


def all_at_once(connection: sqlite3.Connection, runs: Sequence[OneRun]) -> dict[Place, dict[int, int | None]]:
    """The same by a dictionary of all times, as it was done before one target came after the other."""
    texts = Texts(connection)
    made = dict[Place, dict[int, int | None]]()
    for run in runs:
        rows = connection.execute(
            "SELECT makes.directory, targets.name, span_us, idle_us, targets.exit_status FROM makes JOIN targets "
            "ON targets.build = makes.build AND targets.make = makes.number "
            "WHERE makes.build = ? AND targets.lines > 0",
            (run.number,),
        ).fetchall()
        for directory, name, span_us, idle_us, status in rows:
            place = (texts.text(directory) if directory else run.directory, texts.text(name))
            by_run = made.setdefault(place, {})
            earlier_us = by_run.get(run.number, 0)
            by_run[run.number] = None if status or earlier_us is None else earlier_us + max(0, span_us - idle_us)
    return made


@pytest.mark.parametrize("seed", range(5))
def test_each_side_has_the_same_times_as_with_all_in_memory(tmp_path: Path, seed: int) -> None:
    paths = Paths(data=tmp_path / "data", config=tmp_path / "config", state=tmp_path / "state")

    def check(connection: sqlite3.Connection) -> None:
        random_runs(connection, seed)
        runs = chosen_runs(connection, Selection())
        numbers = random.Random(seed)  # noqa: S311
        sides = [numbers.sample(runs, size) for size in (9, 12, 0, 25)]  # a run may be on several
        streamed = dict(own_times(connection, sides))
        expected = [all_at_once(connection, side) for side in sides]
        assert streamed.keys() == {place for side in expected for place in side}
        for place, times in streamed.items():
            by_run = [side.get(place, {}) for side in expected]
            assert times == [
                [found[run.number] for run in side if run.number in found]
                for side, found in zip(sides, by_run, strict=True)
            ]

    ask(paths, check)


def test_the_times_of_one_target_are_in_memory_at_once(tmp_path: Path) -> None:
    def peak(targets: int) -> int:
        home = tmp_path / str(targets)
        paths = Paths(data=home / "data", config=home / "config", state=home / "state")

        def read(connection: sqlite3.Connection) -> int:
            random_runs(connection, 1, runs=200, targets=targets)
            runs = chosen_runs(connection, Selection())
            tracemalloc.start()
            try:
                assert sum(1 for _ in own_times(connection, (runs, runs))) > targets
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        return ask(paths, read)

    assert peak(80) < 2 * peak(20)  # what grows is the texts of names
