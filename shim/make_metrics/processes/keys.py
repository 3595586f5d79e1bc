"""The key that names a process for good, on any system: from /proc where there is one, else from psutil."""

from __future__ import annotations

import os

import psutil

from make_metrics.hot import procfs


def process_key(pid: int) -> str | None:
    """The key `<host>.<pid>.<start>` of a living process, None if there is no such process.

    Without /proc the start is in microseconds since the epoch and the host is all zeros.
    """
    known = procfs.process_key(pid)
    if known is not None:
        return known.decode("ascii")
    try:
        return f"00000000.{pid}.{int(psutil.Process(pid).create_time() * 1_000_000)}"
    except psutil.Error:
        return None


def boot_id() -> str:
    """This machine's name and its boot: `<name> <boot id>`; the boot's time stands in where it has no id."""
    known = procfs.boot_id().decode("ascii")
    return f"{os.uname().nodename} {known or int(psutil.boot_time())}"
