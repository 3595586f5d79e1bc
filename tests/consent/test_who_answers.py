"""A recipe cannot say yes: neither with --yes, nor by answering the question in a terminal that it opens itself."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pexpect
import pytest

from make_metrics.project.settings import NAME
from tests.support.project import SOURCE
from tests.support.sharing_project import Sharing, ended

OPT_IN = f"{sys.executable} -m make_metrics opt-in"
CRASHES = f"{sys.executable} -m make_metrics crash-reports on"
DSN = 'crash-reports-dsn = "https://abc@crashes.example.org/42"\n'


def environment(sharing: Sharing, **more: str) -> dict[str, str]:
    return {**sharing.project.environment(), "PYTHONPATH": str(SOURCE), **more}


def spawned(sharing: Sharing, *words: str, **more: str) -> pexpect.spawn[str]:
    """A command in the foreground of a terminal."""
    return pexpect.spawn(
        words[0], list(words[1:]), cwd=str(sharing.project.folder), env=environment(sharing, **more),
        encoding="utf-8", timeout=60, dimensions=(24, 80),
    )  # fmt: skip


def has_said_yes(sharing: Sharing) -> bool:
    return any(path.is_file() for path in sharing.paths.config.rglob("*.json"))


@pytest.mark.parametrize("command", [OPT_IN, CRASHES])
@pytest.mark.parametrize(
    "recipe",
    [
        "@{} --yes >/dev/null",
        "@env -u MAKELEVEL {} --yes",
        "@env -u MAKELEVEL CI=1 {} --yes",
        "@env -u MAKELEVEL CI=1 setsid -w {} --yes",
        "@python3 -c 'import os,sys; sys.exit(os.waitstatus_to_exitcode(os.system(\"{} --yes\")))'",
        "@CI=1 setsid --fork --wait {} --yes",
    ],
)
def test_a_recipe_cannot_agree(sharing: Sharing, command: str, recipe: str) -> None:
    sharing.settings(DSN)
    sharing.project.write(f"deps:\n\t{recipe.format(command)}\n")
    for environ in ({}, {"CI": "true"}):
        said, status = ended(spawned(sharing, sharing.project.make_path, "deps", **environ))
        assert status == 2
        assert "a recipe cannot say yes for you" in said
        assert not has_said_yes(sharing)
    done = sharing.project.make("deps", env=environment(sharing))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("make-metrics: ") == 1
    assert not has_said_yes(sharing)


@pytest.mark.skipif(not shutil.which("script"), reason="needs script(1)")
@pytest.mark.parametrize("command", [OPT_IN, CRASHES])
@pytest.mark.parametrize(
    "answered", ["(sleep 1; echo y) | script -qec '{}' /dev/null", "script -qec 'yes | {}' /dev/null"]
)
def test_a_recipe_cannot_answer_in_a_terminal_of_its_own(sharing: Sharing, command: str, answered: str) -> None:
    sharing.settings(DSN)
    sharing.project.write(f'deps:\n\t@env -u MAKELEVEL sh -c "{answered.format(command)}"\n')
    assert sharing.project.make("deps", env=environment(sharing)).returncode == 2
    assert ended(spawned(sharing, sharing.project.make_path, "deps"))[1] == 2
    assert not has_said_yes(sharing)


@pytest.mark.parametrize("words", [["opt-in"], ["crash-reports", "on"]], ids=" ".join)
def test_without_a_terminal_only_ci_agrees_unasked(sharing: Sharing, words: list[str]) -> None:
    sharing.settings(DSN)
    command = [sys.executable, "-m", "make_metrics", *words, "--yes"]

    def run(**environ: str) -> subprocess.CompletedProcess[str]:
        return sharing.project.run(command, env=environment(sharing, **environ), start_new_session=True)

    done = run()
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"run make-metrics {' '.join(words)} in a terminal" in done.stderr
    assert not has_said_yes(sharing)
    assert run(MAKELEVEL="1", CI="true").returncode == 1
    assert not has_said_yes(sharing)
    assert run(CI="true").returncode == 0
    assert has_said_yes(sharing)


def test_in_the_background_of_a_terminal_nobody_agrees(sharing: Sharing) -> None:
    """A recipe that leaves a process behind until make has ended has lost both its level and its ancestor."""
    terminal = spawned(sharing, "/bin/bash", "--norc", "-i")
    terminal.sendline(f"set -m; ({OPT_IN} --yes 2>&1 | cat; echo ended:) & wait")
    terminal.expect("only for CI.*ended:\r\n")
    terminal.sendeof()
    assert not has_said_yes(sharing)


def test_a_person_agrees_unasked_in_a_terminal(sharing: Sharing) -> None:
    said, status = ended(spawned(sharing, "/bin/sh", "-c", f"{OPT_IN} --yes </dev/null >said 2>&1"))
    assert (said, status) == ("", 0), (sharing.project.folder / "said").read_text()
    assert has_said_yes(sharing)


@pytest.mark.parametrize("include", ["fragment", "recipe"])
def test_the_make_target_goes_on_asking(sharing: Sharing, include: str) -> None:
    if include == "recipe":
        sharing.project.write(f"metrics-opt-in:\n\t@{OPT_IN}\n", line="")
    for answer, agreed in (("n", False), ("y", True)):
        terminal = spawned(sharing, sharing.project.make_path, "metrics-opt-in")
        terminal.expect_exact("May it be sent? [y/N")
        terminal.sendline(answer)
        assert ended(terminal)[1] == 0
        assert has_said_yes(sharing) is agreed
    assert (sharing.project.folder / NAME).exists()
