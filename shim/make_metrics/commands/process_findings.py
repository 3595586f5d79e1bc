"""What `make-metrics doctor` says about /proc and /dev: whether makes here can be told apart, and the shim be tried."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from make_metrics.commands.finding import BAD, NOTE, OK, Finding
from make_metrics.hot import procfs

_MOUNT = "mount it (as root: mount -t proc proc /proc)"


def examine_processes() -> Finding:
    """Whether makes that are started here are recorded, as far as that depends on /proc."""
    if sys.platform == "darwin":
        return Finding(OK, "processes", "the system tells makes apart")
    if sys.platform != "linux":
        text = f"nothing is recorded on {sys.platform}, only on Linux and macOS; builds are as without us"
        return Finding(BAD, "processes", text)
    if not os.access("/proc/self/stat", os.R_OK):
        why = "/proc does not show the processes here" if os.path.ismount("/proc") else "there is no /proc"
        return Finding(BAD, "processes", f"nothing is recorded here, as {why}: {_MOUNT}", _MOUNT)
    if not procfs.is_foreign():
        return Finding(OK, "processes", "/proc tells makes apart")
    text = "/proc is that of the pid namespace outside: makes are recorded by the pids there"
    if len(procfs.hosts()) > 1:
        return Finding(NOTE, "processes", text)
    text += ", and one that a make outside starts is a run of its own"
    return Finding(NOTE, "processes", f"{text}: {_MOUNT}", _MOUNT)


def examine_devices() -> Iterator[Finding]:
    """What is missing below /dev: nothing of ours makes a file there, so no line tries the shim without /dev/null."""
    remedy = f"mount /dev, or make this device (as root: mknod -m 666 {os.devnull} c 1 3)"
    try:
        if stat.S_ISCHR(Path(os.devnull).stat().st_mode):
            return
        why, remedy = f"{os.devnull} is not a device", f"remove it; {remedy}"
    except OSError:
        why = f"there is no {os.devnull}"
    yield Finding(BAD, "devices", f"lines are not recorded here, as {why}: {remedy}", remedy)
