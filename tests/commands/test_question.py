"""Asking for a yes: only `y` or `yes` and the Enter key are one."""

from __future__ import annotations

import io
import sys

import pytest

from make_metrics.commands import question
from make_metrics.consent.mode import Mode, Ruling
from make_metrics.errors import UserError


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [("y\n", True), ("yes\n", True), (" YES \n", True), ("n\n", False), ("\n", False), ("yess\n", False), ("", False),
     ("y", False)],
)  # fmt: skip
def test_only_a_yes_and_the_enter_key_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, agreed: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert question.ask("May it be sent?") is agreed
    # After the Enter key the terminal is on a new line; else one is begun.
    assert capsys.readouterr().out == "\nMay it be sent? [y/N] " + ("" if typed.endswith("\n") else "\n")


def test_without_a_terminal_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UserError, match=r"crash-reports on asks a question and needs a terminal.*--yes"):
        question.require_answer("crash-reports on", yes=False)


def test_after_a_yes_the_user_is_told_what_holds_it_back() -> None:
    assert question.why_not_sent(Ruling(Mode.ON, "decision", "you said yes")) == ""
    ruling = Ruling(Mode.LOCAL, "DO_NOT_TRACK", "DO_NOT_TRACK is set in the environment")
    assert question.why_not_sent(ruling) == "But nothing is sent at present: DO_NOT_TRACK is set in the environment.\n"
