"""`report` says once for each state of the makefiles which targets are not measured."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pexpect
import pytest

from make_metrics.setup import makefile_stamps
from tests.support.project import SOURCE, Project

TEXT = """\
METRICS_SKIP := deploy lint fmt serve
all:
\t@echo all; :
deploy lint fmt serve:
\t@echo $@; :
"""
SAID = "Not measured: deploy, fmt, lint and 1 more; make-metrics doctor says why."
NOTHING = "Nothing of Makefile is measured now: make-metrics doctor says why."


@pytest.fixture
def project(tmp_path: Path, home: Path) -> Project:
    """A project with a run, whose Makefile leaves four targets to make."""
    project = Project(tmp_path / "project", home)
    project.line = f"-include $(if $(wildcard {project.paths.fragment}),{project.paths.fragment})"
    project.write(TEXT)
    assert project.make().stdout == "all\n"
    return project


def report(project: Project, *words: str, **environ: str) -> str:
    """What `make-metrics report` prints on a terminal."""
    terminal: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, ["-m", "make_metrics", "report", *words], cwd=str(project.folder), encoding="utf-8", timeout=60,
        env={**project.environment(TERM="dumb"), "PYTHONPATH": str(SOURCE), **environ}, dimensions=(40, 120),
    )  # fmt: skip
    text = terminal.read()
    terminal.close()
    assert (terminal.exitstatus, terminal.signalstatus) == (0, None), text
    assert "Traceback" not in text
    return text.replace("\r\n", "\n")


def test_it_is_said_once_for_each_state_of_the_makefiles(project: Project) -> None:
    assert report(project).endswith(f"\n{SAID}\n")
    assert "measured" not in report(project)
    project.write(f"include more.mk\n{TEXT}")
    (project.folder / "more.mk").write_text("more: ; @:\n")
    assert SAID in report(project)
    assert "measured" not in report(project)
    (project.folder / "more.mk").write_text("METRICS_SKIP = x\nmore x: ; @:\n")
    assert SAID in report(project)
    (project.folder / "more.mk").unlink()
    project.write("all:\n\t@echo all; :\n")
    assert "measured" not in report(project)
    project.write("SHELL := /usr/bin/python3\nUSE := $(SHELL)\nall:\n\t@print('all')\n")
    assert report(project).endswith(f"\n{NOTHING}\n")
    project.write("METRICS_SKIP := %\nall:\n\t@echo all; :\n")
    assert report(project).endswith(f"\n{NOTHING}\n")


def test_only_a_table_of_this_project_on_a_terminal_says_it(project: Project, tmp_path: Path) -> None:
    for words in (["--all"], ["--json"], ["--format", "csv"], ["--format", "markdown"]):
        assert "measured" not in report(project, *words).lower(), words
    assert "measured" not in project.cli("report").stdout
    assert "measured" not in report(project, MAKE_METRICS="off")
    assert not project.paths.makefile_stamps.exists()
    project.write(TEXT, line="")
    assert "measured" not in report(project)
    project.write(TEXT)
    assert SAID in report(project, "--by", "day")


def test_of_another_directory_it_names_the_command_for_that_one(project: Project) -> None:
    folder = project.folder
    project.folder = folder.parent
    assert "make-metrics doctor -C project says why." in report(project, "-C", "project")


def test_where_doctor_has_said_it_report_does_not(project: Project) -> None:
    project.cli("doctor")
    assert "measured" not in report(project)


def test_a_makefile_that_never_ends_costs_three_seconds_once(project: Project) -> None:
    project.write(TEXT + "X := $(shell sleep 100)\n")
    begun = time.monotonic()
    assert "measured" not in report(project)
    assert time.monotonic() - begun < 30
    assert makefile_stamps.is_known(project.paths, project.folder)


def test_a_makefile_that_stops_make_is_no_error(project: Project) -> None:
    project.write("$(error run ./configure first)\n" + TEXT)
    assert "configure" not in report(project)
    assert makefile_stamps.is_known(project.paths, project.folder)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"version": 1, "directories": 3}', b"[" * 60_000])
def test_a_damaged_file_is_as_none(project: Project, content: bytes) -> None:
    project.paths.makefile_stamps.write_bytes(content)
    assert SAID in report(project)
    assert "measured" not in report(project)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        3,
        [],
        {"by": 1},
        {"by": "0", "files": {"Makefile": ["x"]}},
        {"files": []},
        json.loads("[" * 900 + "]" * 900),
    ],
)
def test_a_damaged_entry_is_as_none(project: Project, entry: object) -> None:
    directories = {str(project.folder): entry}
    project.paths.makefile_stamps.write_text(json.dumps({"version": 1, "directories": directories}))
    assert SAID in report(project)


@pytest.mark.parametrize("command", [["forget", "--yes"], ["uninstall", "--data", "--yes"]])
def test_a_directory_in_its_place_stops_nothing(project: Project, command: list[str]) -> None:
    project.paths.makefile_stamps.mkdir()
    assert SAID in report(project)
    assert SAID in report(project)
    assert project.cli(*command).returncode == 0


@pytest.mark.parametrize(
    "command", [["forget", "--yes"], ["forget", "-C", ".", "--yes"], ["uninstall", "--data", "--yes"]]
)
def test_what_was_seen_is_forgotten_with_the_rest(project: Project, command: list[str]) -> None:
    report(project)
    makefile_stamps.remember(project.paths, project.folder.parent, ["Makefile"])
    assert project.cli(*command).returncode == 0
    assert not makefile_stamps.is_known(project.paths, project.folder)
    assert makefile_stamps.is_known(project.paths, project.folder.parent) is ("-C" in command)


def test_the_file_stays_small(project: Project, tmp_path: Path) -> None:
    for number in range(130):
        makefile_stamps.remember(project.paths, tmp_path / f"d{number}", ["Makefile"])
    directories = json.loads(project.paths.makefile_stamps.read_text())["directories"]
    assert list(directories) == [str(tmp_path / f"d{number}") for number in range(30, 130)]
    names = [f"{number:0200}.mk" for number in range(500)]
    for number in range(3):
        makefile_stamps.remember(project.paths, tmp_path / f"large{number}", names)
    assert project.paths.makefile_stamps.stat().st_size < 64 * 1024
    assert makefile_stamps.is_known(project.paths, tmp_path / "large2")
