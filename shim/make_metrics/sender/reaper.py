"""Whether a process may outlive make: only if something here reaps it, or it would stay as a zombie.

The walk imports this while a recipe line may be waiting: it imports nothing slow.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping

from make_metrics import environment
from make_metrics.hot import procfs

VARIABLE = "MAKE_METRICS_SENDER"
DETACHED, NONE = "detached", "none"
_MOMENT_S = 0.05
# Shells wait for any child of theirs (waitpid(-1)), also for one that they did not start. node waits only for its own.
_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "ksh", "mksh", "sh", "zsh"})
# Programs that are made to be process 1: they reap every orphan.
REAPERS = frozenset(
    {
        "catatonit",
        "dinit",
        "docker-init",
        "dumb-init",
        "finit",
        "init",
        "openrc-init",
        "procd",
        "runit",
        "s6-svscan",
        "shepherd",
        "systemd",
        "tini",
    }
)


def obstacle(environ: Mapping[str, str]) -> str:
    """Why no process may outlive a make with this environment; empty if one may.

    MAKE_METRICS_SENDER=detached skips the question about process 1, and no others. Any other value forbids a process;
    an empty one is as good as none.
    """
    return prohibition(environ) or ("" if environ.get(VARIABLE) == DETACHED else _obstacle_of_machine())


def prohibition(environ: Mapping[str, str]) -> str:
    """Why nothing may be sent beside a make with this environment, not even while it runs; empty if it may."""
    value = environ.get(VARIABLE, "")
    if value not in ("", DETACHED):
        return f"{VARIABLE} is {value!a} in the environment"
    if environment.in_ci(environ):
        return "this is CI"
    return ""


def _obstacle_of_machine() -> str:
    """Why process 1 would leave an ended process as a zombie; empty if it reaps, as far as can be seen."""
    if sys.platform != "linux":  # macOS: launchd reaps
        return ""
    if procfs.is_foreign():
        return "/proc is that of another pid namespace, so the process 1 here cannot be seen"
    import psutil  # slow to load: only where a process may be left behind

    try:
        first = psutil.Process(1).name()
        if first.partition("(")[0] in REAPERS or _ignores_children():
            return ""
    except (psutil.Error, OSError):
        return "process 1, which would have to wait for it, cannot be seen"
    if first not in _SHELLS:
        return f"process 1 is {first!a}, which may not wait for it"
    return f"process 1 is {first!a}, and has left zombies" if _has_zombies() else ""


def _ignores_children() -> bool:
    """Whether process 1 ignores SIGCHLD: then the system reaps (wait(2))."""
    with open("/proc/1/status", "rb") as file:
        for line in file:
            if line.startswith(b"SigIgn:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGCHLD - 1) & 1)
    return False


def _has_zombies() -> bool:
    """Whether a child of process 1 has ended, and is still there a moment later."""
    before = _zombies()
    if not before:
        return False
    time.sleep(_MOMENT_S)
    return not before.isdisjoint(_zombies())


def _zombies() -> frozenset[str]:
    pids = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                if file.read().rpartition(b") ")[2].startswith(b"Z 1 "):
                    pids.add(name)
    return frozenset(pids)
