"""What make was asked for: goals, jobs and flags, read as make reads them."""

from __future__ import annotations

import pytest

from make_metrics.processes import command_line
from tests.support.project import Project


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
def test_the_goals_of_a_command_line_are_its_plain_words(line: str, goals: tuple[str, ...]) -> None:
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
def test_the_last_number_of_jobs_on_a_command_line_counts(line: str, number: int) -> None:
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
def test_the_number_of_jobs_is_makeflags_or_else_the_command_lines(makeflags: str, line: str, number: int) -> None:
    assert command_line.jobs(makeflags, line.split()) == number


@pytest.mark.parametrize("words", ["-j4 b a", "-k --jobs=3 b", "-C . -f Makefile X=1 a", "-l 9 -s -I . b", "--dir . a"])
def test_a_real_make_finds_the_same_goals(each: Project, words: str) -> None:
    each.write("a b all: ;\n$(info $(MAKECMDGOALS))\n", line="")
    goals = each.make("--no-print-directory", *words.split()).stdout.splitlines()[0]
    assert command_line.goals([each.make_path, *words.split()]) == tuple(goals.split())


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
def test_flags_are_read_from_makeflags(makeflags: str, expected: tuple[bool, bool, bool]) -> None:
    assert tuple(command_line.flags(makeflags).values()) == expected


@pytest.mark.parametrize(
    "words", [["-j3", "-k"], ["-i"], ["-Oline"], ["-Otarget", "-k"], ["-j3", "-Onone"], ["-k"], ["-s"], []]
)
def test_flags_are_those_of_a_real_make(each: Project, words: list[str]) -> None:
    each.write('all:\n\t@echo "$$MAKEFLAGS"; :\n', line="")
    flags = command_line.flags(each.make(*words).stdout.strip())
    assert flags == {"parallel": "-j3" in words, "keep_going": "-k" in words, "ignore_errors": "-i" in words}


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("make all", "make all"),
        ("/usr/bin/valgrind.bin -q --log-file=o /usr/bin/make -C d all", "/usr/bin/make -C d all"),
        ("valgrind make", "make"),
        ("qemu-aarch64-static -L /sys -cpu max ./make all", "./make all"),
        ("/usr/bin/qemu-aarch64 /usr/bin/make", "/usr/bin/make"),
        ("valgrind --version", ""),
        ("/usr/bin/env make", "/usr/bin/env make"),
        ("", ""),
    ],
)
def test_a_command_line_behind_an_emulator(words: str, left: str) -> None:
    assert command_line.without_emulator(words.split()) == left.split()
