"""What the walk finds: goals on a command line, flags, what is checked out, and makes above."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from make_metrics.combine import record
from make_metrics.hot import arguments
from make_metrics.processes import command_line, tree
from make_metrics.project import git_head
from make_metrics.walk import header, start
from tests.hot.test_hot_path import loaded
from tests.support.project import SOURCE, Project, started, until


@pytest.mark.parametrize(
    ("line", "goals"),
    [
        ("make", ()),
        ("make all", ("all",)),
        ("make a b a", ("a", "b")),
        ("make -j all", ("all",)),
        ("make -j 4 all", ("all",)),
        ("make -j4 all", ("all",)),
        ("make -kj 4 -l 2.5 all", ("all",)),
        ("make -C sub -f other.mk x", ("x",)),
        ("make -Csub -fother.mk x", ("x",)),
        ("make -I inc -o old -W new -E x:=1 goal", ("goal",)),
        ("make -O goal", ("goal",)),
        ("make -Oline -s goal", ("goal",)),
        ("make --jobs 4 --directory sub --file=m goal", ("goal",)),
        ("make --dir sub --jobs goal", ("goal",)),
        ("make --output-sync goal --no-print-directory", ("goal",)),
        ("make CC=gcc A:=1 goal", ("goal",)),
        ("make -- -odd -C", ("-odd", "-C")),
        ("make -- ", ()),
        ("make ./here", ("./here",)),
        ("make -", ("-",)),
    ],
)
def test_goals_of_a_command_line(line: str, goals: tuple[str, ...]) -> None:
    assert command_line.goals(line.split(" ")) == goals


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("make", -1),
        ("make -j4 all", 4),
        ("make -j 4 all", 4),
        ("make -kj 4 -l 2.5 all", 4),
        ("make -j all", -1),
        ("make --jobs=3 all", 3),
        ("make --job 3", 3),
        ("make -Cj4 -f j5 x", -1),
        ("make -C -j4 --directory -j5", -1),
        ("make --just-print all", -1),
        ("make -j2 -j8", 8),
        ("make -- -j4", -1),
    ],
)
def test_jobs_of_a_command_line(line: str, number: int) -> None:
    assert command_line._jobs_of_command(line.split(" ")) == number


@pytest.mark.parametrize(
    ("makeflags", "line", "number"),
    [
        ("", "make -j1", 1),
        ("k", "make -k", 1),
        (" -j1", "make -j1", 1),
        (" -j4 --jobserver-auth=3,4", "make", 4),
        (" -j", "make -j", 0),
        (" --jobserver-fds=3,4 -j", "make -j 6", 6),
        (" --jobserver-fds=3,4 -j", "make", -1),
    ],
)
def test_jobs_of_a_make(makeflags: str, line: str, number: int) -> None:
    assert command_line.jobs(makeflags, line.split()) == number


@pytest.mark.parametrize("words", ["-j4 b a", "-k --jobs=3 b", "-C . -f Makefile X=1 a", "-l 9 -s -I . b", "--dir . a"])
def test_make_reads_a_command_line_as_we_do(each: Project, words: str) -> None:
    each.write("a b all: ;\n$(info $(MAKECMDGOALS))\n", line="")
    said = each.make("--no-print-directory", *words.split()).stdout.splitlines()[0]
    assert command_line.goals([each.make_path, *words.split()]) == tuple(said.split())


@pytest.mark.parametrize(
    ("makeflags", "expected"),
    [
        ("", (False, False, False)),
        ("k", (False, True, False)),
        ("ki -j4 --jobserver-auth=3,4", (True, True, True)),
        (" -j4 --jobserver-auth=fifo:/tmp/x -- K=1", (True, False, False)),
        ("-j1", (False, False, False)),
        (" -j", (True, False, False)),
        ("w -- i=k", (False, False, False)),
        ("-Oline", (False, False, False)),
        ("k -Oline -j2", (True, True, False)),
        ("--no-print-directory", (False, False, False)),
    ],
)
def test_flags(makeflags: str, expected: tuple[bool, bool, bool]) -> None:
    assert tuple(command_line.flags(makeflags).values()) == expected


@pytest.mark.parametrize(
    "words", [["-j3", "-k"], ["-i"], ["-Oline"], ["-Otarget", "-k"], ["-j3", "-Onone"], ["-k"], ["-s"], []]
)
def test_flags_of_a_real_make(each: Project, words: list[str]) -> None:
    each.write('all:\n\t@echo "$$MAKEFLAGS"; :\n', line="")
    found = command_line.flags(each.make(*words).stdout.strip())
    assert found == {"parallel": "-j3" in words, "keep_going": "-k" in words, "ignore_errors": "-i" in words}


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


@pytest.mark.parametrize("name", start.LATER)
def test_a_module_that_is_loaded_later_is_the_module(name: str) -> None:
    code = f"""
import sys
sys.path += {[str(SOURCE), str(Path(psutil.__file__).parent.parent)]!r}
from make_metrics.walk import start as walk
sys.modules.pop({name!r}, None)
later = sys.modules[{name!r}] = walk.Later({name!r})
import {name} as first
assert first is later
names = first.__all__
import {name} as second
assert second is not later and type(second) is type(sys)
assert all(getattr(first, name) is getattr(second, name) for name in names)
from {name} import *
import psutil
assert psutil.Process().cmdline()
"""
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


class TestHead:
    """What is checked out, as git itself says it."""

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        tree = tmp_path / "tree"
        (tree / "sub/folder").mkdir(parents=True)
        git(tree, "init", "-q", "-b", "trunk/one")
        git(tree, "commit", "-q", "--allow-empty", "-m", "one")
        return tree

    def test_branch(self, tree: Path) -> None:
        commit = git(tree, "rev-parse", "HEAD")
        assert git_head.read_head(str(tree / "sub/folder")) == (str(tree), commit, "trunk/one")

    def test_packed(self, tree: Path) -> None:
        git(tree, "pack-refs", "--all")
        assert git_head.read_head(str(tree)) == (str(tree), git(tree, "rev-parse", "HEAD"), "trunk/one")

    def test_detached(self, tree: Path) -> None:
        git(tree, "checkout", "-q", "--detach")
        assert git_head.read_head(str(tree)) == (str(tree), git(tree, "rev-parse", "HEAD"), "")

    def test_linked_work_tree(self, tree: Path) -> None:
        git(tree, "worktree", "add", "-q", "-b", "two", "../other")
        git(tree, "commit", "-q", "--allow-empty", "-m", "only on one")
        other = tree.parent / "other"
        git(other, "commit", "-q", "--allow-empty", "-m", "two")
        assert git_head.read_head(str(other)) == (str(other), git(other, "rev-parse", "HEAD"), "two")

    def test_nothing_committed(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "-q", "-b", "main")
        assert git_head.read_head(str(tmp_path)) == (str(tmp_path), "", "main")

    @pytest.mark.parametrize("damage", ["", "ref:", "garbage \x00", "ref: refs/heads/../../../../etc/passwd"])
    def test_damaged(self, tree: Path, damage: str) -> None:
        (tree / ".git/HEAD").write_text(damage)
        assert git_head.read_head(str(tree)).commit in ("", damage.strip())

    def test_no_repository(self) -> None:
        assert git_head.read_head("/") == ("", "", "")


def test_the_walk_loads_nothing_to_find_that_nothing_was_decided(tmp_path: Path) -> None:
    """A first line may wait for it; the one hash for a project with settings does without hashlib."""
    (tmp_path / "asking").mkdir()
    (tmp_path / "asking" / "make-metrics.toml").write_text('name = "Example"')
    environ = {"MAKE_METRICS_HOME": str(tmp_path / "home")}
    for folder in ("", "asking"):
        found = loaded(
            "from make_metrics.consent import gate; from make_metrics.project.root import find_root\n"
            f"project, environ = find_root({str(tmp_path / folder)!r}), {environ!r}\n"
            "assert not gate.recording_forbidden(project, environ)\n"
            "assert not gate.may_invite(project, environ, now_ns=1)"
        )
        heavy = {"hashlib", "json", "pathlib", "typing", "dataclasses", "enum", "tomllib", "re"}
        assert not found & heavy


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


def test_the_target_is_read_from_the_shims_own_words(project: Project) -> None:
    project.write("z%>w:\n\t@echo $$$$; read line\n")
    with started(project.start("z1>w", stdin=subprocess.PIPE)) as make:
        assert make.stdout is not None
        shell = psutil.Process(int(make.stdout.readline()))
        shim = shell.parent()
        assert shim is not None
        assert tree.target_of(shim) == "z1>w"
        assert tree.target_of(shell) == ""
        words = [os.fsencode(word) for word in shim.cmdline()]
        assert {arguments.PROTOCOL, tree.rotate(arguments.PROTOCOL)}.intersection(words)


def test_turned_words_are_turned_back() -> None:
    word = bytes(range(1, 256))
    assert tree.rotate(tree.rotate(word)) == word
    assert tree.rotate(b"mm1 Stop-9/\xff") == b"zz6 Fgbc-4/\xff"


class TestEnvironment:
    """What the walk takes for a make's environment, and what a makefile's own changes to it come to."""

    @pytest.mark.parametrize("told", [{}, None])
    def test_one_that_is_not_told_is_what_recipes_have(
        self, monkeypatch: pytest.MonkeyPatch, told: dict[str, str] | None
    ) -> None:
        process = psutil.Process()

        def environ(_: psutil.Process) -> dict[str, str]:
            if told is None:
                raise psutil.AccessDenied(process.pid)
            return told

        monkeypatch.setattr(psutil.Process, "environ", environ)
        monkeypatch.setenv("MAKE_METRICS", "local")
        assert header.initial_environment(process) == dict(os.environ)
        assert header.ceiling_of(header.initial_environment(process)) == "local"
        monkeypatch.delenv("MAKE_METRICS")
        assert header.ceiling_of(header.initial_environment(process)) == "on"

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
    def test_what_a_makefile_changes_can_only_reduce(self, project: Project, text: str, allowed: str) -> None:
        project.write(f"{text}all:\n\t@:\n")
        assert project.make().returncode == 0
        until(lambda: any(b"\nM " in path.read_bytes() for path in self.records(project)))
        makes = [make for path in self.records(project) for make in record.parse(path.read_bytes()).makes]
        assert {make.ceiling for make in makes} == {allowed}

    def records(self, project: Project) -> list[Path]:
        """Also where a makefile has moved them to."""
        return sorted(project.home.rglob("*.rec"))
