"""Whether the process that a key names still runs."""

from __future__ import annotations

import re

from make_metrics.hot import procfs

KEY = re.compile(r"([0-9a-f]{8})\.([0-9]{1,7})\.([0-9]{1,20})")


def alive(run_key: str, boot: str = "") -> bool | None:
    """True for a process that runs, False for one that has ended, None for one that cannot be judged from here.

    A process of another container or host cannot be judged; one of another boot only where `boot` (see `process.boot`)
    says that it was this machine's. A name that is no process key names no process. A process that has ended but was
    not waited for yet (a zombie) has ended.
    """
    named = KEY.fullmatch(run_key)
    if named is None:
        return False
    import psutil  # takes time to load, and is needed only where there are records

    from make_metrics.processes.keys import boot_id, process_key

    if boot and boot != boot_id() and boot.split()[0] == boot_id().split()[0]:
        return False
    if named[1] != procfs.host().decode("ascii"):
        return None
    pid = int(named[2])
    found = process_key(pid)
    if found != run_key:
        return None if found is None and psutil.pid_exists(pid) else False
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
