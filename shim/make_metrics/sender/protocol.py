"""What those who start a sender and the sender itself must both know. The walk loads it: nothing heavy is imported."""

from __future__ import annotations

import os

from make_metrics.files import user_dirs

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sender.py")
# The sender's environment names make's key and process group, the state directory and the project's directory.
MAKE, GROUP, STATE, PROJECT = (f"MAKE_METRICS_SENDER_{name}" for name in ("MAKE", "GROUP", "STATE", "PROJECT"))
# What the notice is made from, besides the project's settings.
_NOTICE = (
    "consent/notice.py",
    "properties/registry.py",
    "properties/always.py",
    "properties/trace.py",
    "sinks/builtin.py",
)


def notice_state(project: str, decision: str) -> bytes:
    """What tells whether anything has changed that a yes depends on: the settings, the decision, and our own notice."""
    package = os.path.dirname(os.path.dirname(PROGRAM))
    ours = tuple(os.path.join(package, name) for name in _NOTICE)
    found = [os.stat(path) for path in (os.path.join(project, user_dirs.SETTINGS), decision, *ours)]
    return b" ".join(b"%d.%d.%d" % (one.st_mtime_ns, one.st_size, one.st_ino) for one in found)
