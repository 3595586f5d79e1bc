"""A stored run as data, from real makes; finding runs."""

from __future__ import annotations

import itertools
import os
import time

import pytest

from make_metrics.analysis.build import Build, BuiltTarget
from make_metrics.store import builds
from make_metrics.store.bounds import DAY_NS
from make_metrics.store.history import History
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep
from tests.support.builds import last_build
from tests.support.project import Project
from tests.support.store import ask


def targets(build: Build) -> dict[str, BuiltTarget]:
    return {target.name: target for target in build.targets}


def test_a_nested_run_is_one_build(each: Project) -> None:
    each.write(
        """\
        all: a b
            @sleep 0.05
        a:
            @$(MAKE) --no-print-directory -f inner.mk inner
        b:
            @sleep 0.1; exit 3
        """
    )
    each.write("inner:\n\t@sleep 0.1\n\t@sleep 0.1\n", "inner.mk")
    assert each.make("-j2", "-k").returncode == 2
    build = last_build(each)
    top, inner = build.makes
    assert (top.number, top.parent, top.parent_target, top.level, top.goals, top.jobs) == (0, None, "", 0, ("all",), 2)
    assert (inner.number, inner.parent, inner.parent_target, inner.level, inner.goals) == (1, 0, "a", 1, ("inner",))
    assert top.directory == str(each.folder)
    assert top.version.startswith(each.make("--version").stdout.split()[2])
    assert build.status == 2
    made = targets(build)
    assert set(made) == {"a", "b", "inner"}
    assert (made["b"].status, made["inner"].status, made["inner"].make) == (3, 0, 1)
    assert 0 <= top.start_us <= made["a"].start_us <= made["inner"].start_us <= made["inner"].end_us <= made["a"].end_us
    assert 190_000 < made["inner"].own_us <= made["inner"].end_us - made["inner"].start_us
    assert build.duration_us == max(target.end_us for target in build.targets)


def test_a_week_later_the_build_is_the_same(project: Project) -> None:
    project.write("all: a\n\t@sleep 0.05\na:\n\t@sleep 0.1\n")
    assert project.make().returncode == 0
    before = last_build(project)
    ask(project.paths, lambda connection: History(connection).prune(now_ns=time.time_ns() + 8 * DAY_NS))
    assert ask(project.paths, lambda connection: Store(connection).load_run(before.id).run) is None
    assert last_build(project) == before


def test_each_line_is_kept_with_its_own_status(each: Project) -> None:
    each.write(
        """\
        all: single
            @sleep 0.05
            -@sleep 0.1; exit 3
            @sleep 0.05
        single:
            -@exit 4
        """
    )
    assert each.make().returncode == 0
    made = targets(last_build(each))
    lines = made["all"].lines
    assert [line.status for line in lines] == [0, 3, 0]
    assert [line.status for line in made["single"].lines] == [4]
    assert (made["all"].status, made["single"].status) == (0, 0)
    assert lines[0].start_us == made["all"].start_us
    assert all(line.end_us <= after.start_us for line, after in itertools.pairwise(lines))
    assert made["all"].own_us == pytest.approx(sum(line.end_us - line.start_us for line in lines), abs=3)
    assert 100_000 <= lines[1].end_us - lines[1].start_us < made["all"].own_us - 95_000
    assert all((line.peak_kib or 0) > 0 and line.cpu_us is not None for line in lines)


def test_what_targets_need_is_known(each: Project) -> None:
    many = " ".join(f"m{number}" for number in range(12))
    each.write(
        f"""\
        all: one two many odd's$$x | folder
            @true
        one: a b
            @cat $^ > $@
        two: | folder
            @true
        many: {many}
            @true
        odd's$$x: a (b) x%y&z
            @true
        folder:
            @mkdir -p folder
        {many} (b) x%y&z: ;
        .PHONY: two many
        """.replace("(b)", "'b\"")
    )
    for name in "ab":
        (each.folder / name).touch()
    assert each.make().returncode == 0
    made = targets(last_build(each))
    assert (made["one"].prerequisites, made["one"].order_only, made["one"].newer) == (("a", "b"), (), ("a", "b"))
    assert (made["two"].prerequisites, made["two"].order_only, made["two"].newer) == ((), ("folder",), ())
    assert (made["folder"].prerequisites, made["folder"].order_only) == ((), ())
    assert made["many"].prerequisites is None
    assert made["odd's$x"].prerequisites == ("a", "'b\"", "x%y&z")
    soon = time.time() + 10
    os.utime(each.folder / "b", (soon, soon))
    assert each.make("one").returncode == 0
    one = targets(last_build(each))["one"]
    assert (one.prerequisites, one.newer) == (("a", "b"), ("b",))
    assert [summary.torn for summary in ask(each.paths, lambda connection: Store(connection).runs())] == [0, 0]


def test_what_make_does_before_its_first_line_counts(each: Project) -> None:
    each.write("X := $(shell sleep 0.4)\nall:\n\t@true\n")
    assert each.make().returncode == 0
    build = last_build(each)
    assert build.targets[0].start_us >= 390_000
    (summary,) = ask(each.paths, lambda connection: Store(connection).runs())
    assert (summary.before_ms or 0) >= 390
    assert summary.duration_ms >= (summary.before_ms or 0)
    assert summary.duration_ms == pytest.approx(build.duration_us / 1_000, abs=2)


def test_a_run_that_is_not_there_is_none(project: Project) -> None:
    assert ask(project.paths, lambda connection: builds.newest(connection)) is None
    assert ask(project.paths, lambda connection: builds.build(connection, "nothing")) is None


def test_runs_are_found_by_age_directory_and_goal(project: Project) -> None:
    project.write("all test:\n\t@true\n")
    project.write("all:\n\t@true\n", "sub/Makefile")
    for words in (["all"], ["test"], ["-C", "sub", "all"], ["test", "all"]):
        assert project.make(*words).returncode == 0
    assert sweep(project.paths, timeout=10).problems == []

    def newest(**how: object) -> int | None:
        """The place of a run among all runs, in their order."""
        found = ask(project.paths, lambda connection: builds.newest(connection, **how))  # type: ignore[arg-type]
        return None if found is None else runs.index(found)

    runs = [summary.id for summary in ask(project.paths, lambda connection: Store(connection).runs())]

    folder = str(project.folder)
    assert [newest(), newest(back=1), newest(back=4), newest(back=2**70)] == [3, 2, None, None]
    assert [newest(goal="test"), newest(goal="test", back=1), newest(goal="tes")] == [3, 1, None]
    assert [newest(within=folder), newest(within=f"{folder}/sub"), newest(within=f"{folder}/su")] == [3, 2, None]
    assert [newest(within="/"), newest(within=folder, goal="all", back=1)] == [3, 2]


def test_makes_that_start_within_one_clock_tick_keep_their_order(project: Project) -> None:
    goals = [f"goal{number}" for number in range(40)]
    project.write("goal%:\n\t@:\n")
    command = f'for goal in {" ".join(goals)}; do "{project.make_path}" -s $goal || exit; done'
    assert project.run(["sh", "-c", command]).returncode == 0
    assert sweep(project.paths, timeout=10).problems == []
    summaries = ask(project.paths, lambda connection: Store(connection).runs())
    assert [summary.goals for summary in summaries] == [(goal,) for goal in goals]
    found = ask(project.paths, lambda connection: [builds.newest(connection, back=back) for back in range(len(goals))])
    assert found == [summary.id for summary in reversed(summaries)]
