"""The backlog: records that wait for somebody to look at a report, and are combined by a walk when they are many.

For a developer who never does, they would grow without bounds. What is combined may be queued for sending, or not: that
is decided by what the developer has decided, wherever a makefile would have it looked for.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time

import psutil

from make_metrics.files import user_dirs

_MANY_RECORDS = 16
_OLD_RECORD_S = 86_400


def due(records: bytes) -> bool:
    """Whether records wait that are many, or old."""
    with os.scandir(records) as entries:
        waiting = [entry.stat(follow_symlinks=False).st_mtime for entry in entries if entry.name.endswith(b".rec")]
    return len(waiting) >= _MANY_RECORDS or bool(waiting and time.time() - min(waiting) > _OLD_RECORD_S)


def combine(pid: int, state: bytes) -> bool:
    """Combine what waits, in the environment that the developer's make `pid` was started with; whether that was done.

    Takes over this process, which does nothing after it: its environment is that one, its priority the lowest.
    """
    began = _began_with(pid)
    if began:
        os.environ.clear()
        os.environ.update(began)
    elif any(os.environ.get(name) for name in user_dirs.VARIABLES if name.startswith("XDG_")):
        return False
    from pathlib import Path  # there is time now

    from make_metrics.errors import UserError
    from make_metrics.files.paths import Paths
    from make_metrics.sweep.sweep import sweep

    directory = Path(os.fsdecode(state))
    os.nice(19)
    gc.enable()
    with contextlib.suppress(UserError):
        if not began and Paths.from_environment().state != directory:
            return False  # a makefile's HOME, not the one that set-up has found
        sweep(Paths.from_state(directory))
        return True
    return False


def _began_with(pid: int) -> dict[str, str]:
    """What a make was started with; empty where that cannot be told, as of macOS's own make."""
    with contextlib.suppress(psutil.Error, OSError):
        return psutil.Process(pid).environ()
    return {}
