"""What `make-metrics watch` does to its terminal: keys are not shown, and whatever ends it leaves it as it was."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pexpect
import pytest

from tests.support.project import SOURCE, until
from tests.support.terminals import NONE, has_terminals

pytestmark = pytest.mark.skipif(not has_terminals(), reason=NONE)

PROGRAM = """\
import os, signal, sys
from make_metrics.commands.watching.terminal import Stopped, Terminal
from make_metrics.report.screen import Part

terminal = Terminal()
try:
    with terminal.held():
        print(f"pid {os.getpid()}.")
        while True:
            terminal.draw([[Part("drawn")]])
            terminal.wait(0.02)
            if os.path.exists("end"):
                break
            if os.path.exists("fail"):
                raise OSError("as if a file could not be read")
except Stopped as stopped:
    signal.signal(stopped.number, signal.SIG_DFL)
    os.kill(os.getpid(), stopped.number)
except KeyboardInterrupt:
    sys.exit(130)
"""
Shell: TypeAlias = "pexpect.spawn[str]"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def shell(tmp_path: Path, program: Path) -> Iterator[Shell]:
    """An interactive shell, in which `$RUN` runs the program."""
    run = f"{sys.executable} {program}"
    terminal = spawned(tmp_path, "bash", "--norc", "--noediting", RUN=run)
    terminal.sendline("set -b; PS1=read'y> '")
    terminal.expect_exact("ready> ")
    yield terminal
    terminal.close(force=True)


bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


def spawned(folder: Path, *words: str, **environ: str) -> Shell:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "PYTHONPATH": str(SOURCE), **environ}
    return pexpect.spawn(words[0], [*words[1:]], cwd=str(folder), env=env, encoding="utf-8", timeout=60)


def modes(terminal: Shell) -> list[object]:
    return termios.tcgetattr(terminal.child_fd)


def quiet(terminal: Shell) -> bool:
    """Whether keys are neither shown nor gathered in lines; Ctrl-C and Ctrl-Z have to go on."""
    flags = termios.tcgetattr(terminal.child_fd)[3]
    assert flags & termios.ISIG
    return not flags & (termios.ECHO | termios.ECHONL | termios.ICANON)


@pytest.mark.parametrize("end", ["end", "fail", "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_whatever_ends_it_the_terminal_is_as_before(tmp_path: Path, program: Path, end: str) -> None:
    terminal = spawned(tmp_path, sys.executable, str(program))
    before = modes(terminal)
    terminal.expect_exact("drawn")
    assert quiet(terminal)
    if end.startswith("SIG"):
        terminal.kill(signal.Signals[end])
    else:
        (tmp_path / end).touch()
    terminal.expect(pexpect.EOF)
    assert modes(terminal) == before
    assert terminal.before is not None
    assert "\x1b[?25h" in terminal.before
    terminal.close()


@bash
@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP], ids=["Ctrl-Z", "SIGSTOP"])
def test_it_can_be_stopped_and_continued(shell: Shell, stop: signal.Signals) -> None:
    shell.sendline("stty -g >before; $RUN")
    shell.expect(r"pid (\d+)\.")
    assert isinstance(shell.match, re.Match)
    pid = int(shell.match[1])
    shell.expect_exact("drawn")
    if stop is signal.SIGTSTP:
        shell.send("\x1a")
    else:
        os.kill(pid, stop)
    shell.expect_exact("ready> ")
    assert not quiet(shell)
    shell.sendline("echo se'e'n")
    shell.expect_exact("seen")
    shell.sendline("fg")
    shell.expect_exact("drawn")
    until(lambda: quiet(shell))
    shell.send("\r\x03")
    shell.expect_exact("ready> ")
    shell.sendline('test "$(stty -g)" = "$(cat before)" && echo th"e same"')
    shell.expect_exact("the same")


@bash
def test_in_the_background_it_leaves_the_terminal_alone(shell: Shell, tmp_path: Path) -> None:
    shell.sendline("$RUN &")
    shell.expect_exact("drawn")
    shell.sendline("echo se'e'n; jobs")
    shell.expect_exact("seen")
    shell.expect_exact("Running")
    assert not quiet(shell)
    shell.sendline("fg")
    until(lambda: quiet(shell))
    (tmp_path / "end").touch()
    until(lambda: not quiet(shell))
    shell.sendline("echo se'e'n")
    shell.expect_exact("seen")


@bash
def test_what_is_typed_meanwhile_goes_to_the_shell(shell: Shell, tmp_path: Path) -> None:
    shell.sendline("$RUN")
    shell.expect_exact("drawn")
    until(lambda: quiet(shell))
    shell.send("echo typed ah'e'ad\recho an'd'")
    (tmp_path / "end").touch()
    shell.expect_exact("typed ahead")
    shell.send(" more\r")
    shell.expect_exact("and more")
