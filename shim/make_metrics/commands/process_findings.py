"""What `make-metrics doctor` says about /proc: whether makes here can be told apart, and by which numbers."""

from __future__ import annotations

import os
import sys

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
