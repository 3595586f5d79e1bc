"""What the commands that ask for a yes have in common: the question in the terminal, and the line after a yes."""

from __future__ import annotations

import os
import sys

from make_metrics.consent.mode import Mode, Ruling
from make_metrics.consent.who_answers import refuse_answer_of_a_recipe, refuse_yes_of_a_recipe
from make_metrics.errors import UserError


def require_answer(command: str, *, yes: bool) -> None:
    """Raise UserError unless a person, or a CI job, can be the one who says yes; `yes` is whether --yes was given.

    Without --yes a question is asked: standard input and output must be a terminal.
    """
    if yes:
        refuse_yes_of_a_recipe(os.environ, f"make-metrics {command}")
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(f"{command} asks a question and needs a terminal: run it in one (in CI, use --yes)")
    refuse_answer_of_a_recipe(f"make-metrics {command}")


def ask(question: str) -> bool:
    """Ask a question in the terminal; only `y` or `yes` and the Enter key are a yes."""
    sys.stdout.write(f"\n{question} [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # end of file, or the terminal is gone: nobody has pressed Enter
        sys.stdout.write("\n")
        return False
    return answer.strip().lower() in ("y", "yes")


def why_not_sent(ruling: Ruling) -> str:
    """A line that says why nothing is sent in spite of a yes; empty if the mode is `on`."""
    return "" if ruling.mode is Mode.ON else f"But nothing is sent at present: {ruling.reason}.\n"
