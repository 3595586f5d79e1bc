"""Finds the record that a line belongs to while the line runs, and appends the line's entry when it has ended.

Every make process has a marker, the file `makes/<key>`, that names its run. The first line that finds the marker empty
starts the walk (`walk.walk`). The walk holds the marker's lock until it has written the run into the marker; later
lines only read it.
"""

import _signal
import posix
import sys
import time

from make_metrics.hot import append, procfs, record_format
from make_metrics.hot.arguments import Arguments
from make_metrics.hot.state_dir import find_state_dir

# The walk's verdicts, in the marker in place of a run.
NOT_A_MAKE = b"-"  # nothing is recorded
NO_MAKE_ABOVE = b"!"  # the line is a run of its own
# For the walk: whether somebody would see what this line prints at its end.
ATTENDED, UNATTENDED = b"t", b"-"
TRACED = b"traced"  # for the walk: lines get their TRACEPARENT
WALK_PATIENCE_NS = 10_000_000_000
STARTER_LOCK_PARTS = 100  # for `append.lock`: the line that started the walk mostly waits alone, so it looks more often


def is_foreground() -> bool:
    """Whether standard error is a terminal and this process is in its foreground process group."""
    try:
        return posix.isatty(2) and posix.tcgetpgrp(2) == posix.getpgrp()
    except OSError:
        return False


class Recorder:
    """The bookkeeping of one line: finds its run while the line runs, appends its entry when it has ended."""

    def __init__(self, arguments: Arguments, environ: dict[bytes, bytes], above: procfs.Above) -> None:
        """Start the walk if the run is unknown; raises OSError without a usable state directory."""
        posix.umask(posix.umask(0o077) & 0o077)  # the line runs already: we read what we write, whatever mask it has
        self.arguments = arguments
        self.parent, self.shown_parent, self.make = above  # its key is empty without /proc: the walk names it
        self.walk_pid = 0
        self.attended = False
        self.invitation = b""
        self.run = b""
        self.trace = b""  # for `hot.traceparent`; only makes whose lines get it have one
        state, anchor = find_state_dir(arguments.state, environ, level=arguments.level)
        self.records, makes = state + b"/records", state + b"/makes"
        for path in (state, self.records, makes):
            append.ensure_directory(path, anchor)
        self.unnamed = not self.make
        self.marker = makes + b"/" + (self.make or b"unnamed.%d" % posix.getpid())
        self._read_marker()
        if not self.run:
            self._start_walk(environ, state)

    def _read_marker(self) -> None:
        """Take run and make from the marker; they stay as they are if no walk has ended yet."""
        try:
            verdict, _, self.invitation = procfs.read(self.marker).partition(b"\n")
        except FileNotFoundError:
            return
        words = verdict.split()
        if words:
            self.run, self.make = words[0], words[-1]
            self.trace = words[1] if len(words) > 2 else b""

    def _start_walk(self, environ: dict[bytes, bytes], state: bytes) -> None:
        """Start the walk up the process tree, unless another line of this make has started it.

        The walk's standard output is the locked marker: it unlocks the marker when the run stands there, or by ending.
        """
        try:
            marker_fd = append.lock(self.marker, patience_ns=0)
        except BlockingIOError:
            return
        except (OSError, ImportError):  # without locks two lines may walk: both find the same
            marker_fd = posix.open(
                self.marker, posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600
            )
        mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTSTP])
        try:
            self._read_marker()
            if self.run:
                return
            arguments = self.arguments
            self.attended = not arguments.level and is_foreground()
            entry = __file__.rsplit("/", 2)[0] + "/entry.py"
            words = [sys.executable.encode(), b"-I", b"-S", entry.encode(), b"walk", b"%d" % self.shown_parent,
                     self.make or b"-", state, arguments.make, arguments.version, arguments.goal,
                     ATTENDED if self.attended else UNATTENDED, *[TRACED] * arguments.traced]  # fmt: skip
            # The walk inherits our signal mask and gets a process group that no terminal signals. SIGTSTP is blocked
            # until then: Ctrl-Z would stop the walk, `fg` would not continue it, and posix_spawn would wait for it.
            self.walk_pid = posix.posix_spawn(
                sys.executable,
                words,
                {name: value for name, value in environ.items() if name},  # Python refuses one without a name
                file_actions=[
                    (posix.POSIX_SPAWN_DUP2, marker_fd, 1),
                    (posix.POSIX_SPAWN_OPEN, 0, "/dev/null", posix.O_RDONLY, 0),
                    (posix.POSIX_SPAWN_OPEN, 2, "/dev/null", posix.O_WRONLY, 0),
                ],
                setpgroup=0,
            )
        except BlockingIOError:
            pass  # no room for another process: the make becomes a run of its own
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            posix.close(marker_fd)

    def _wait_for_walk(self) -> None:
        """Wait for the walk to end, at most WALK_PATIENCE_NS."""
        deadline = time.monotonic_ns() + WALK_PATIENCE_NS
        try:
            parts = STARTER_LOCK_PARTS if self.walk_pid else append.LOCK_PARTS
            posix.close(append.lock(self.marker, shared=True, patience_ns=WALK_PATIENCE_NS, parts=parts))
        except (OSError, ImportError):
            # Without locks only the line that started the walk sees it end: the walk is its child.
            while self.walk_pid and not self.run and time.monotonic_ns() < deadline:
                if posix.waitpid(self.walk_pid, posix.WNOHANG)[0]:
                    self.walk_pid = 0
                time.sleep(0.001)
                self._read_marker()
        self._read_marker()

    def traced(self, environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """The environment with the line's TRACEPARENT; as it is where the run cannot be told. Waits for the walk."""
        if not self.run:
            self._wait_for_walk()
        if not self.trace:
            return environ
        from make_metrics.hot import traceparent

        value = traceparent.traceparent(self.trace, self.run, self.make, self.arguments.target)
        return {**environ, traceparent.NAME: value}

    def finish(self, wall: int, start: int, end: int, status: int, fate: int, usage: tuple[int, int] | None) -> None:
        """Append the line's entry; waits for the walk if the run is still unknown. Raises OSError.

        If the walk takes too long, this make becomes a run of its own, which it most often is.
        """
        if not self.run:
            self._wait_for_walk()
        if self.walk_pid:
            # What it does after the walk can be done by others, later. A tool that watches processes may have started
            # it from a process of its own, in the same group.
            posix.killpg(self.walk_pid, _signal.SIGKILL)
        try:
            self._append(wall, start, end, status, fate, usage)
        finally:
            if self.walk_pid:
                posix.waitpid(self.walk_pid, 0)  # reap it: its exit takes a while

    def _append(self, wall: int, start: int, end: int, status: int, fate: int, usage: tuple[int, int] | None) -> None:
        described = self.run not in (NOT_A_MAKE, NO_MAKE_ABOVE)
        if self.unnamed or (described and not self.marker.endswith(b"/" + self.make)):
            posix.unlink(self.marker)  # only this line's: of another process than its make
        if self.run == NOT_A_MAKE:
            return
        if self.run == NO_MAKE_ABOVE or not self.make:
            self.make = procfs.process_key(procfs.own_pid()) or b"00000000.%d.%d" % (posix.getpid(), wall)
            self.run = b""
            fate = fate or record_format.ORPHAN
        elif posix.getppid() != self.parent:
            fate = fate or record_format.ORPHAN
        make, run = self.make, self.run or self.make
        arguments = self.arguments
        offset = procfs.boot_offset_ns()
        text = record_format.line_entry(
            make, arguments.target, arguments.goal, arguments.level, wall, start - offset, end - offset, status,
            fate, usage, arguments.needs,
        )  # fmt: skip
        append.append_entry(self.records, run, text)

    def invite(self) -> None:
        """Print the walk's invitation to the developer, if there is one; never waits for the terminal."""
        if not self.attended or not self.invitation or not is_foreground():
            return
        import select

        if select.select([], [2], [], 0)[1]:
            _signal.signal(_signal.SIGTTOU, _signal.SIG_IGN)  # we may be put in the background just now
            posix.write(2, self.invitation + b"\n")


def open_traced(
    arguments: Arguments, environ: dict[bytes, bytes], above: procfs.Above
) -> tuple[Recorder, dict[bytes, bytes]]:
    """A line's recorder, and the environment with the line's TRACEPARENT, which must be known before the line starts.

    A signal that arrives meanwhile ends us as it would end the line's shell.
    """
    if _signal.getsignal(_signal.SIGINT) is not _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    mask = posix.umask(0o077)
    posix.umask(mask)
    try:
        recorder = Recorder(arguments, environ, above)
        return recorder, recorder.traced(environ)
    finally:
        posix.umask(mask)
