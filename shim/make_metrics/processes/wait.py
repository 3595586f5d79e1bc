"""Wait for a make to end, and for recipe lines that outlive a killed make."""

from __future__ import annotations

import os
import select
import time

from make_metrics.hot import arguments, procfs
from make_metrics.processes.alive import KEY, alive

_PAUSE_S = 0.1


def wait_for_end(key: str) -> None:
    """Wait, without a limit, until the process that a key names has ended.

    A later process with the same pid is another process. No clock is read, so neither suspending the machine nor
    setting the clock matters.
    """
    match = KEY.fullmatch(key)
    if match is None:
        return
    pid = int(match[2])
    descriptor = _pidfd(pid)
    if descriptor is None:
        while alive(key):
            time.sleep(_PAUSE_S)
        return
    try:
        # Compare the key only now: the descriptor stays with this process, whoever gets its pid later.
        if procfs.process_key(pid) == key.encode("ascii"):
            ready = select.poll()
            ready.register(descriptor, select.POLLIN)
            ready.poll()
    finally:
        os.close(descriptor)


def _pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends (pidfd_open(2)); None if the system has none."""
    if procfs.own_pid() != os.getpid():  # of another pid namespace the pid would be another process's
        return None
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, the process is gone, or a sandbox forbids it
        return None


def lines_remain(group: int) -> bool:
    """Whether a shim of this process group still runs though its make has gone, as after `kill -9` of make."""
    if procfs.own_pid() and not _may_have_shims(group):
        return False
    import psutil

    from make_metrics.processes.tree import shim_of

    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group:
                shim = shim_of(psutil.Process(pid))
                if shim is not None and not shim.has_make:
                    return True
        except (OSError, psutil.Error):
            continue
    return False


def _may_have_shims(group: int) -> bool:
    """Whether a process of a group may be a shim, by its command line in /proc, without the modules that know."""
    with os.scandir(procfs.PROC) as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    for pid in pids:
        try:
            if os.getpgid(pid) == group:
                words = procfs.read(b"%b/%d/cmdline" % (procfs.PROC, pid))
                if arguments.TITLE in words or arguments.PROTOCOL in words:
                    return True
        except OSError:
            continue
    return False
