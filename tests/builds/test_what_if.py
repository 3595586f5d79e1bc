"""Estimates against what really happens: builds of sleeping recipes with a known graph, at -j1, -j2 and -j4.

Each is built with each number of jobs. From each of these runs the duration of the others is estimated.
"""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.analysis.build import Build
from make_metrics.analysis.schedule import critical_path, schedule
from make_metrics.commands.chosen_run import plan_of
from tests.support.builds import last_build
from tests.support.project import Project, makes

JOBS = (1, 2, 4)
ORDER_ONLY = """
all: link docs
link: a b c
    @sleep 0.5
a b: | folder
    @sleep 0.6
c: | folder
    @sleep 0.9
folder:
    @sleep 0.4
docs:
    @sleep 1.1
"""
NESTED = """
all: last
    @sleep 0.2
last: one two
    @sleep 0.4
one two:
    @sleep 0.3; $(MAKE) --no-print-directory -f inner.mk; sleep 0.2
"""
INNER = """
inner: x y
    @sleep 0.3
x:
    @sleep 0.8
y z:
    @sleep 0.5
y: z
"""
GROUPED = """
all: use-c use-h
use-c: p.c
    @sleep 0.7
use-h: p.h other
    @sleep 0.6
p.c p.h &:
    @sleep 0.8; touch p.c p.h
other:
    @sleep 0.5
"""
WITHOUT_RECIPE = """
.PHONY: all test build
all: test
test: build
    @sleep 0.6
build: a b
a b:
    @sleep 0.7
"""
WAITING = """
all: a b .WAIT c d
a:
    @sleep 0.9
b:
    @sleep 0.5
c d:
    @sleep 0.7
"""
GRAPHS: dict[str, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    ORDER_ONLY: {"link": (("a", "b", "c"), ()), "a": ((), ("folder",)), "b": ((), ("folder",)), "c": ((), ("folder",))},
    NESTED: {"all": (("last",), ()), "last": (("one", "two"), ()), "inner": (("x", "y"), ()), "y": (("z",), ())},
    GROUPED: {"use-c": (("p.c",), ()), "use-h": (("p.h", "other"), ())},
    WITHOUT_RECIPE: {"test": (("build",), ())},
    WAITING: {},
}


def recorded(folder: Path, make: str, text: str, jobs: int) -> Build:
    """A build in a folder of its own; prerequisites that are not kept are as the makefile says."""
    project = Project(folder / f"{jobs}", folder / f"home-{jobs}", make)
    project.write(text)
    (project.folder / "inner.mk").write_text(f"{textwrap.dedent(INNER).replace('    ', chr(9))}{project.line}\n")
    assert project.make(f"-j{jobs}").returncode == 0
    build, graph = last_build(project), GRAPHS[text]
    targets = []
    for target in build.targets:
        needs, order_only = graph.get(target.name, ((), ()))
        known = target.prerequisites is not None
        targets.append(target if known else replace(target, prerequisites=needs, order_only=order_only))
    return replace(build, targets=tuple(targets))


def compare(tmp_path: Path, make: str, text: str, recorded_with: tuple[int, ...] = JOBS) -> None:
    builds = {jobs: recorded(tmp_path, make, text, jobs) for jobs in JOBS}
    for recorded_jobs in recorded_with:
        plan = plan_of(builds[recorded_jobs])
        for jobs, build in builds.items():
            estimate_us = schedule(plan, jobs).duration_us
            assert estimate_us == pytest.approx(build.duration_us, rel=0.1), (recorded_jobs, jobs)
        longest_us = plan.begin_us + sum(step.own_us for step in critical_path(plan))
        assert longest_us <= 1.1 * min(build.duration_us for build in builds.values())


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "text", [ORDER_ONLY, NESTED, GROUPED, WITHOUT_RECIPE], ids=["order-only", "nested", "grouped", "without-recipe"]
)
def test_estimates_come_true_within_a_tenth(tmp_path: Path, any_make: str, text: str) -> None:
    compare(tmp_path, any_make, text)


def test_a_wait_is_seen_in_a_run_with_jobs(tmp_path: Path) -> None:
    """No variable of make tells of `.WAIT`: one job at a time cannot show it."""
    waiting = [path for version, path in makes().items() if not version.startswith(("3.", "4.0", "4.1", "4.2", "4.3"))]
    if not waiting:
        pytest.skip("no GNU make 4.4 here")
    compare(tmp_path, waiting[0], WAITING, recorded_with=(4,))


def test_the_command_says_what_to_speed_up(project: Project) -> None:
    project.write("all: a b\na:\n\t@sleep 0.9\nb:\n\t@sleep 0.2\n")
    assert project.make("-j2").returncode == 0
    done = project.cli("what-if", "-j", "1", "2", "unlimited")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows if len(row) > 1 and row[1].endswith("s") and row[0].startswith("-j")] == [
        "-j1",
        "-j2",
        "-j",
    ]
    first = rows[next(at for at, row in enumerate(rows) if row[:2] == ["Speed", "up"]) + 1]
    assert first[2] == "a"
    assert project.cli("what-if", "-j4").returncode == 0
    assert project.cli("what-if", "-j", "0").returncode == 2
    assert "goes before -j" in project.cli("what-if", "-j", "4", "last").stderr
