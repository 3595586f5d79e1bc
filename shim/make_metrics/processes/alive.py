"""Whether the process that a key names still runs."""

from __future__ import annotations

import os
import re

from make_metrics.hot import procfs

KEY = re.compile(r"([0-9a-f]{8})\.([0-9]{1,7})\.([0-9]{1,20})")


def alive(run_key: str, boot: str = "") -> bool | None:
    """True if the process runs, False if it has ended, None if this cannot be judged from here.

    A process of another container or host cannot be judged. A process of an earlier boot has ended, but only `boot`
    (see `processes.keys.boot_id`) tells an earlier boot of this machine from another machine. A zombie, which has ended
    but was not waited for, has ended. Text that is no process key names no process: False.
    """
    match = KEY.fullmatch(run_key)
    if match is None:
        return False
    from make_metrics.processes.keys import boot_id, process_key

    if boot and boot != boot_id() and boot.split()[:1] == boot_id().split()[:1]:
        return False
    if match[1].encode("ascii") not in (procfs.hosts() or (procfs.host(),)):
        return None
    pid = int(match[2])
    key = process_key(pid)
    if key is None and not procfs.is_foreign() and _is_there(pid):
        return None
    if key is None or key.partition(".")[2] != run_key.partition(".")[2]:
        return False
    is_zombie = procfs.is_zombie(pid)
    if is_zombie is not None:
        return not is_zombie
    import psutil  # slow to load: only where /proc does not tell

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def _is_there(pid: int) -> bool:
    """Whether there is a process with this pid, whose key cannot be read."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0
