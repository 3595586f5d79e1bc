"""Makes older than 4.3: a build is what plain make makes of it, in each version's own way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project, old_makes

VERSIONS = ("3.81", "3.81-apple", "4.0", "4.1", "4.2.1")
# Programs that cannot be started, and words that are shell builtins for some versions of make only.
TROUBLE = "all:\n" + "".join(
    f"\t-{line}\n"
    for line in (
        "nothere x", "./nothere", "./noexec", "/usr", "noexec/x", "./script x", "type ls", "command true", "hash ls",
        "ulimit -c", "unset A", "return 3", "fg", "getopts a b", "alias", "'' x", "cd /", "exit 3", "test -d .", "true",
    )
)  # fmt: skip


def project_with(version: str, tmp_path: Path, home: Path, *, compiled: bool) -> Project:
    make = old_makes().get(version)
    if make is None:
        pytest.skip(f"no make {version} here (ci/makes)")
    project = Project(tmp_path / "project", home, make, compiled=compiled)
    (project.folder / "noexec").write_text("")
    (project.folder / "script").write_text("echo script $#\n")
    (project.folder / "script").chmod(0o755)
    return project


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path, home: Path, compiled: bool) -> Project:
    """A project for each old make that is here, with both shims."""
    return project_with(request.param, tmp_path, home, compiled=compiled)


@pytest.fixture(params=["3.81", "3.81-apple"])
def oldest(request: pytest.FixtureRequest, tmp_path: Path, home: Path, compiled: bool) -> Project:
    return project_with(request.param, tmp_path, home, compiled=compiled)


def compare(project: Project, text: str, *words: str, **environment: str) -> tuple[str, str, int]:
    """Output, errors and status of a makefile, once it is sure that they are the same with the line and without."""
    outcomes = []
    for line in ("", project.line):
        project.write(text, line=line)
        done = project.make(*words, env=project.environment(**environment))
        outcomes.append((done.stdout, done.stderr, done.returncode))
    plain, ours = outcomes
    assert ours == plain
    return plain


def targets(project: Project) -> list[str]:
    return [event.target for event in project.recorded()]


@pytest.mark.parametrize("words", [(), ("-O", "-j2"), ("-Oline",)], ids=" ".join)
def test_a_program_that_cannot_be_started_fails_in_the_words_of_this_make(old: Project, words: tuple[str, ...]) -> None:
    if words and "3.81" in old.make_path:
        pytest.skip("3.81 has no -O")
    _, errors, _ = compare(old, TROUBLE, *words)
    assert "rror " in errors
    assert targets(old) == ["all"]


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/dash", "/usr/bin/env bash"])
def test_a_makefiles_own_shell_starts_what_this_make_does_not_start_itself(old: Project, shell: str) -> None:
    compare(old, f"SHELL := {shell}\n{TROUBLE}")
    compare(old, f"all: SHELL = {shell}\n{TROUBLE}")


def test_make_that_has_no_shell_in_its_environment_builds_and_is_recorded(oldest: Project) -> None:
    assert "SHELL" not in oldest.environment()
    output, _, status = compare(oldest, "all: ; @echo hello; env | grep -c ^SH\n\tnothere\n")
    assert (output.splitlines()[:2], status) == (["hello", "0"], 2)
    assert targets(oldest) == ["all"]


@pytest.mark.parametrize("variables", [{}, {"SHELL": "/bin/login"}], ids=["no-SHELL", "SHELL"])
@pytest.mark.parametrize(
    "text",
    [
        "all: ; @echo '$(SHELL)'; env | grep SHELL; :\n",
        "all: ; $(SHELL) -c 'echo $$0'\n",
        "all: ; @$(MAKE) -f other SHELL=$(SHELL)\n",
        "export SHELL\nall: ; @env | grep SHELL; :\n",
        "export\nall: ; @env | grep SHELL; :\n",
        ".EXPORT_ALL_VARIABLES:\nall: ; @env | grep SHELL; :\n",
        "include other.mk\nall: ; @echo $(COMMAND)\n",
        "SHELL := /bin/bash\nall: ; @echo $(SHELL) $$0 $(flavor SHELL) $(origin SHELL)\n",
        "SHELL = /bin/bash\nall: ; @echo $(value SHELL) $(flavor SHELL)\n",
    ],
)
def test_a_makefile_that_shows_shell_is_left_to_make(oldest: Project, text: str, variables: dict[str, str]) -> None:
    (oldest.folder / "other").write_text("all: ; @echo $(SHELL) $$0\n")
    (oldest.folder / "other.mk").write_text("COMMAND = $${SHELL:-${SHELL}} x\n")
    compare(oldest, text, **variables)
    assert oldest.recorded() == []


@pytest.mark.parametrize(
    "text",
    [
        "SHELL := /bin/bash\nall: ; @echo $$0\n",
        "SHELL = /bin/bash\n.SHELLFLAGS = -ec\n.ONESHELL:\nall: ; @echo $$0\n",
        "# SHELL\nCONFIG_SHELL = /bin/sh\nall: ; @echo $(CONFIG_SHELL) $(SHELLCHECK)\n",
        "export CFLAGS\nall: ; @env | grep -c ^SH; :\n",
    ],
)
def test_a_makefile_that_only_sets_shell_is_measured(oldest: Project, text: str) -> None:
    compare(oldest, text)
    assert targets(oldest) == ["all"]


@pytest.mark.parametrize("value", ["", "$(e)", "$(e) $(e)"])
def test_an_empty_shell_is_left_to_make(oldest: Project, value: str) -> None:
    """GNU make 3.81 then runs the flags as a program; Apple's takes its default shell."""
    compare(oldest, f"e :=\nSHELL := {value}\nall:\n\t-echo $(HOME); true\n\t-echo simple\n")


def test_4_0_reads_a_goal_with_characters_that_are_not_ascii(tmp_path: Path, home: Path, compiled: bool) -> None:
    project = project_with("4.0", tmp_path, home, compiled=compiled)
    compare(project, "plain:\n%: ; @echo $@ $(words $(MAKEFILE_LIST))\n", "a\N{EN DASH}b")
    assert project.recorded() == []


def test_names_of_any_length_leave_3_81_as_it_is(oldest: Project) -> None:
    """It frees a value that "eval" replaces while it is expanded, and reads on in a new one of the same size."""
    fragment = oldest.paths.fragment.read_text()
    state = str(oldest.paths.state)
    for length in range(16, 180, 3):
        goal = "g" * length
        longer = state + "/." * (length // 2)
        oldest.paths.fragment.write_text(fragment.replace(f"baked.state := {state}\n", f"baked.state := {longer}\n"))
        oldest.write(f"{goal}: ; @echo made; true\n")
        done = oldest.make()
        assert (done.stdout, done.stderr, done.returncode) == ("made\n", "", 0), length
    assert len(targets(oldest)) == len(range(16, 180, 3))


def test_make_3_81_gives_its_job_server_the_same_numbers(oldest: Project) -> None:
    """It keeps directories open that it has searched for a file: the next numbers would be others."""
    assert "--jobserver-fds=3,4" in compare(oldest, "all: ; @echo '$(MAKEFLAGS)'; true\n", "-j2", "-k")[0]


@pytest.mark.parametrize("option", ["--no-print-directory", "--warn-undefined-variables", ""])
def test_make_3_81_records_no_dry_run_with_a_long_option(oldest: Project, option: str) -> None:
    oldest.write("all: ; +@echo made; true\n")
    for letter, expected in (("-n", []), ("-q", []), ("-k", ["all"])):
        oldest.make(letter, *option.split())
        assert targets(oldest) == expected
