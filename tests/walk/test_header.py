"""The record's header: whose environment counts."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from make_metrics.combine import record
from make_metrics.processes.tree import initial_environment
from make_metrics.walk import header
from tests.support.project import Project, until


def records(project: Project) -> list[Path]:
    """The records of a project, also where a makefile has moved the state directory."""
    return sorted(project.home.rglob("*.rec"))


@pytest.mark.parametrize("shown", [{}, None])
def test_a_hidden_environment_is_the_one_of_recipes(
    monkeypatch: pytest.MonkeyPatch, shown: dict[str, str] | None
) -> None:
    process = psutil.Process()

    def environ(_: psutil.Process) -> dict[str, str]:
        if shown is None:
            raise psutil.AccessDenied(process.pid)
        return shown

    monkeypatch.setattr(psutil.Process, "environ", environ)
    monkeypatch.setenv("MAKE_METRICS", "local")
    assert initial_environment(process, os.environ) == dict(os.environ)
    assert initial_environment(process, {"": "without a name", "A": "b"}) == {"A": "b"}
    assert header.ceiling_of(initial_environment(process, os.environ)) == "local"
    monkeypatch.delenv("MAKE_METRICS")
    assert header.ceiling_of(initial_environment(process, os.environ)) == "on"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", "on"),
        ("export MAKE_METRICS := on\nunexport DO_NOT_TRACK\n", "on"),
        ("export DO_NOT_TRACK := 1\n", "local"),
        ("export HOME := /nowhere\n", "local"),
        ("unexport MAKE_METRICS_HOME\n", "local"),
        ("export XDG_CONFIG_HOME := $(CURDIR)\n", "local"),
    ],
)
def test_what_a_makefile_changes_can_only_reduce(project: Project, text: str, allowed: str) -> None:
    project.write(f"{text}all:\n\t@:\n")
    assert project.make().returncode == 0
    until(lambda: any(b"\nM " in path.read_bytes() for path in records(project)))
    makes = [make for path in records(project) for make in record.parse(path.read_bytes()).makes]
    assert {make.ceiling for make in makes} == {allowed}
