"""The first hour in a terminal of 80 columns: what each command says, read as somebody new would."""

from __future__ import annotations

import re

import pytest

from make_metrics.cli import COMMANDS
from tests.support.installed import Newcomer

SETTINGS = """
name = "Example"
collected-by = "The example team"
purpose = "to make builds faster"

[[sinks]]
type = "file"
name = "builds"
"""
PROMPT = "@@> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A shell in a terminal, and all lines that were printed there."""

    def __init__(self, newcomer: Newcomer) -> None:
        self._shell = newcomer.terminal("sh", "-i")
        self._shell.sendline(f"PS1='{PROMPT}'")
        self._shell.expect_exact(f"\n{PROMPT}")
        self.lines: list[str] = []

    def type(self, command: str, *answers: str) -> str:
        """Type a command and an answer to each of its questions, `^C` for Ctrl-C; what it prints."""
        self._shell.sendline(command)
        printed = ""
        for answer in answers:
            self._shell.expect(r"(\[y/N(/d)?\]|\(Enter goes on, .*\)) ")
            printed += str(self._shell.before) + str(self._shell.after)
            if answer == "^C":
                self._shell.sendintr()
            else:
                self._shell.sendline(answer)
        self._shell.expect_exact(PROMPT)
        printed += str(self._shell.before)
        printed = ESCAPES.sub("", printed.replace("\r", "")).partition("\n")[2]
        assert "Traceback" not in printed
        assert "this is a bug" not in printed
        self.lines += printed.splitlines()
        return printed

    def too_wide(self) -> list[str]:
        """Lines that the terminal breaks, other than at the end of a path, which nobody can break better."""
        return [line for line in self.lines if len(line) > 80 and len(line.rsplit(" ", 1)[-1]) < 60]


@pytest.fixture
def screen(newcomer: Newcomer) -> Screen:
    """A terminal in a project with a Makefile."""
    newcomer.write("Makefile", "all: lib\n\t@echo all\nlib:\n\t@echo lib\n")
    return Screen(newcomer)


def test_before_set_up_each_command_says_what_to_do(screen: Screen) -> None:
    for command in ("report", "runs", "last"):
        assert "make-metrics setup --add" in screen.type(f"make-metrics {command}")
    assert "make-metrics.toml" in screen.type("make-metrics opt-in")
    assert "your id is deleted" not in screen.type("make-metrics opt-out")
    assert re.search(r"BAD +Makefile .*no include line", screen.type("make-metrics doctor"))
    for command in ("status", "preview", "sent", "what-if", "check", "flush", "on", "crash-reports on", "setup"):
        screen.type(f"make-metrics {command}")
    assert screen.type("make-metrics forget", "^C").endswith("[y/N] ^C\n")
    assert screen.type("make-metrics forget", "n").endswith("Nothing is removed.\n")
    screen.type("make-metrics uninstall --data --decisions", "y")
    assert screen.too_wide() == []


def test_a_wrong_word_is_answered_in_one_sentence(screen: Screen) -> None:
    for command, said in {
        "raport": "make-metrics: command 'raport' is not known (did you mean report?)",
        "report --jsno": "make-metrics: make-metrics report has no option '--jsno' (did you mean --json?)",
        "status now": "make-metrics: make-metrics status has no argument 'now' (try: make-metrics status --help)",
        "crash-reports onn": "make-metrics: action 'onn' is not known (did you mean on?)",
        "run zzzz": "make-metrics: there is no run 'zzzz': make-metrics runs lists them, and last is the newest",
    }.items():
        assert " ".join(screen.type(f"make-metrics {command}").split()) == said
    assert screen.too_wide() == []


def test_the_help_of_every_command_fits(screen: Screen) -> None:
    help_of_each = "\n".join(f"make-metrics help {command.name};" for command in COMMANDS)
    assert screen.type(help_of_each.replace("\n", " ")).count("usage: make-metrics ") == len(COMMANDS)
    screen.type("make-metrics --help")
    assert screen.too_wide() == []


def test_from_the_invitation_to_the_no(screen: Screen, newcomer: Newcomer) -> None:
    newcomer.write("make-metrics.toml", SETTINGS)
    screen.type("make-metrics setup --add")
    made = screen.type("make")
    invitation = (
        "Project Example would like timing data about its make targets.\nDecide: make-metrics opt-in | opt-out\n"
    )
    assert invitation in made
    assert made.replace(invitation, "") == "lib\nall\n"
    assert screen.type("make-metrics opt-in", "^C").endswith("[y/N/d] ^C\n")
    assert screen.type("make-metrics opt-in", "d", "", "q", "n").endswith("Nothing was changed, and nothing is sent.\n")
    assert screen.type("make-metrics opt-in", "y").endswith("Thank you. What make does here from now on is sent.\n")
    assert screen.type("make") == "lib\nall\n"
    assert "mode: on" in screen.type("make-metrics status")
    screen.type("make-metrics off")
    doctor = screen.type("make-metrics doctor")
    assert len(re.findall("recording", doctor)) == 2  # the finding's name, and why there is no hook
    assert "Here events are recorded and sent (you said yes" in screen.type("make-metrics on")
    for command in ("report", "runs", "last", "what-if", "doctor lib", "doctor nosuch", "schema", "on-this-machine"):
        screen.type(f"make-metrics {command}")
    assert "and your id is deleted" in " ".join(screen.type("make-metrics opt-out").split())
    assert "(nothing was decided)" not in screen.type("make-metrics on")
    screen.type("make-metrics forget -C .", "y")
    assert screen.too_wide() == []
