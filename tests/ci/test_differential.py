"""Generated makefiles: nothing differs in a short run, and a broken shim or fragment would be found and made small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ci.differential import compare, lines, settings
from ci.differential.__main__ import main
from ci.differential.compare import Comparer, mask
from ci.differential.generate import generate
from ci.differential.program import WORDS, Piece, Program
from ci.differential.shrink import shrink
from make_metrics.setup import fragment
from tests.support.project import makes

COUNT = 100  # programs for each make, always the same: each night new ones are tried for an hour


@pytest.mark.parametrize("make", makes().values(), ids=makes().keys())
def test_generated_makefiles_are_built_as_by_plain_make(make: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--make", make, "--count", str(COUNT), "--jobs", "1", "--seed", "1000"])
    output = capsys.readouterr().out
    assert status == 0, output
    assert " 0 differ" in output


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bash: line 1: 22504 Segmentation fault  x\n", "bash: line 1: 22512 Segmentation fault  x\n"),
        ("bash: line 1: 22504 Aborted (core dumped)\n", "bash: line 1: 22504 Aborted\n"),
        ("-rw-r--r-- 1 0 0 35 Nov 26 16:05 log\n", "-rw-r--r-- 1 0 0 35 Nov 26 16:06 log\n"),
        ("-rw-r--r-- 1 0 0 35 2026-11-26 16:05 log\n", "-rw-r--r-- 1 0 0 35 2026-11-26 16:06 log\n"),
        ("0m0.000000s 0m0.010000s\n", "0m0.000000s 0m0.000000s\n"),
        ("0.00user 0.01system 0:00.01elapsed 100%CPU (0avgtext)k\n0inputs (0major)pagefaults 0swaps\n",
         "0.00user 0.00system 0:00.00elapsed 90%CPU (0avgtext)k\n0inputs (1major)pagefaults 0swaps\n"),
    ],
)  # fmt: skip
def test_processes_and_times_are_no_difference(one: str, other: str) -> None:
    assert mask(one) == mask(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bash: line 1: 22504 Killed\n", "bash: line 1: 22504 Hangup\n"),
        ("bash: line 1: 7\n", "bash: line 1: 8\n"),
        ("line 1: 22504 x\n", "line 1: 22512 x\n"),
        ("-rw-r--r-- 1 0 0 35 Nov 26 16:05 log\n", "-rw-r--r-- 1 0 0 36 Nov 26 16:05 log\n"),
    ],
)
def test_all_else_is_a_difference(one: str, other: str) -> None:
    assert mask(one) != mask(other)


LOOKS = (
    "ls -n", "ls -n | wc -c", "wc Makefile *.mk", "wc -c <Makefile", "cat -n Makefile", "stat -c '%s %b' Makefile",
    "du -b Makefile", "tar cf - Makefile | wc -c", "grep -c include Makefile", "find . -size -2 | sort",
    "cp Makefile copy; cat $(MAKEFILE_LIST) >both",
)  # fmt: skip


@pytest.mark.parametrize("make", makes().values(), ids=makes().keys())
def test_recipes_that_look_at_their_makefile_are_no_difference(make: str, tmp_path: Path) -> None:
    pieces = (Piece("Makefile", "all:"), *(Piece("Makefile", f"\t{line}") for line in LOOKS),
              Piece("nested.mk", "n:"))  # fmt: skip
    comparer = Comparer(tmp_path / "c", Path(make), shims=("python",))
    assert comparer.compare(Program(pieces, "merged")).differences == ()
    assert main(["--make", make, "--count", "1", "--seed", "919134847", "--shim", "python"]) == 0


def test_recipes_that_race_are_undecided(tmp_path: Path) -> None:
    def compare(line: str) -> tuple[bool, bool]:
        result = comparer.compare(Program((Piece("Makefile", "all:"), Piece("Makefile", f"\t@{line}")), "merged"))
        return bool(result.differences), result.undecided

    comparer = Comparer(tmp_path / "c", Path(next(iter(makes().values()))), shims=("python",))
    assert compare("cat /proc/sys/kernel/random/uuid") == (False, True)
    assert compare("tr '\\0' '\\n' </proc/$$PPID/cmdline") == (True, False)


def test_what_never_ends_with_plain_make_is_undecided_after_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "LIMIT_S", 0.5)
    runs = tmp_path / "runs"
    line = f"\t@echo run >>{runs}; while :; do cat /proc/sys/kernel/random/uuid >>log; done"
    comparer = Comparer(tmp_path / "c", Path(next(iter(makes().values()))), shims=("python",))
    result = comparer.compare(Program((Piece("Makefile", "all:"), Piece("Makefile", line)), "merged"))
    assert (result.differences, result.undecided) == ((), True)
    assert runs.read_text().count("run") <= 2


def test_nothing_is_generated_that_depends_on_the_makefiles_text_or_the_time() -> None:
    sums: tuple[str, ...] = ("cksum", "md5sum", "sha1sum", "sha256sum", "od", "xxd", "cmp Makefile", "diff Makefile")
    changing: tuple[str, ...] = (
        "date",
        "ps",
        "top",
        "mktemp",
        "$$RANDOM",
        "$$BASHPID",
        "$$!",
        "$$PPID",
        "$$SECONDS",
        "uptime",
        "free",
    )
    changing += ("$$EPOCH", "stat", "df", "who", "tty", "ls -i", "ls -l;", "find . -newer", "uuid")
    texts = [*lines._WORDS, *lines._SIMPLE, *lines._LINES, *settings._SPECIAL, *settings._SHELLS]
    for word in (*sums, *changing):
        pattern = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
        assert not [text for text in texts if pattern.search(text)], word


def test_a_seed_gives_the_same_program_each_time() -> None:
    assert str(generate(7)) == str(generate(7)) != str(generate(8))


def test_all_kinds_of_rules_lines_and_settings_are_generated() -> None:
    text = "".join(str(generate(seed)) for seed in range(3000))
    parts = (
        "&:", "::", "%.o: %.c", "SHELL := /usr/bin/env bash", "SHELL = $(warning", ".SHELLFLAGS", ".ONESHELL:",
        "export ",
        "define CANNED", ".EXTRA_PREREQS", "$(MAKE)", "$(SHELL)", "cat <<E", "\\\n", "--eval", "-Oline", "mode jobs",
        "SHELLOPTS=xtrace",
    )  # fmt: skip
    for part in parts:
        assert part in text, part


def program(*pieces: tuple[str, str]) -> Program:
    return Program(tuple(Piece(*piece) for piece in pieces), "separate")


def test_what_is_not_needed_for_a_difference_is_left_out() -> None:
    whole = program(("Makefile", "a:"), ("Makefile", "\tone"), ("Makefile", "\ttwo"), ("Makefile", "b:"), (WORDS, "-k"))
    small = shrink(whole, lambda other: "\ttwo" in other.files()["Makefile"] and "a:" in str(other), seconds=60)
    assert [piece.text for piece in small.pieces] == ["a:", "\ttwo"]
    assert small.mode == "merged"


def test_a_difference_is_printed_with_its_seed_and_a_small_makefile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    render = fragment.render
    monkeypatch.setattr(fragment, "render", lambda *words, **more: f"{render(*words, **more)}$(info seen)\n")
    status = main(["--make", next(iter(makes().values())), "--count", "1", "--seed", "3", "--shim", "python"])
    output = capsys.readouterr().out
    assert status == 1
    assert "## seed 3" in output
    assert "output +seen" in output
    assert '## seed 3\n--- Makefile\n--- mode merged: "$MAKE"\n' in output  # even an empty makefile shows it
    assert "1 (3) differ" in output


def test_a_program_need_not_name_the_shell_and_is_the_same_otherwise() -> None:
    for seed in range(100):
        whole, without = generate(seed), generate(seed, names_shell=False)
        assert without.pieces == tuple(piece for piece in whole.pieces if "SHELL" not in piece.text)
        assert without.mode == whole.mode
