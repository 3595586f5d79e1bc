"""End what is being sent after a withdrawal: when its command returns, nothing leaves any more.

The no is on disk before this begins, so whoever takes a lock afterwards sends nothing. Who had it before may be between
the last check and the last byte.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path
from make_metrics.files.write import move_aside
from make_metrics.hot import procfs
from make_metrics.sender.protocol import PROGRAM

PATIENCE_S = 3.0
_ENDED_S = 10.0  # for the system to end a killed process, on a slow machine


def stop_sending(*locks: Path) -> Iterator[str]:
    """Wait until nobody holds the senders' locks; end those who still do after PATIENCE_S. Yields lines for people.

    The last step raises UserError if somebody sends who cannot be ended from here, as in another container.
    """
    unstoppable = []
    for path in locks:
        if not os.path.lexists(path) or _is_free(path, 0):
            continue
        if _is_free(path, PATIENCE_S):
            yield "waited for another make-metrics that was sending"
            continue
        pids = _end_holders(path)
        if not _is_free(path, _ENDED_S if pids else 0):
            unstoppable.append(printable_path(path))
        elif pids:
            yield f"ended another make-metrics that was still sending (process {', '.join(map(str, pids))})"
    if unstoppable:
        raise UserError(
            f"another make-metrics may still be sending, and cannot be ended from here: end who uses {unstoppable[0]}"
        )


def _is_free(path: Path, patience_s: float) -> bool:
    """Whether nobody holds a lock, or lets it go in time; raises UserError if its file cannot be used."""
    from make_metrics.files.lock import BusyError, FileLock

    move_aside(path)
    try:
        with FileLock(path).acquire(timeout=patience_s, poll_interval=0.02):
            return True
    except BusyError:
        return False
    except OSError as error:
        raise UserError(f"cannot use {printable_path(path)}: {error.strerror}") from error


def _end_holders(path: Path) -> list[int]:
    """Kill this user's senders and flushes that have a lock's file open; their process ids.

    What they have not sent waits, or comes again: they may end at any time. SIGKILL also ends who is stopped.
    """
    import psutil  # only here, where somebody is sending

    pids: list[int] = []
    if procfs.is_foreign():  # a signal would reach another process than the one that /proc shows
        return pids
    real = os.path.realpath(path)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.uids().real != os.getuid() or not _sends(process.cmdline()):
                continue
            if any(os.path.realpath(file.path) == real for file in process.open_files()):
                process.kill()
                pids.append(process.pid)
    return pids


def _sends(words: list[str]) -> bool:
    """Whether a command line is a sender's or a sink's, also of another installation, or `make-metrics flush`."""
    from make_metrics.sinks.packages.process import WORKER

    package = Path(PROGRAM).parents[1]
    tails = tuple(f"{os.sep}{Path(program).relative_to(package.parent)}" for program in (PROGRAM, WORKER))
    if any(word.endswith(tails) for word in words):
        return True
    names = {os.path.basename(word) for word in words}
    return "flush" in words and not names.isdisjoint({"make-metrics", "make_metrics"})
