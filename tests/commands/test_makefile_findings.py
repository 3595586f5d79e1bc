"""`make-metrics doctor` says what is recorded of a Makefile, and make agrees."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from make_metrics.setup.renewal import set_up
from tests.support.project import SOURCE, Project


def examine(project: Project, *words: str) -> tuple[int, dict[str, Any]]:
    """Doctor's exit status, and what it says about the Makefile."""
    if not project.paths.state.exists():
        set_up(project.paths)
    done = project.cli("doctor", "--json", *words)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    makefile: dict[str, Any] = document["makefile"]
    makefile["findings"] = [f"{one['result']} {one['subject']}: {one['text']}" for one in document["findings"]]
    return done.returncode, makefile


def recorded(project: Project, *goals: str) -> set[str]:
    done = project.make(*goals)
    assert done.returncode == 0, done.stderr
    return set(project.events())


@pytest.fixture
def each(tmp_path: Path, home: Path, any_make: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project for each make there is, which is also the make that doctor finds on PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/make").symlink_to(any_make)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return Project(tmp_path / "project", home, any_make)


@pytest.fixture
def project(tmp_path: Path, home: Path) -> Project:
    return Project(tmp_path / "project", home)


def test_without_a_makefile_there_is_nothing_to_examine(project: Project) -> None:
    status, makefile = examine(project)
    assert status == 0
    assert any(text.startswith("note Makefile: there is none in") for text in makefile["findings"])
    assert examine(project, "all")[0] == 1


def test_a_makefile_without_the_line_records_nothing(each: Project) -> None:
    each.write("all:\n\t@echo all\n", line="")
    status, makefile = examine(each)
    assert (status, makefile["line"], makefile["included"]) == (1, False, False)
    assert any("setup --add" in text for text in makefile["findings"])
    assert recorded(each, "all") == set()


def test_a_line_without_its_fragment_records_nothing(project: Project) -> None:
    project.write("all:\n\t@echo all\n", line="-include $(if $(wildcard ~/no/metrics.mk),~/no/metrics.mk)")
    status, makefile = examine(project)
    assert (status, makefile["line"], makefile["included"]) == (1, True, False)


def test_an_ordinary_makefile_is_measured(each: Project) -> None:
    each.write("all: a\n\t@echo all\na:\n\t@echo a\n")
    status, makefile = examine(each, "a")
    assert (status, makefile["hook"], makefile["left"], makefile["targets"]) == (0, "shell", [], 2)
    assert makefile["target"]["measured"]
    assert makefile["last_run"] is None
    assert recorded(each, "all") == {"all", "a"}
    status, makefile = examine(each)
    assert makefile["last_run"]["goals"] == ["all"]


@pytest.mark.parametrize("setting", ["SHELL := /usr/bin/python3", "SHELL := /bin/bash -l", "SHELL = /bin/zsh"])
def test_a_shell_that_is_declined_is_bad_and_said(each: Project, setting: str) -> None:
    each.write(f"{setting}\nUSE := $(SHELL)\nall:\n\t@:\n")
    status, makefile = examine(each, "all")
    assert (status, makefile["hook"], makefile["target"]["measured"]) == (1, None, False)
    assert setting.split("= ")[1] in makefile["why"]
    assert "bash" in makefile["change"]
    each.make("all")
    assert each.events() == {}


@pytest.mark.parametrize(
    "setting", ["SHELL := /bin/bash -l", "SHELL = ./own", "SHELL = $(info $@)sh", "SHELLCHECK = x\nSHELL := bash -x"]
)
def test_any_shell_is_measured_that_no_recipe_uses(each: Project, setting: str) -> None:
    (each.folder / "own").write_text('#!/bin/sh\nexec /bin/sh "$@"\n')
    (each.folder / "own").chmod(0o755)
    each.write(f"{setting}\nall:\n\t@:;:\n")
    status, makefile = examine(each)
    if makefile["make_version"] in ("3.81", "3.82", "4.0", "4.1"):
        pytest.skip("this make cannot look whether a makefile uses SHELL")
    assert (status, makefile["hook"]) == (0, "shell")
    assert recorded(each) == {"all"}


def test_a_makefile_that_uses_shell_has_the_flags_hook(each: Project) -> None:
    each.write("USE := $(SHELL)\nall:\n\t@echo all\n")
    status, makefile = examine(each)
    assert (status, makefile["hook"]) == (0, "flags")
    assert "Makefile uses SHELL" in makefile["why"]
    assert recorded(each) == {"all"}


SOME_LEFT = """
METRICS_SKIP := skipped gen-%
all: plain skipped gen-a python other
\t@echo all
plain skipped gen-a other:
\t@echo $@
python: SHELL := /usr/bin/python3
python:
\t@print("python")
other: .SHELLFLAGS := -ec
many: {}
\t@echo many
{}: ;
"""


def test_targets_that_are_left_to_make_are_named(each: Project) -> None:
    names = " ".join(f"n{number:050}" for number in range(1500))
    each.write(SOME_LEFT.format(names, names))
    status, makefile = examine(each)
    assert status == 0
    assert {left["target"] for left in makefile["left"]} == {"skipped", "gen-a", "python", "other", "many"}
    assert recorded(each, "all", "many") == {"all", "plain"}
    for target, found in (("plain", 0), ("skipped", 1), ("gen-a", 1), ("python", 1), ("other", 1), ("many", 1)):
        assert examine(each, target)[0] == found, target


def test_if_all_is_left_to_make_that_is_bad(project: Project) -> None:
    project.write("METRICS_SKIP = %\nall:\n\t@echo all\n")
    assert examine(project)[0] == 1
    assert recorded(project) == set()


def test_a_pattern_of_targets_with_a_shell_of_its_own(each: Project) -> None:
    each.write("py-%: SHELL := /usr/bin/python3\npy-a:\n\t@print(1)\nb:\n\t@echo b\n")
    assert [left["target"] for left in examine(each)[1]["left"]] == ["py-a"]
    assert recorded(each, "py-a", "b") == {"b"}


def test_a_makefile_read_after_the_line(each: Project) -> None:
    each.write("all:\n\t@echo all\n")
    (each.folder / "later.mk").write_text("X := $(SHELL)\n")
    (each.folder / "Makefile").write_text((each.folder / "Makefile").read_text() + "include later.mk\n")
    status, makefile = examine(each)
    assert (status, makefile["hook"]) == (1, None)
    assert "later.mk" in makefile["why"]
    assert recorded(each) == set()


@pytest.mark.parametrize("after", ["SHELL = /bin/sh", ".SHELLFLAGS = -c"])
def test_what_is_set_after_the_line(each: Project, after: str) -> None:
    each.write("X := $(SHELL)\nall:\n\t@echo all\n" if "FLAGS" in after else "all:\n\t@echo all\n")
    (each.folder / "Makefile").write_text((each.folder / "Makefile").read_text() + f"{after}\n")
    status, makefile = examine(each)
    assert (status == 0) is bool(recorded(each)), makefile


SIDE_EFFECTS = """
all: a
\t+@touch ran-plus
\t@$(MAKE) -C . other; touch ran-make
a:
\t@touch ran-line
other: ;
made.mk: template
\ttouch $@ ran-remade
template: ; touch $@ ran-template
include made.mk
"""


@pytest.mark.parametrize("goal", [[], ["all"], ["a"], ["made.mk"]], ids=str)
def test_doctor_runs_and_remakes_nothing(each: Project, goal: list[str]) -> None:
    each.write(SIDE_EFFECTS)
    before = sorted(path.name for path in each.folder.iterdir())
    examine(each, *goal)
    assert sorted(path.name for path in each.folder.iterdir()) == before
    (each.folder / "made.mk").touch()
    (each.folder / "template").touch()
    before = sorted(path.name for path in each.folder.iterdir())
    assert examine(each, *goal)[1]["included"]
    assert sorted(path.name for path in each.folder.iterdir()) == before


def test_a_makefile_that_stops_make(project: Project) -> None:
    project.write("$(error run ./configure first)\n")
    status, makefile = examine(project)
    assert (status, "run ./configure first" in makefile["stopped"]) == (1, True)


def test_recording_off_is_a_note(project: Project) -> None:
    project.write("all:\n\t@echo all\n")
    project.cli("off")
    status, makefile = examine(project)
    assert status == 0
    assert any("note hook: none: recording is off" in text for text in makefile["findings"])


def test_another_directory_and_a_misspelt_target(project: Project, tmp_path: Path) -> None:
    project.write("build:\n\t@echo build\n")
    (tmp_path / "elsewhere").mkdir()
    project.write("nothing:\n", name="elsewhere/Makefile", line="")
    assert examine(project, "-C", "elsewhere")[0] == 1
    status, makefile = examine(project, "biuld")
    assert status == 0
    assert "did you mean build?" in makefile["target"]["reason"]


def test_doctor_below_a_make_reads_as_elsewhere(each: Project) -> None:
    """MAKEFLAGS and the job server of the make above are not its own."""
    each.write('all:\n\t+@"$$PYTHON" -m make_metrics doctor >said\n')
    set_up(each.paths)
    done = each.make("-j2", "-k", env=each.environment(PYTHON=sys.executable, PYTHONPATH=str(SOURCE)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok    hook         shell" in (each.folder / "said").read_text()


def test_remake_is_left_alone_and_doctor_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    remake = shutil.which("remake")
    if remake is None:
        pytest.skip("no remake here")
    project.write("all:\n\t@echo all; :\n")
    _, makefile = examine(project)
    assert any(text.startswith(f"note remake: {remake} calls itself 4") for text in makefile["findings"])
    (project.folder / "bin").mkdir()
    (project.folder / "bin/make").symlink_to(remake)
    monkeypatch.setenv("PATH", f"{project.folder}/bin:{os.environ['PATH']}")
    status, makefile = examine(project, "all")
    assert (status, makefile["hook"], makefile["target"]["measured"]) == (1, None, False)
    assert "+dbg" in makefile["why"]
    assert "is not among the versions that are measured" in makefile["why"]
    assert not any(" remake: " in text for text in makefile["findings"])
    assert Project(project.folder, project.home, remake).make().stdout == "all\n"
    assert project.events() == {}


def test_mdsh_as_shell_is_measured_or_named(each: Project) -> None:
    """A debugging shell such as mdsh is an own program in front of the lines."""
    mdsh = each.folder / "mdsh"
    mdsh.write_text(f'#!{sys.executable}\nimport os, sys\nos.execv("/bin/sh", ["sh", *sys.argv[1:]])\n')
    mdsh.chmod(0o755)
    each.write("SHELL := ./mdsh\nall:\n\t@echo all; :\n")
    makefile = examine(each)[1]
    measured = {"all"} if makefile["hook"] else set()
    assert recorded(each) == measured
    each.write("SHELL := ./mdsh\nUSE := $(SHELL)\nother:\n\t@echo other; :\n")
    status, makefile = examine(each, "other")
    assert (status, makefile["hook"], makefile["target"]["measured"]) == (1, None, False)
    assert makefile["why"].startswith("SHELL is ./mdsh")
    assert recorded(each) == measured
    each.write("own: SHELL := ./mdsh\nown:\n\t@echo own; :\n")
    status, makefile = examine(each, "own")
    assert (status, [left["target"] for left in makefile["left"]]) == (1, ["own"])
    assert recorded(each) == measured


def test_a_make_that_nothing_is_recorded_of_is_not_blamed_on_a_variable(each: Project) -> None:
    each.write(".POSIX:\nall:\n\t@echo all; :\n")
    _, makefile = examine(each)
    assert "a makefile sets" not in makefile["why"]


@pytest.mark.parametrize("place", ["the fragment", "another makefile"])
def test_make_is_not_run_where_it_would_wait_for_a_pipe(project: Project, place: str) -> None:
    project.write("include rules.mk\nall:\n\t@echo all\n")
    rules = project.folder / "rules.mk"
    rules.touch()
    assert examine(project)[0] == 0
    pipe = project.paths.fragment if place == "the fragment" else rules
    pipe.unlink()
    os.mkfifo(pipe)
    status, makefile = examine(project)
    assert status == 1
    assert [text for text in makefile["findings"] if " Makefile: make waits for " in text and pipe.name in text]
    is_fragment = any(f"{pipe} is not a file, and make may wait" in text for text in makefile["findings"])
    assert is_fragment == (place == "the fragment")
