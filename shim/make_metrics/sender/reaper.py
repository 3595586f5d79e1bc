"""Whether a process may outlive make: only if something here reaps it, or it would stay as a zombie.

The walk imports this while a recipe line may be waiting: it imports nothing slow but psutil, which the walk has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import psutil

from make_metrics import environment

VARIABLE = "MAKE_METRICS_SENDER"
DETACHED, NONE = "detached", "none"
# Files by which container engines mark a container.
_MARKS = ("/.dockerenv", "/run/.containerenv", "/run/systemd/container")
# Programs that are made to be process 1: they reap every orphan.
_REAPERS = frozenset(
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

    MAKE_METRICS_SENDER=detached skips the questions about containers and process 1, and no others. Any other value
    forbids a process; an empty one is as good as none.
    """
    value = environ.get(VARIABLE, "")
    if value not in ("", DETACHED):
        return f"{VARIABLE} is {value!a} in the environment"
    if environment.in_ci(environ):
        return "this is CI"
    return "" if value == DETACHED else _obstacle_of_machine(environ)


def _obstacle_of_machine(environ: Mapping[str, str]) -> str:
    mark = next((mark for mark in _MARKS if os.path.lexists(mark)), "")
    if mark or environ.get("container"):
        return f"this is a container ({mark or 'the variable container'})"
    if sys.platform != "linux":  # macOS: launchd reaps
        return ""
    try:
        first = psutil.Process(1).name()
    except psutil.Error:
        return "process 1, which would have to wait for it, cannot be seen"
    return "" if first.partition("(")[0] in _REAPERS else f"process 1 is {first!a}, which may not wait for it"
