"""What the sender and the code that starts it must both know.

The walk imports this while a recipe line may be waiting: it imports nothing slow.
"""

from __future__ import annotations

import os

from make_metrics.files import user_dirs

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sender.py")
# Variables of the sender's environment: make's key and process group, the state directory, the project's directory.
MAKE, GROUP, STATE, PROJECT = (f"MAKE_METRICS_SENDER_{name}" for name in ("MAKE", "GROUP", "STATE", "PROJECT"))
# The descriptor that holds the senders' lock, if the launcher has taken that; it has left word then.
HELD = "MAKE_METRICS_SENDER_LOCK"
BESIDE = "beside"  # in place of make's key: do not wait for make, send what earlier makes have left
# The files that the text of the notice comes from, besides the project's settings.
_NOTICE = (
    "consent/notice.py",
    "properties/registry.py",
    "properties/always.py",
    "properties/trace.py",
    "sinks/builtin.py",
)


def notice_state(project: str, decision: str) -> bytes:
    """Times, sizes and inodes of the files that decide whether a yes holds; while they are equal, the answer is too.

    These are the project's settings, the decision, and the files that our notice comes from. Raises OSError.
    """
    package = os.path.dirname(os.path.dirname(PROGRAM))
    ours = (os.path.join(package, name) for name in _NOTICE)
    paths = (os.path.join(project, user_dirs.SETTINGS), decision, *ours)
    return b" ".join(
        b"%d.%d.%d" % (status.st_mtime_ns, status.st_size, status.st_ino) for status in map(os.stat, paths)
    )
