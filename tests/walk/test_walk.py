"""Which makes the walk finds above a line, and which lines are no event."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project


@pytest.mark.parametrize("kind", ["line", "target", "recurse", "none"])
def test_synchronised_output_is_no_dry_run(each: Project, kind: str) -> None:
    each.write("all:\n\t@echo all\n")
    assert each.make(f"-O{kind}", "-j2").stdout == "all\n"
    assert [event.target for event in each.recorded()] == ["all"]


@pytest.mark.parametrize("option", ["-n", "-t", "-q"])
def test_what_runs_in_a_dry_run_is_no_event(each: Project, option: str) -> None:
    each.write("all:\n\t+@echo plus\n\t@$(MAKE) inner\ninner:\n\t@echo inner\n")
    assert "plus" in each.make(option).stdout
    assert each.recorded() == []


def test_a_script_called_make_is_no_make(project: Project, tmp_path: Path) -> None:
    script = tmp_path / "bin/make"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\n{project.make_path} "$@"\n')
    script.chmod(0o755)
    project.write("all:\n\t@:\n")
    assert project.run([str(script)]).returncode == 0
    assert [(event.make_level, event.goal) for event in project.recorded()] == [(0, True)]


def test_a_make_without_the_line_counts_as_a_level(project: Project) -> None:
    project.write("inner:\n\t@:\n", "sub/Makefile")
    project.write("outer:\n\t@$(MAKE) -C sub inner\n", line="")
    assert project.make("outer").returncode == 0
    assert [(event.target, event.make_level, event.goal) for event in project.recorded()] == [("inner", 1, False)]
