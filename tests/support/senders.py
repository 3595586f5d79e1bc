"""The senders that makes leave behind: find them, and adopt them, so that none stays as a zombie."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from make_metrics.files.paths import Paths
from make_metrics.sender import burst, protocol
from tests.support.project import until
from tests.support.records import ended_run
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing

_PR_SET_CHILD_SUBREAPER = 36


class Senders:
    """The senders of one home."""

    def __init__(self, home: Path) -> None:
        self._home = str(home)
        self._before = set(psutil.Process().children(recursive=True))  # of other tests

    def found(self) -> list[psutil.Process]:
        """The running senders of this home."""
        senders = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if protocol.PROGRAM in process.cmdline() and self._ours(process):
                    senders.append(process)
        return senders

    def _ours(self, process: psutil.Process) -> bool:
        return process.environ().get("MAKE_METRICS_HOME") == self._home

    def one(self) -> psutil.Process:
        """Wait for a sender; the only one."""
        until(self.found)
        (found,) = self.found()
        return found

    def gone(self) -> None:
        """Wait until no sender runs."""
        until(lambda: not self.left(), seconds=60, what=lambda: list(map(str, self.left())))

    def left(self) -> list[psutil.Process]:
        """The processes that makes have left behind, senders or about to become one, without zombies."""
        if sys.platform != "linux":
            return self.found()
        children = set(psutil.Process().children(recursive=True)) - self._before
        return [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def taken_in(home: Path) -> Iterator[Senders]:
    """Adopt orphans on Linux (PR_SET_CHILD_SUBREAPER in prctl(2)); at the end kill the senders that are left."""
    _adopt(True)
    senders = Senders(home)
    try:
        yield senders
    finally:
        for process in {*senders.found(), *senders.left()}:
            with contextlib.suppress(psutil.Error):
                process.kill()
        until(lambda: not senders.left())
        _adopt(False)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _adopt(on: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def started(
    paths: Paths, project: Path, environ: dict[str, str], *, program: Sequence[str] = ("-I", protocol.PROGRAM)
) -> subprocess.Popen[bytes]:
    """Start a sender for a project's make that has ended, as a child of this process. `program` is what Python runs."""
    task = {protocol.MAKE: ended_run(), protocol.STATE: str(paths.state), protocol.PROJECT: str(project)}
    return subprocess.Popen([sys.executable, *program], env={**environ, **task}, stdin=subprocess.DEVNULL)


def interpreters(folder: Path) -> list[str]:
    """What the interpreter that counts (tests/sender/conftest.py) was started for by makes."""
    path = folder / "started"
    return path.read_text().splitlines() if path.exists() else []


def make(sharing: Sharing, goal: str) -> None:
    """Run make in a process group of its own: a line of another make in its group is waited for by an interpreter."""
    env = sharing.project.environment(MAKE_METRICS_SENDER="detached")
    done = sharing.project.make(goal, env=env, start_new_session=True)
    assert (done.returncode, done.stderr) == (0, "")


def arrive(sharing: Sharing, receiver: Receiver, senders: Senders, *expected: str) -> None:
    """Wait until these targets, none of them c, have arrived, and no others: each as often as it is named.

    On a very slow machine the sender may end before it has sent them: then another make's sender brings them.
    """
    for _ in range(8):
        until(lambda: not Counter(expected) - Counter(receiver.commands) or not senders.left(), seconds=60)
        if not Counter(expected) - Counter(receiver.commands):
            break
        make(sharing, "c")
        burst.end_rest(sharing.paths)
    senders.gone()
    arrived = sorted(name for name in receiver.commands if name != "c")
    assert arrived == sorted(expected), (receiver.commands, sharing.status(), sharing.project.records())
    assert len(set(receiver.ids)) == len(receiver.ids)
