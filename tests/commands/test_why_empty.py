"""`report` and `runs` say in a line why they are empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.setup.renewal import set_up
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path, home: Path) -> Project:
    return Project(tmp_path / "project", home)


def empty(project: Project) -> str:
    """What both commands say after "No events yet: " and "No runs yet: "."""
    report, runs = project.cli("report"), project.cli("runs")
    assert (report.returncode, report.stderr, runs.returncode, runs.stderr) == (0, "", 0, "")
    assert report.stdout.startswith("No events yet: ")
    assert report.stdout.count("\n") == 1
    assert runs.stdout == report.stdout.replace("No events", "No runs")
    return report.stdout.partition(": ")[2].rstrip("\n")


def test_before_set_up(project: Project) -> None:
    project.paths.fragment.unlink()
    assert empty(project).startswith("make-metrics is not set up: run make-metrics setup --add")


def test_without_a_makefile(project: Project) -> None:
    assert empty(project).startswith("run make in a project whose Makefile has the include line")


def test_a_makefile_without_the_line(project: Project) -> None:
    project.write("all: ;\n", line="")
    assert empty(project) == "the Makefile here has no include line: make-metrics setup --add adds it."
    project.write("all: ;\ninclude more.mk\n", line="")
    assert "make-metrics doctor says why" in empty(project)


def test_a_makefile_with_the_line(project: Project) -> None:
    set_up(project.paths)
    project.write("all: ;\n", line="-include $(if $(wildcard ~/x/metrics.mk),~/x/metrics.mk)")
    assert empty(project) == "run make; if that changes nothing, make-metrics doctor says why."


def test_recording_off(project: Project) -> None:
    project.cli("off")
    assert empty(project) == "nothing is recorded here: you turned recording off (make-metrics off)."
