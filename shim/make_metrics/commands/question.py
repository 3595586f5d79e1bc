"""What the commands that ask for a yes have in common: the question in the terminal, and the line after a yes."""

from __future__ import annotations

import sys

from make_metrics.consent.mode import Mode, Ruling
from make_metrics.errors import UserError


def require_terminal(command: str) -> None:
    """Raise UserError unless a question can be asked: standard input and output must be a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(f"{command} asks a question and needs a terminal: run it in one, or use --yes")


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
