"""`make-metrics watch` beside real makes: in a terminal, in a pipe, and with signals."""

from __future__ import annotations

import fcntl
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.support.project import SOURCE, Project, started, until
from tests.support.shown_screen import ShownScreen
from tests.support.terminals import NONE, has_terminals

WAIT = "@while ! test -e go.$(1); do sleep 0.02; done"
# Each target ends when the test says so.
MAKEFILE = f"""\
wait = {WAIT}
all: a b sub
\t@:
a b:
\t$(call wait,$@)
\t@:
bad:
\t$(call wait,$@); exit 3
.PHONY: all a b bad sub
sub:
\t@$(MAKE) -C below
"""
BELOW = f"""\
wait = {WAIT}
x:
\t$(call wait,$@)
.PHONY: x
"""
terminals = pytest.mark.skipif(not has_terminals(), reason=NONE)


@pytest.fixture
def built(tmp_path: Path, home: Path) -> Project:
    """A project that was built once; the next run's targets wait for `go`."""
    project = Project(tmp_path / "project", home)
    project.write(MAKEFILE)
    project.write(BELOW, "below/Makefile")
    for name in ("a", "b", "bad"):
        go(project, name)
    go(project, "below/x")
    assert project.make("-j2").returncode == 0
    assert project.cli("runs").returncode == 0
    for path in project.folder.rglob("go.*"):
        path.unlink()
    return project


def go(project: Project, name: str) -> None:
    folder, _, target = name.rpartition("/")
    (project.folder / folder / f"go.{target}").touch()


class Watch:
    """`make-metrics watch` in a terminal, and what the terminal shows."""

    def __init__(self, project: Project, *words: str, columns: int = 80, rows: int = 24, **environ: str) -> None:
        self.terminal = pexpect.spawn(
            sys.executable, ["-m", "make_metrics", "watch", *words], cwd=str(project.folder), encoding="utf-8",
            env={**project.environment(), "PYTHONPATH": str(SOURCE), "TERM": "xterm-256color", **environ}, timeout=60,
            dimensions=(rows, columns),
        )  # fmt: skip
        self.screen = ShownScreen(columns)
        self.bytes = ""

    def read(self) -> bool:
        """Show what has come meanwhile; True."""
        try:
            text = self.terminal.read_nonblocking(65536, timeout=0.05)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return True
        self.bytes += text
        self.screen.feed(text)
        return True

    def until(self, pattern: str) -> str:
        """Read until the screen matches a pattern."""

        def matches() -> bool:
            self.read()
            return re.search(pattern, self.screen.text) is not None

        until(matches, what=lambda: f"{pattern!r} is not shown: {self.screen.text!r}")
        return self.screen.text

    def end(self) -> int:
        """Read to the end; the exit status, or the negative number of a signal."""
        until(lambda: self.read() and not self.terminal.isalive(), what=lambda: self.screen.text)
        self.read()
        self.terminal.close()
        signalled = self.terminal.signalstatus
        return -signalled if signalled else int(self.terminal.exitstatus or 0)


@contextmanager
def building(project: Project, *words: str) -> Iterator[subprocess.Popen[str]]:
    with started(project.start(*words)) as make:
        yield make
        for name in ("a", "b", "bad", "below/x"):
            go(project, name)
        make.wait(60)


@terminals
def test_the_targets_of_the_make_that_runs_are_shown_as_they_change(built: Project) -> None:
    with building(built, "-j2") as make:
        until(built.records)
        watch = Watch(built)
        shown = watch.until(r"a\b(?s:.*)\bb\n?")
        first = shown.splitlines()[0]
        assert re.match(r"make all  running for [\d.]+s, (about [\d.]+s to go|longer than the [\d.]+s that it takes)$",
                        first)  # fmt: skip
        watch.until(r"0 of about 5 targets made, 2 running with -j2")
        assert not watch.screen.cursor_seen
        go(built, "a")
        watch.until(r"1 of about 5 targets made")
        watch.until(r"ms  a  made|s  a  made")
        watch.until(r"x \(below\)")
        assert re.search(r" of about [\d.]+s  sub\n", watch.screen.text)
        go(built, "b")
        go(built, "below/x")
        make.wait(60)
        assert watch.end() == 0
    assert re.fullmatch(
        r"run [0-9a-f]{4,}  make all took [\d.ms]+, 5 targets made: no recipe failed", watch.screen.text
    )
    assert watch.screen.cursor_seen
    assert "\x1b[2J" not in watch.bytes
    assert "\x1b[?1049h" not in watch.bytes


@terminals
def test_only_lines_that_changed_are_written(built: Project) -> None:
    with building(built, "-j2"):
        until(built.records)
        watch = Watch(built)
        watch.until(r"2 running")
        seen = len(watch.bytes)
        time_shown = watch.screen.text.splitlines()[0]
        watch.until(rf"^(?!{re.escape(time_shown)}\n)")
        until(lambda: watch.read() and len(watch.bytes) > seen + 100)
        assert "running with" not in watch.bytes[seen:]  # the line of counts stays as it is
    assert watch.end() == 0


@terminals
def test_a_failure_is_shown_and_is_the_result(built: Project) -> None:
    with building(built, "-k", "-j2", "bad", "a"):
        watch = Watch(built, "--wait", NO_COLOR="1")
        watch.until(r"2 running with -j2")
        go(built, "bad")
        watch.until(r"1 failed, 1 running")
        assert re.search(r"s  bad  status 3", watch.screen.text)
        assert not re.search(r"\x1b\[[\d;]*m", watch.bytes)
        go(built, "a")
        assert watch.end() == 0
    assert re.search(r"make bad a took .*, 2 targets made: status 3$", watch.screen.text)


@terminals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_watch_leaves_the_terminal_as_it_was(built: Project, number: signal.Signals) -> None:
    with building(built, "-j2") as make:
        until(built.records)
        watch = Watch(built)
        watch.until("2 running")
        assert not watch.screen.cursor_seen
        if number is signal.SIGINT:
            watch.terminal.sendintr()
        else:
            watch.terminal.kill(number)
        assert watch.end() == (130 if number is signal.SIGINT else -number)
        assert watch.screen.cursor_seen
        assert make.poll() is None  # the build goes on


@terminals
def test_keys_that_are_pressed_move_no_line(built: Project) -> None:
    with building(built, "-j2"):
        until(built.records)
        watch = Watch(built)
        watch.until("2 running")
        for _ in range(3):
            watch.terminal.send("\r\rls\r\t\x04")
            time_shown = watch.screen.text.splitlines()[0]
            watch.until(rf"^(?!{re.escape(time_shown)}\n)")
            assert re.fullmatch(r"make all[^\n]*\n[^\n]*\b0 of [^\n]*\n[^\n]* [ab]\n[^\n]* [ab]", watch.screen.text)
    assert watch.end() == 0
    assert re.fullmatch(r"run \w+  make all took [^\n]*", watch.screen.text)


@terminals
def test_a_resized_terminal_is_written_anew(built: Project) -> None:
    with building(built, "-j2"):
        until(built.records)
        watch = Watch(built, columns=100)
        watch.until("2 running")
        watch.screen.resize(40)
        size = struct.pack("HHHH", 24, 40, 0, 0)
        fcntl.ioctl(watch.terminal.child_fd, termios.TIOCSWINSZ, size)
        watch.until(r"^make all  running for[^\n]*\n[^\n]*\n +[\d.]+s")
        watch.until("\n")
        assert max(map(len, watch.screen.text.splitlines())) < 40
        assert watch.screen.text.count("make all") == 1
    assert watch.end() == 0
    assert watch.screen.text.count("make all") == 1


@terminals
def test_a_stopped_watch_shows_the_cursor_and_goes_on(built: Project) -> None:
    with building(built, "-j2"):
        until(built.records)
        watch = Watch(built)
        watch.until("2 running")
        watch.terminal.kill(signal.SIGTSTP)  # no shell is there to continue it: the system does at once
        until(lambda: watch.read() and re.search(r"\x1b\[\?25h\x1b\[\?25l(?s:.*)2 running", watch.bytes))
    assert watch.end() == 0
    assert watch.screen.cursor_seen


@pytest.mark.parametrize("dumb", [False, pytest.param(True, marks=terminals)])
def test_without_such_a_terminal_each_change_is_a_line(built: Project, dumb: bool) -> None:
    env = {**built.environment(), "PYTHONPATH": str(SOURCE)}
    with building(built, "-j2") as make, ExitStack() as stack:
        until(built.records)
        if dumb:
            watch = Watch(built, TERM="dumb")
            watch.until(r"begun   a\b")
        else:
            words = [sys.executable, "-m", "make_metrics", "watch"]
            piped = stack.enter_context(
                subprocess.Popen(words, cwd=built.folder, env=env, stdout=subprocess.PIPE, text=True)
            )
            assert piped.stdout is not None
            first = piped.stdout.readline()
        for name in ("a", "b", "below/x"):
            go(built, name)
        make.wait(60)
        if dumb:
            assert watch.end() == 0
            text, raw = watch.screen.text, watch.bytes
        else:
            text = raw = first + piped.communicate(timeout=60)[0]
            assert piped.returncode == 0
    assert "\x1b" not in raw
    lines = text.splitlines()
    assert re.fullmatch(r"run [0-9a-f]{4,}  make all took [\d.ms]+, 5 targets made: no recipe failed", lines[-1])
    for target in ("a", "b", "sub"):
        assert sum(1 for line in lines if re.search(rf"  made    {target}  after ", line)) == 1
    assert dumb is False or [line for line in lines if re.search(r"s  begun   a, about ", line)]


def test_without_a_make_it_says_so(built: Project) -> None:
    done = built.cli("watch")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "make-metrics: no make of this project runs: start one, or let make-metrics watch --wait wait for it\n"
    )


@terminals
def test_two_makes_at_once_have_their_lines_and_results(built: Project) -> None:
    with building(built, "a") as one, building(built, "-j3", "b"):
        until(lambda: len(built.records()) == 2)
        watch = Watch(built)
        watch.until(r"make a  running(?s:.*)make b  running|make b  running(?s:.*)make a  running")
        go(built, "a")
        one.wait(60)
        watch.until(r"^run [0-9a-f]+  make a took .*no recipe failed\nmake b  running")
        go(built, "b")
        assert watch.end() == 0
    assert [re.sub(r" took .*", "", line.partition("  ")[2]) for line in watch.screen.text.splitlines()] == [
        "make a", "make b"
    ]  # fmt: skip


@terminals
def test_a_make_of_another_project_is_not_watched_unless_all_are(built: Project) -> None:
    (built.folder / "elsewhere").mkdir()
    (built.folder / "elsewhere/make-metrics.toml").write_text('name = "x"\n')
    with building(built, "a"):
        until(built.records)
        assert built.cli("watch", "-C", "elsewhere").returncode == 1
        watch = Watch(built, "-C", "elsewhere", "--all")
        watch.until("1 running")
    assert watch.end() == 0


@terminals
@pytest.mark.parametrize("columns", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(built: Project, columns: int) -> None:
    name = "long/directory/" * 12 + "file.o"
    built.write(f"{name}:\n\t@while ! test -e go.a; do sleep 0.02; done\n")
    with building(built):
        until(built.records)
        watch = Watch(built, columns=columns, rows=6)
        watch.until(r"\d\.\ds +lo" if columns > 20 else "0 targets made")
        first, second, third = watch.screen.text.splitlines()
        assert max(map(len, (first, second, third))) < columns  # else the screen has failed
        assert re.search(r"  running for [\d.]+s" if columns > 20 else r"\.\.\.ile\.o$", first)
        assert re.fullmatch(r"(\[[#.]+\] )?0 (of about 5 )?targets made(, 1 running with -j1)?", second)
    assert watch.end() == 0
