"""The key that names one process for ever, on any system: from /proc, or else from psutil."""

from __future__ import annotations

import os

import psutil

from make_metrics.hot import procfs


def process_key(pid: int) -> str | None:
    """The key `<host>.<pid>.<start>` of a process, None if there is no such process.

    Without /proc the start is in microseconds since the epoch, and the host is all zeros.
    """
    key = procfs.process_key(pid)
    if key is not None:
        return key.decode("ascii")
    try:
        return f"00000000.{pid}.{int(psutil.Process(pid).create_time() * 1_000_000)}"
    except psutil.Error:
        return None


def boot_id() -> str:
    """This machine's name and the id of its boot, as `<name> <id>`; without an id the time of the boot."""
    boot = procfs.boot_id().decode("ascii")
    return f"{os.uname().nodename} {boot or int(psutil.boot_time())}"
