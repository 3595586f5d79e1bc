"""Whether a process may be left behind when make ends: whether anybody here waits for it when it has ended too.

Loads little: the walk asks it before it starts the sender, and a recipe's first line may wait for the walk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import psutil

from make_metrics import environment

VARIABLE = "MAKE_METRICS_SENDER"
DETACHED, NONE = "detached", "none"
# What container engines leave for those who want to know.
_MARKS = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
# Programs that are written to be the first process: they wait for every process that is handed to them.
_WAITING = frozenset(
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
    """Why a make with this environment leaves no process behind; empty if it may.

    MAKE_METRICS_SENDER=detached answers for container and first process, and for nothing else; any other value but
    that and an empty one means none.
    """
    said = environ.get(VARIABLE, "")
    if said not in ("", DETACHED):
        return f"{VARIABLE} is {said!a} in the environment"
    if environment.in_ci(environ):
        return "this is CI"
    return "" if said == DETACHED else _of_machine(environ)


def _of_machine(environ: Mapping[str, str]) -> str:
    mark = next((mark for mark in _MARKS if os.path.lexists(mark)), "")
    if mark or environ.get("container"):
        return f"this is a container ({mark or 'the variable container'})"
    if sys.platform != "linux":  # its own init, whatever its name
        return ""
    try:
        first = psutil.Process(1).name()
    except psutil.Error:
        return "process 1, which would have to wait for it, cannot be seen"
    return "" if first.partition("(")[0] in _WAITING else f"process 1 is {first!a}, which may not wait for it"
