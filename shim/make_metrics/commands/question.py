"""What the commands that ask for a yes have in common: the question in the terminal, and the line after a yes."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterable

from make_metrics.commands.prose import terminal_size
from make_metrics.consent.mode import Mode, Ruling
from make_metrics.consent.who_answers import refuse_answer_of_a_recipe, refuse_yes_of_a_recipe
from make_metrics.errors import UserError
from make_metrics.report.wrapped import pages, summary, wrap


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


def show_summary(lines: Iterable[tuple[str, str]]) -> None:
    """Write the summary of what is asked for: a label and a text a line, broken between words."""
    sys.stdout.write("".join(f"{line}\n" for line in summary(lines, terminal_size().columns)))


def ask(question: str, details: str = "") -> bool:
    """Ask a question in the terminal; only `y` or `yes` and the Enter key are a yes.

    If there are details, `d` shows them in pages, and asks again.
    """
    choices = "[y/N/d]" if details else "[y/N]"
    hint = "Nothing is sent without your yes. d shows all details.\n" if details else ""
    asked = "\n".join(wrap(f"{question} {choices}", terminal_size().columns - 1))
    while True:
        answer = _answer(f"\n{hint}{asked} ")
        if not details or answer not in ("d", "details"):
            return answer in ("y", "yes")
        _page(details)


def _answer(prompt: str) -> str:
    """What was typed in the terminal before the Enter key, in lower case; empty if that was not pressed."""
    try:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        answer = _typed_line()
    except KeyboardInterrupt:
        sys.stdout.write("\n")  # what the shell writes next does not belong behind the question
        raise
    if not answer.endswith("\n"):  # end of file, or the terminal is gone
        sys.stdout.write("\n")
        return ""
    return answer.strip().lower()


def _typed_line() -> str:
    """What is typed up to the Enter key, or to the end of the input; raises KeyboardInterrupt at a Ctrl-C.

    readline would miss a Ctrl-C that comes between Python's last look for signals and its read, up to the Enter key.
    """
    typed = b""
    woken, wake = os.pipe()
    try:
        os.set_blocking(wake, False)
        before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        try:
            while not typed.endswith(b"\n"):
                if woken in select.select([sys.stdin, woken], [], [])[0]:
                    os.read(woken, 64)  # Python has handled the signal by now, and not raised: it was another one
                elif part := os.read(sys.stdin.fileno(), 4096):
                    typed += part
                else:
                    break
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(woken)
        os.close(wake)
    return typed.decode(errors="replace")


def _page(text: str) -> None:
    """Write a text in pages of the terminal's size; between two the Enter key goes on, and `q` ends it."""
    size = terminal_size()
    for number, page in enumerate(pages(wrap(text, size.columns), size.lines)):
        if number and _answer("(Enter goes on, q goes back to the question) ") == "q":
            return
        sys.stdout.write("".join(f"{line}\n" for line in page))


def why_not_sent(ruling: Ruling) -> str:
    """A line that says why nothing is sent in spite of a yes; empty if the mode is `on`."""
    return "" if ruling.mode is Mode.ON else f"But nothing is sent at present: {ruling.reason}.\n"
