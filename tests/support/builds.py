"""Runs as data, made up or stored."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from make_metrics.analysis.build import Build, BuiltTarget, MakeProcess
from make_metrics.store import builds
from make_metrics.sweep.sweep import sweep
from tests.support.project import Project
from tests.support.store import ask

START_NS = 1_795_000_000_000_000_000


def target(
    name: str, start_ms: int, end_ms: int, *needs: str, make: int = 0, known: bool = True, **more: object
) -> BuiltTarget:
    """A target that ran between two times; `needs` are its prerequisites."""
    values: dict[str, object] = {"own_us": (end_ms - start_ms) * 1_000, "prerequisites": needs if known else None}
    return BuiltTarget(make=make, name=name, start_us=start_ms * 1_000, end_us=end_ms * 1_000, **{**values, **more})  # type: ignore[arg-type]


def build_of(*targets: BuiltTarget, jobs: int = 1, makes: Iterable[MakeProcess] = (), **more: object) -> Build:
    """A run of these targets; `makes` are those below the top one."""
    top = MakeProcess(number=0, directory="/project", goals=("all",), jobs=jobs, version="4.3")
    values: dict[str, object] = {
        "id": "h.1.2",
        "started_ns": START_NS,
        "duration_us": max((each.end_us for each in targets), default=0),
        "status": max((each.status for each in targets), default=0),
        "makes": (top, *makes),
        "targets": tuple(sorted(targets, key=lambda each: (each.start_us, -each.end_us, each.make))),
    }
    return Build(**{**values, **more})  # type: ignore[arg-type]


@st.composite
def nested_builds(draw: st.DrawFn) -> Build:
    """A run whose makes are where they can be: their targets within the time of the target that started them."""
    makes, targets, holders = list[MakeProcess](), list[BuiltTarget](), [(0, "", 0, 100)]
    for number in range(draw(st.integers(1, 4))):
        parent, name, least, most = draw(st.sampled_from(holders))
        if number:
            makes.append(MakeProcess(number=number, parent=parent, parent_target=name, level=1))
        for index in range(draw(st.integers(1, 5))):
            start = draw(st.integers(least, most))
            end = draw(st.integers(start, most))
            targets.append(target(f"t{index}", start, end, make=number))
            holders.append((number, f"t{index}", start, end))
        if not number:
            holders.pop(0)
    return build_of(*targets, makes=makes)


def last_build(project: Project) -> Build:
    """The newest run of a project's home."""
    assert sweep(project.paths, timeout=10).problems == []
    run_id = ask(project.paths, lambda connection: builds.newest(connection))
    assert run_id is not None
    build = ask(project.paths, lambda connection: builds.build(connection, run_id))
    assert build is not None
    return build
