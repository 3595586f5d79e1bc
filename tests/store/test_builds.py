"""A stored run as data, from real makes; finding runs."""

from __future__ import annotations

import pytest

from make_metrics.analysis.build import Build, BuiltTarget
from make_metrics.store import builds
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


def test_a_week_later_the_events_still_give_a_build(project: Project) -> None:
    project.write("all: a\n\t@sleep 0.05\na:\n\t@sleep 0.1\n")
    assert project.make().returncode == 0
    before = last_build(project)
    ask(project.paths, lambda connection: connection.execute("UPDATE runs SET state = NULL"))
    after = last_build(project)
    assert (after.id, after.status, len(after.makes)) == (before.id, before.status, len(before.makes))
    assert after.makes[0].goals == ("all",)
    for was, now in zip(before.targets, after.targets, strict=True):
        assert (was.name, was.is_goal, was.status) == (now.name, now.is_goal, now.status)
        assert now.start_us == pytest.approx(was.start_us, abs=5_000)
        assert now.end_us == pytest.approx(was.end_us, abs=5_000)


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
        return None if found is None else ask(project.paths, builds.run_ids).index(found)

    folder = str(project.folder)
    assert [newest(), newest(back=1), newest(back=4), newest(back=2**70)] == [3, 2, None, None]
    assert [newest(goal="test"), newest(goal="test", back=1), newest(goal="tes")] == [3, 1, None]
    assert [newest(within=folder), newest(within=f"{folder}/sub"), newest(within=f"{folder}/su")] == [3, 2, None]
    assert [newest(within="/"), newest(within=folder, goal="all", back=1)] == [3, 2]
