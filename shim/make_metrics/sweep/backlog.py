"""The backlog: records that no command has combined yet. A walk combines them when they are many or old.

Without this, the records of a developer who never looks at a report would grow without bounds. Combining may queue
messages, so it reads the developer's decisions, never those in a directory that a makefile has set.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time

import psutil

from make_metrics.files import user_dirs
from make_metrics.processes.tree import initial_environment

MANY_RECORDS = 16
OLD_RECORD_S = 86_400


def due(records: bytes) -> bool:
    """Whether a directory has 16 records, or one that was last written over a day ago."""
    with os.scandir(records) as entries:
        times = [entry.stat(follow_symlinks=False).st_mtime for entry in entries if entry.name.endswith(b".rec")]
    return len(times) >= MANY_RECORDS or bool(times and time.time() - min(times) > OLD_RECORD_S)


def combine(pid: int, state: bytes) -> bool:
    """Combine the records below a state directory, in the environment that the make `pid` was started with.

    Returns whether that was done. It is not if that environment is unknown, and a makefile may have changed where the
    decisions lie. This process takes over that environment, and the lowest priority, so it must do nothing else after.
    """
    environ = {}
    with contextlib.suppress(psutil.Error):
        environ = initial_environment(psutil.Process(pid))
    if environ:
        os.environ.clear()
        os.environ.update(environ)
    elif any(os.environ.get(name) for name in user_dirs.VARIABLES if name.startswith("XDG_")):
        return False
    from pathlib import Path  # not before: a recipe line may wait for the imports of the walk

    from make_metrics.errors import UserError
    from make_metrics.files.paths import Paths
    from make_metrics.sweep.sweep import sweep

    directory = Path(os.fsdecode(state))
    os.nice(19)
    gc.enable()
    with contextlib.suppress(UserError):
        if not environ and Paths.from_environment().state != directory:
            return False  # HOME is the makefile's, not the one that set-up found
        sweep(Paths.from_state(directory))
        return True
    return False
