"""A makefile may change MAKEFILE_LIST, which tells what make has read: what it hides counts all the same."""

from __future__ import annotations

import pytest

from tests.support.project import Project

SHOWS = 'all: ; @echo "$(SHELL)"\n'
EXPORTS = "$(if ,$(SHELL))\nexport a-b = 1\nall: ; @printenv a-b\n"
BEFORE = {
    "emptied": "MAKEFILE_LIST :=\ninclude sub.mk\n",
    "emptied for good": "include sub.mk\nMAKEFILE_LIST :=\n",
    "the last": "include sub.mk\nMAKEFILE_LIST := $(lastword $(MAKEFILE_LIST))\n",
    "filtered": "include sub.mk\nMAKEFILE_LIST := $(filter-out Make%,$(MAKEFILE_LIST))\n",
    "the first": "include shows.mk\nMAKEFILE_LIST := $(firstword $(MAKEFILE_LIST))\n",
    "the first, indented": "include shows.mk\nifdef MAKE\n  MAKEFILE_LIST := $(word 1,$(MAKEFILE_LIST))\nendif\n",
    "the first, evaluated": "include shows.mk\n$(eval MAKEFILE_LIST := $(word 1,$(MAKEFILE_LIST)))\n",
    "another": "MAKEFILE_LIST = sub.mk\n",
    "with a blank in front": "MAKEFILE_LIST := $() sub.mk\n",
}


def compare(project: Project, text: str, *words: str, behind: str = "", name: str = "Makefile") -> None:
    """Plain make and ours print the same, and something."""
    (project.folder / "sub.mk").write_text("X = 1\n")
    (project.folder / "shows.mk").write_text('all: shown\nshown: ; @echo "$(SHELL)"\n')
    (project.folder / "behind.mk").write_text('below: ; @echo "$(SHELL)"\n')
    printed = []
    for line in ("", project.line):
        project.write(text, name=name, line=f"{line}\n{behind}")
        done = project.make("-s", *words)
        printed.append((done.returncode, done.stdout, done.stderr))
    assert printed[0] == printed[1]
    assert printed[0][:1] == (0,)
    assert printed[0][1]


@pytest.mark.parametrize("recipe", [SHOWS, EXPORTS], ids=["shows", "exports"])
@pytest.mark.parametrize("case", BEFORE)
def test_a_list_that_is_changed_before_the_line_hides_nothing(each: Project, case: str, recipe: str) -> None:
    compare(each, BEFORE[case] + recipe)


@pytest.mark.parametrize("case", BEFORE)
def test_nor_in_a_makefile_of_another_name(each: Project, case: str) -> None:
    compare(each, BEFORE[case] + SHOWS, "-f", "other.mk", name="other.mk")


@pytest.mark.parametrize("case", [name for name in BEFORE if "include" in BEFORE[name]])
def test_a_list_that_is_changed_behind_the_line_hides_nothing(each: Project, case: str) -> None:
    text = BEFORE[case].replace("sub.mk", "behind.mk").replace("shows.mk", "behind.mk")
    compare(each, "all: below\nX = 1\n", behind=text)


@pytest.mark.parametrize("text", ["MAKEFILE_LIST=sub.mk", "MAKEFILE_LIST= sub.mk"])
def test_a_list_of_the_command_line_is_not_make_s(each: Project, text: str) -> None:
    compare(each, SHOWS, text)


def test_a_makefile_of_any_name_keeps_the_shell_hook(each: Project) -> None:
    each.write("include sub.mk\nall: ; @echo made\n", name="other.mk")
    (each.folder / "sub.mk").write_text("X = 1\n")
    each.write("$(info $(.metrics.hook))\n", name="asks.mk", line="")
    done = each.make("-s", "-f", "other.mk", "-f", "asks.mk")
    assert done.stdout == "shell\nmade\n"
