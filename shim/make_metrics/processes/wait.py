"""Waiting for a make to end, and for the lines that outlive one that was killed."""

from __future__ import annotations

import os
import select
import time

from make_metrics.hot import procfs
from make_metrics.processes.alive import KEY, alive

_PAUSE_S = 0.1


def wait_for_end(key: str) -> None:
    """Wait until the process that a key names has ended; one that has its pid since then is another process.

    However long that takes: no clock is asked, so that neither sleep nor a clock that is set makes a difference.
    """
    named = KEY.fullmatch(key)
    if named is None:
        return
    watch = _watch(int(named[2]))
    if watch is None:
        while alive(key):
            time.sleep(_PAUSE_S)
        return
    try:
        # Looked at while it is held: from here on its number belongs to no other process.
        if procfs.process_key(int(named[2])) == key.encode("ascii"):
            ready = select.poll()
            ready.register(watch, select.POLLIN)
            ready.poll()
    finally:
        os.close(watch)


def _watch(pid: int) -> int | None:
    """A descriptor that is ready to read once the process has ended (pidfd_open(2)); None where there is none."""
    if procfs.process_key(os.getpid()) is None:
        return None
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # another system, or the process is gone, or a sandbox forbids it
        return None


def lines_remain(group: int) -> bool:
    """Whether a recipe line of a process group goes on though its make is gone: make was killed."""
    import psutil

    from make_metrics.processes.tree import arguments_of, is_make

    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group:
                found = psutil.Process(pid)
                words, above = arguments_of(found), found.parent()
                if words and not (above and is_make(above, frozenset({"make", "gmake", os.fsdecode(words.make)}))):
                    return True
        except (OSError, psutil.Error):
            continue
    return False
