"""The first hour of a new user: a truly empty home, no variable of ours, set-up as README says, make, report."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import SOURCE

MAKEFILE = "all: lib\n\t@echo all\nlib:\n\t@echo lib; true\n"


class NewUser:
    """Somebody with an empty home, who runs commands in a project's folder."""

    def __init__(self, folder: Path, make: str, *, compiled: bool) -> None:
        self.home, self.project, self.make_path = folder / "fresh", folder / "project", make
        self.compiled = compiled
        self.variables: dict[str, str] = {}
        self.home.mkdir(mode=0o700)
        self.project.mkdir()
        (self.project / "Makefile").write_text(MAKEFILE)

    def run(self, *words: str) -> str:
        """Run a command, which must succeed; what it prints, standard error last."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **self.variables}
        env |= {"PYTHONPATH": str(SOURCE)} if words[0] == sys.executable else {}
        done = subprocess.run(words, cwd=self.project, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def command(self, *words: str) -> str:
        """Run a make-metrics command."""
        return self.run(sys.executable, "-m", "make_metrics", *words)

    def set_up(self) -> None:
        """Set up as README says; without the compiled fast path where that is to be tried."""
        self.command("setup", "--add")
        if not self.compiled:
            (fragment,) = self.home.rglob("metrics.mk")
            lines = fragment.read_text().splitlines(keepends=True)
            text = "".join(".metrics.baked.launcher :=\n" if "baked.launcher :=" in line else line for line in lines)
            fragment.write_text(text)

    def make(self) -> None:
        assert self.run(self.make_path) == "lib\nall\n"

    def recorded(self) -> dict[str, int]:
        """How often each target was recorded, as the report tells."""
        return {
            line.split()[0]: int(line.split()[2 if line.split()[1] == "goal" else 1])
            for line in self.command("report").splitlines()
            if line.split()[:1] in (["all"], ["lib"])
        }


@pytest.fixture
def user(tmp_path: Path, any_make: str, compiled: bool) -> NewUser:
    return NewUser(tmp_path, any_make, compiled=compiled)


def test_set_up_make_report(user: NewUser) -> None:
    user.set_up()
    user.make()
    user.make()
    assert user.recorded() == {"all": 2, "lib": 2}


def test_in_ci_after_on_this_machine(user: NewUser) -> None:
    user.variables = {"CI": "true"}
    user.set_up()
    user.command("on-this-machine")
    user.make()
    assert user.recorded() == {"all": 1, "lib": 1}


def test_directories_that_are_not_there_yet(user: NewUser, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    user.variables = {
        f"XDG_{name.upper()}_HOME": str(elsewhere / name) for name in ("data", "config", "state", "cache")
    }
    user.set_up()
    user.make()
    assert user.recorded() == {"all": 1, "lib": 1}
    assert not (user.home / ".local/state").exists()


@pytest.mark.parametrize("gone", [".local/state", ".local/state/make-metrics", ".config"])
def test_a_directory_that_was_removed_after_set_up_is_made_again(user: NewUser, gone: str) -> None:
    user.set_up()
    shutil.rmtree(user.home / gone, ignore_errors=True)
    user.make()
    assert user.recorded() == {"all": 1, "lib": 1}


def test_a_home_that_appears_after_login(user: NewUser) -> None:
    """An automounted home, or an encrypted one: until it is there the build is as without us."""
    user.set_up()
    aside = user.home.with_name("aside")
    user.home.rename(aside)
    user.make()
    assert not user.home.exists()
    aside.rename(user.home)
    shutil.rmtree(user.home / ".local/state")
    user.make()
    assert user.recorded() == {"all": 1, "lib": 1}


def test_a_contributor_who_has_a_checkouts_line_and_no_set_up_is_as_without_us(user: NewUser) -> None:
    user.set_up()
    shutil.rmtree(user.home / ".local")
    user.make()
    assert not (user.home / ".local").exists()
