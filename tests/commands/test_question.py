"""Asking for a yes: only `y` or `yes` and the Enter key are one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

from make_metrics.commands import question
from make_metrics.consent.mode import Mode, Ruling
from make_metrics.errors import UserError
from tests.support.preload import INTERRUPTS, preload
from tests.support.project import SOURCE


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [("y\n", True), ("yes\n", True), (" YES \n", True), ("n\n", False), ("\n", False), ("yess\n", False), ("", False),
     ("y", False)],
)  # fmt: skip
def test_only_a_yes_and_the_enter_key_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, agreed: bool
) -> None:
    stdin, terminal = os.pipe()
    os.write(terminal, typed.encode())
    os.close(terminal)
    monkeypatch.setattr(sys, "stdin", os.fdopen(stdin))
    assert question.ask("May it be sent?") is agreed
    # After the Enter key the terminal is on a new line; else one is begun.
    assert capsys.readouterr().out == "\nMay it be sent? [y/N] " + ("" if typed.endswith("\n") else "\n")


def test_a_key_that_comes_just_before_the_wait_interrupts(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), **preload(tmp_path, **{INTERRUPTS: "1"})}
    asked = pexpect.spawn(
        sys.executable,
        ["-m", "make_metrics", "forget"],
        env=environ,
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=20,
    )
    asked.expect(pexpect.EOF)
    assert str(asked.before).endswith("[y/N] \r\n")
    asked.close()
    assert asked.exitstatus == 130


def test_without_a_terminal_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", os.fdopen(os.open(os.devnull, os.O_RDONLY)))
    with pytest.raises(UserError, match=r"crash-reports on asks a question and needs a terminal.*--yes"):
        question.require_answer("crash-reports on", yes=False)


def test_after_a_yes_the_user_is_told_what_holds_it_back() -> None:
    assert question.why_not_sent(Ruling(Mode.ON, "decision", "you said yes")) == ""
    ruling = Ruling(Mode.LOCAL, "DO_NOT_TRACK", "DO_NOT_TRACK is set in the environment")
    assert question.why_not_sent(ruling) == "But nothing is sent at present: DO_NOT_TRACK is set in the environment.\n"
