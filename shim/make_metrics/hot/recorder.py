"""Which record a line belongs to, and the line's entry in it; all of it while the recipe runs, but for the append.

Every make process has a marker, `makes/<key>`, that names its run. The first line to find it empty starts the walk
(`walk.walk`), which holds the marker's lock until it has written the run there; later lines only read it.
"""

import _signal
import posix
import sys
import time

from make_metrics.hot import append, procfs, record_format
from make_metrics.hot.arguments import Arguments
from make_metrics.hot.state_dir import find_state_dir

# Verdicts of the walk, in place of a run: nothing here is to be recorded; and there is no make to belong to.
NOT_A_MAKE, NO_MAKE_ABOVE = b"-", b"!"
ATTENDED, UNATTENDED = b"t", b"-"  # for the walk: does somebody see what this line could say?
_ORPHAN = 9  # a fate: make was killed while the line ran
_WALK_PATIENCE_NS = 10_000_000_000


def in_front() -> bool:
    """Whether standard error is this process's terminal, and it is not in its background."""
    try:
        return posix.isatty(2) and posix.tcgetpgrp(2) == posix.getpgrp()
    except OSError:
        return False


class Recorder:
    """The record keeping of one line: finds its run while it goes on, appends its entry when it has ended."""

    def __init__(self, handed: Arguments, environ: dict[bytes, bytes], parent: int) -> None:
        """Raises OSError if there is nowhere to keep records."""
        self.handed = handed
        self.parent = parent
        self.walk_pid = 0
        self.attended = False
        self.invitation = b""
        self.run = b""
        state, anchor = find_state_dir(handed.state, environ, level=handed.level)
        self.records, makes = state + b"/records", state + b"/makes"
        for path in (state, self.records, makes):
            append.ensure_directory(path, anchor)
        self.make = procfs.process_key(parent) or b""  # empty without /proc: the walk names it
        self.unnamed = not self.make
        self.marker = makes + b"/" + (self.make or b"unnamed.%d" % posix.getpid())
        self._read_marker()
        if not self.run:
            self._start_walk(environ, state)

    def _read_marker(self) -> None:
        """Take run and make from the marker that the walk leaves; they stay empty if no walk has ended."""
        try:
            said, _, self.invitation = procfs.read(self.marker).partition(b"\n")
        except FileNotFoundError:
            return
        words = said.split()
        if words:
            self.run, self.make = words[0], words[-1]

    def _start_walk(self, environ: dict[bytes, bytes], state: bytes) -> None:
        """Start the walk up the process tree, unless another line of this make has; it holds the lock until it ends."""
        try:
            held = append.lock(self.marker, patience_ns=0)
        except BlockingIOError:
            return
        except (OSError, ImportError):  # no locks here: two lines may walk, and find the same
            held = posix.open(self.marker, posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600)
        mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTSTP])
        try:
            self._read_marker()
            if self.run:
                return
            handed = self.handed
            self.attended = not handed.level and in_front()
            entry = __file__.rsplit("/", 2)[0] + "/entry.py"
            words = [sys.executable.encode(), b"-I", b"-S", entry.encode(), b"walk", b"%d" % self.parent,
                     self.make or b"-", state, handed.make, handed.version, handed.goal,
                     ATTENDED if self.attended else UNATTENDED]  # fmt: skip
            # It inherits our signal mask, and is in no group that a terminal signals. Stopped by Ctrl-Z before it is in
            # its own, it would not be told to go on by fg, and we wait for it to begin: that is kept from it.
            self.walk_pid = posix.posix_spawn(
                sys.executable,
                words,
                environ,
                file_actions=[
                    (posix.POSIX_SPAWN_DUP2, held, 1),
                    (posix.POSIX_SPAWN_OPEN, 0, "/dev/null", posix.O_RDONLY, 0),
                    (posix.POSIX_SPAWN_OPEN, 2, "/dev/null", posix.O_WRONLY, 0),
                ],
                setpgroup=0,
            )
        except BlockingIOError:
            pass  # no room for one more process: the make counts as a run of its own
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            posix.close(held)

    def _wait_for_walk(self) -> None:
        """Wait for the walk; if that takes too long, this make counts as a run of its own, which it most often is."""
        give_up = time.monotonic_ns() + _WALK_PATIENCE_NS
        try:
            parts = 100 if self.walk_pid else 10  # who started it is the only one, and most often nothing else goes on
            posix.close(append.lock(self.marker, shared=True, patience_ns=_WALK_PATIENCE_NS, parts=parts))
        except (OSError, ImportError):
            # Without locks only the line that started the walk can tell when it has ended.
            while self.walk_pid and not self.run and time.monotonic_ns() < give_up:
                if posix.waitpid(self.walk_pid, posix.WNOHANG)[0]:
                    self.walk_pid = 0
                time.sleep(0.001)
                self._read_marker()
        self._read_marker()

    def finish(self, wall: int, start: int, end: int, status: int, fate: int, usage: tuple[int, int] | None) -> None:
        """Append the line's entry, waiting for the walk if it is still under way; raises OSError."""
        if not self.run:
            self._wait_for_walk()
        if self.walk_pid:
            posix.kill(self.walk_pid, _signal.SIGKILL)  # what it does after the walk may be done by anyone, any time
        try:
            self._append(wall, start, end, status, fate, usage)
        finally:
            if self.walk_pid:
                posix.waitpid(self.walk_pid, 0)  # it takes a while to fall apart

    def _append(self, wall: int, start: int, end: int, status: int, fate: int, usage: tuple[int, int] | None) -> None:
        if self.unnamed:
            posix.unlink(self.marker)
        if self.run == NOT_A_MAKE:
            return
        if self.run == NO_MAKE_ABOVE or not self.make:
            self.make = procfs.process_key(posix.getpid()) or b"00000000.%d.%d" % (posix.getpid(), wall)
            self.run = b""
            fate = fate or _ORPHAN
        elif posix.getppid() != self.parent:
            fate = fate or _ORPHAN
        make, run = self.make, self.run or self.make
        handed = self.handed
        text = record_format.line_entry(
            make, handed.target, handed.goal, handed.level, wall, start, end, status, fate, usage
        )
        append.append_entry(self.records, run, text)

    def invite(self) -> None:
        """Show what the walk has for the developer, once the line has ended; never waits for the terminal."""
        if not self.attended or not self.invitation or not in_front():
            return
        import select

        if select.select([], [2], [], 0)[1]:
            _signal.signal(_signal.SIGTTOU, _signal.SIG_IGN)  # should we be put in the background just now
            posix.write(2, self.invitation + b"\n")
