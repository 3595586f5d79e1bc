"""What one target sets for itself, late or through another variable, is as in plain make: IFS, PWD, make's own name."""

from __future__ import annotations

import pytest

from tests.support.project import Project

HOOKS = pytest.mark.parametrize("hook", ["", "$(if ,$(SHELL))"], ids=["shell-hook", "flags-hook"])
# With an IFS of other characters than blanks make starts a shell, which has its own words for a missing program.
IFS = """\
all: simple exported private of_pattern blank tab appended referring plain
simple exported private of_pattern blank tab appended referring plain: ; no-such-program
simple: IFS = :
exported: export IFS := :
private: private IFS := :
of_%: IFS := :
COLON = :
referring: IFS = $(COLON)
blank: IFS :=
tab: IFS = $(if ,)	$(if ,)
appended: override IFS += ,
"""
ENVIRONMENT = """\
all: a b c d
a: export PWD = /x
b: export SHLVL = 7
c: export OLDPWD = $(CURDIR)/$@
d: export _ = own
a b c d: ; printenv PWD
\t-printenv OLDPWD
\tprintenv SHLVL
\t@echo $$PWD $$OLDPWD $$SHLVL $$_
"""


def both(project: Project, text: str, *words: str, env: dict[str, str] | None = None) -> tuple[str, str, int]:
    """What plain make and make with the include line print, which must be the same; gives it, with the status."""
    outcomes = []
    for line in ("", None):
        project.write(text, line=line)
        done = project.make(*words, env={**project.environment(), **(env or {})})
        outcomes.append((done.stdout, done.stderr, done.returncode))
    assert outcomes[1] == outcomes[0]
    return outcomes[1]


@HOOKS
@pytest.mark.parametrize("late", ["", "IFS := ,", "IFS := $(if ,)"], ids=["none", "some", "empty"])
def test_an_ifs_of_a_target_decides_whether_make_starts_a_shell(each: Project, hook: str, late: str) -> None:
    _, errors, status = both(each, f"{IFS}{hook}\n{late}\n", "-k")
    assert status == 2
    assert errors.count("not found") == (7 if late == "IFS := ," else 6)
    assert len(each.events()) == 10


@HOOKS
def test_an_ifs_that_the_makefile_sets_behind_the_line_counts(each: Project, hook: str) -> None:
    outcomes = []
    for line in ("", each.line):
        each.write(f"all: ; no-such-program\n{hook}\n{line}\n", line="IFS := :")
        outcomes.append(each.make().stderr)
    assert outcomes[0] == outcomes[1]
    assert "not found" in outcomes[0]


@HOOKS
def test_a_target_may_export_what_a_second_shell_changes(each: Project, hook: str) -> None:
    both(each, f"{ENVIRONMENT}{hook}\n", "-k", env={"OLDPWD": "/usr", "SHLVL": "4"})
    assert len(each.events()) == 5


@HOOKS
def test_what_a_makefile_does_not_export_stays_away(each: Project, hook: str) -> None:
    both(each, f"unexport OLDPWD SHLVL\nall: ; -printenv OLDPWD\n\t-printenv SHLVL\n{hook}\n",
         env={"OLDPWD": "/usr", "SHLVL": "4"})  # fmt: skip
    assert len(each.events()) == 1


@HOOKS
@pytest.mark.parametrize("setting", ["MAKE_COMMAND = other", "all: MAKE_COMMAND = other"])
def test_make_says_its_own_name_whatever_make_command_says(each: Project, hook: str, setting: str) -> None:
    _, errors, _ = both(each, f"all: ; no-such-program\n{setting}\n{hook}\n")
    assert "make: no-such-program" in errors
    assert len(each.events()) == 1


@pytest.mark.parametrize("setting", ["MAKELEVEL = 3", "MAKE_VERSION = 4.2", "MAKE_VERSION = 4.4.1"])
def test_a_make_that_hides_its_level_or_version_is_left_alone(each: Project, setting: str) -> None:
    both(each, f"{setting}\nall: ; no-such-program\n")
    assert each.records() == []


def test_a_make_with_e_is_measured(each: Project) -> None:
    """With -e make says of what it has set itself that the environment overrides it."""
    both(each, "all: ; no-such-program\n", "-e")
    assert len(each.records()) == 1


@HOOKS
def test_a_library_that_a_makefile_preloads_is_loaded_as_often_as_with_plain_make(each: Project, hook: str) -> None:
    # The loader says on standard error that it is missing, once for each program that is started.
    text = "all: a b\na b: ; @echo made; true\n\techo simple\na: export LD_PRELOAD = /no-such-library.so\n"
    _, errors, _ = both(each, f"{text}{hook}\n")
    assert errors.count("no-such-library.so") == 2
    assert "b" in each.events()


def test_a_shell_that_refers_to_itself_is_told_as_plain_make_tells_it(each: Project) -> None:
    for text in ("SHELL = $(shell echo /bin/sh)", "X = $(shell echo /bin/sh)\nSHELL = $(X)"):
        _, errors, status = both(each, f"{text}\nall: ; @echo made\n")
        assert (status, "references itself" in errors) == (2, True)


def test_doctor_says_what_is_left_to_make_for_such_values(each: Project) -> None:
    each.write("MAKELEVEL = 3\nall: ; @true\n")
    assert "a makefile sets MAKELEVEL" in " ".join(each.cli("doctor").stdout.split())
    each.write("all: a b ; @true\na b: ; @true\na: export LD_PRELOAD = /x.so\n$(if ,$(SHELL))\n")
    said = " ".join(each.cli("doctor").stdout.split())
    assert "2 of 3 with a recipe are measured" in said
    assert "a: it has LD_PRELOAD of its own" in said
