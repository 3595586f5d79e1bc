"""Which makes of a run may send their events."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import Run, events_of, gather, merge
from make_metrics.deliver import outgoing
from make_metrics.deliver.permissions import ProjectCache, permissions
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project
from make_metrics.store.outbox import sink_id
from tests.support.agreed_project import agreed_project
from tests.support.records import line, make_in_project, paths_in


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path, paths: Paths) -> Project:
    return agreed_project(tmp_path / "project", paths)


@pytest.mark.parametrize("ceiling", ["", "off", "local", "ON", "x"])
def test_a_make_whose_environment_did_not_allow_it_has_no_permission(
    project: Project, paths: Paths, ceiling: str
) -> None:
    run = gather("r", Contents(lines=[line("a", make="r")], makes=[make_in_project("r", project, ceiling=ceiling)]))
    assert permissions(ProjectCache(paths), run) == {}


def test_a_nested_make_needs_the_permission_of_all_makes_above(project: Project, paths: Paths) -> None:
    header = make_in_project("n", project, parent="r", parent_target="a")
    nested = gather("r", Contents(lines=[line("a", make="n", level=1)], makes=[header]))

    def permitted(*above: Make) -> set[str]:
        run = merge(nested, Run("r", {make.key: make for make in above}))
        return set(permissions(ProjectCache(paths), run))

    assert permitted() == set()
    assert permitted(make_in_project("r", project, ceiling="local")) == set()
    assert permitted(make_in_project("r", project)) == {"r", "n"}
    circle = make_in_project("r", project, parent="n")
    assert permitted(circle) == set()


def test_the_events_of_a_permitted_make_go_to_all_sinks_of_the_project(project: Project, paths: Paths) -> None:
    run = gather("r", Contents(lines=[line("a", make="r")], makes=[make_in_project("r", project)]))
    projects = ProjectCache(paths)
    entries = outgoing.entries(projects, run, events_of(run), permissions(projects, run))
    assert [entry.sink for entry in entries] == [sink_id(sink) for sink in project.sinks]
