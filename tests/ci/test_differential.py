"""Generated makefiles: nothing differs in a short run, and a broken shim or fragment would be found and made small."""

from __future__ import annotations

import random

import pytest

from ci.conformance.execute import Outcome
from ci.differential.__main__ import main
from ci.differential.compare import without_process_ids
from ci.differential.generate import generate
from ci.differential.program import WORDS, Piece, Program
from ci.differential.shrink import shrink
from make_metrics.setup import fragment
from tests.support.project import makes

SECONDS = 25  # for each make; by hand an hour


@pytest.mark.parametrize("make", makes().values(), ids=makes().keys())
def test_generated_makefiles_are_built_as_by_plain_make(make: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--make", make, "--seconds", str(SECONDS), "--jobs", "1", "--seed", str(random.randrange(10**9))])  # noqa: S311
    output = capsys.readouterr().out
    assert status == 0, output
    assert " 0 differ" in output


def test_only_the_process_that_bash_names_is_no_difference() -> None:
    def found(text: str) -> Outcome:
        return without_process_ids(Outcome(text, "", 0, ()))

    assert found("bash: line 1: 22504 Segmentation fault  x\n") == found("bash: line 1: 22512 Segmentation fault  x\n")
    assert found("bash: line 1: 22504 Killed\n") != found("bash: line 1: 22504 Hangup\n")
    assert found("bash: line 1: 7\n") != found("bash: line 1: 8\n")
    assert found("line 1: 22504 x\n") != found("line 1: 22512 x\n")


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
    assert "1 differ: 3" in output
