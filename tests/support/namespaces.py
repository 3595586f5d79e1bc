"""Name spaces to run a command in, as words in front of it; each is skipped where it cannot be made."""

from __future__ import annotations

import shutil
import subprocess

import pytest

PID = ("unshare", "-pf")  # /proc stays that of the pid namespace outside
USER = ("unshare", "-r", "-pf")
HIDDEN = ("unshare", "-pf", "unshare", "-r")  # nothing tells which pid namespace it is
TIME = ("unshare", "-T", "--boottime", "864000", "--monotonic", "86400")
BOTH = (*TIME, *PID)
NO_PROC = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")

NO_DEVICES = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /dev && "$@" && ls /dev', "sh")  # lists /dev then


def needs(*words: str) -> None:
    """Skip the test where a name space cannot be made."""
    if not shutil.which(words[0]) or subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
        pytest.skip(f"{' '.join(words[:3])} does not work here")
