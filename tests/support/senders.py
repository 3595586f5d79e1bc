"""The senders that makes leave behind: finding them, and taking them in, so that none stays as a zombie."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from make_metrics.files.paths import Paths
from make_metrics.sender import protocol
from tests.support.project import until
from tests.support.records import ended_run

_PR_SET_CHILD_SUBREAPER = 36


class Senders:
    """The senders of one home."""

    def __init__(self, home: Path) -> None:
        self._home = str(home)
        self._before = set(psutil.Process().children(recursive=True))  # what other tests have started, and not ended

    def found(self) -> list[psutil.Process]:
        """Those that run."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if protocol.PROGRAM in process.cmdline() and self._ours(process):
                    found.append(process)
        return found

    def _ours(self, process: psutil.Process) -> bool:
        return process.environ().get("MAKE_METRICS_HOME") == self._home

    def one(self) -> psutil.Process:
        """The one that runs, or will in a moment."""
        until(self.found)
        (found,) = self.found()
        return found

    def gone(self) -> None:
        """Wait until none runs any more."""
        until(lambda: not self.left(), seconds=60, what=lambda: [str(one) for one in self.left()])

    def left(self) -> list[psutil.Process]:
        """What makes have left behind at this moment, be it a sender or about to become one; zombies do not count."""
        if sys.platform != "linux":
            return self.found()
        children = set(psutil.Process().children(recursive=True)) - self._before
        return [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def taken_in(home: Path) -> Iterator[Senders]:
    """Orphans become this process's own, where the system knows such a thing; at the end none of them is left."""
    _adopt(True)
    found = Senders(home)
    try:
        yield found
    finally:
        for process in {*found.found(), *found.left()}:
            with contextlib.suppress(psutil.Error):
                process.kill()
        until(lambda: not found.left())
        _adopt(False)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _adopt(on: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def started(paths: Paths, project: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """A sender for a make of a project that has ended, as a child of this process."""
    ours = {protocol.MAKE: ended_run(), protocol.STATE: str(paths.state), protocol.PROJECT: str(project)}
    return subprocess.Popen([sys.executable, "-I", protocol.PROGRAM], env={**environ, **ours}, stdin=subprocess.DEVNULL)
