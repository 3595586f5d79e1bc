"""The own time of each target in each run, from real makes."""

from __future__ import annotations

from make_metrics.store.questions.own_times import OneRun, Place, chosen_runs, own_times
from make_metrics.store.questions.selection import Selection
from make_metrics.sweep.sweep import sweep
from tests.support.project import Project
from tests.support.store import ask


def times(project: Project, **how: object) -> tuple[list[OneRun], dict[Place, dict[int, int | None]]]:
    """All runs, and the times in them."""
    assert sweep(project.paths, timeout=10).problems == []
    runs = ask(project.paths, lambda connection: chosen_runs(connection, Selection()))
    return runs, ask(project.paths, lambda connection: own_times(connection, runs, **how))  # type: ignore[arg-type]


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
