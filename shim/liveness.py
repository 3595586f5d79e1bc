"""Whether the process that a key names still runs."""

from __future__ import annotations

import re

from shim.hot import procid

KEY = re.compile(r"([0-9a-f]{8})\.([0-9]{1,10})\.([0-9]{1,20})")


def alive(run_key: str) -> bool | None:
    """True for a process that runs, False for one that has ended, None for one that cannot be judged from here.

    A process of another boot, container or host cannot be judged; a name that is no process key names no process.
    """
    named = KEY.fullmatch(run_key)
    if named is None:
        return False
    if named[1] != procid.host().decode("ascii"):
        return None
    return _same(int(named[2]), run_key)


def _same(pid: int, run_key: str) -> bool | None:
    from shim import process  # psutil: only for a record of this very boot

    found = process.key(pid)
    if found != run_key:
        return None if found is None and process.exists(pid) else False
    return not process.ended(pid)
