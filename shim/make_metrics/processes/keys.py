"""The key that names one process for ever, on any system: from /proc, or else from psutil."""

from __future__ import annotations

import os
import time

from make_metrics.hot import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import psutil

_SECOND_NS = 1_000_000_000


def process_key(pid: int) -> str | None:
    """The key `<host>.<pid>.<start>` of a process, None if there is no such process.

    Without /proc the start is in microseconds since the epoch, as it was noted then, and the host is all zeros.
    """
    key = procfs.process_key(pid)
    if key is not None:
        return key.decode("ascii")
    if procfs.own_pid():
        return None
    import psutil  # slow to load: only without /proc

    try:
        return f"00000000.{pid}.{int(_noted_start(psutil.Process(pid)) * 1_000_000)}"
    except psutil.Error:
        return None


def _noted_start(process: psutil.Process) -> float:
    """A process's start as the system noted it, in seconds; raises psutil.Error.

    psutil (from 7.1) moves the public `create_time` when the clock is set, and a key must not change in a process that
    waits meanwhile. On Linux, which has /proc, this would count from the boot.
    """
    try:
        return float(process._proc.create_time(monotonic=True))  # type: ignore[attr-defined]
    except (AttributeError, TypeError):  # a psutil that never moves it
        return process.create_time()


def start_time_ns(process: psutil.Process) -> int:
    """When a process was started, in nanoseconds since the epoch; raises psutil.Error if it is gone.

    From its age where /proc tells its start in clock ticks since boot: psutil adds that to the time of the boot, which
    Linux gives in whole seconds. CLOCK_BOOTTIME goes on while the machine sleeps, as the ticks do.
    """
    key = procfs.process_key(process.pid)
    if key is None or not hasattr(time, "CLOCK_BOOTTIME"):
        return int(process.create_time() * _SECOND_NS)
    start_ns = int(key.rpartition(b".")[2]) * _SECOND_NS // os.sysconf("SC_CLK_TCK")
    return time.time_ns() - (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - procfs.boot_offset_ns() - start_ns)


def boot_id() -> str:
    """This machine's name and the id of its boot, as `<name> <id>`; without an id the time of the boot."""
    boot = procfs.boot_id().decode("ascii") or boot_session()
    if not boot:
        import psutil

        boot = str(int(psutil.boot_time()))
    return f"{os.uname().nodename} {boot}"


def boot_session(library: str | None = None) -> str:
    """The random id of this boot that macOS gives (kern.bootsessionuuid), in `library` for a test; empty elsewhere.

    The time of a boot is no id there: macOS computes it from the clock, and it changes when the clock is set.
    """
    try:
        import ctypes

        text = ctypes.create_string_buffer(64)
        size = ctypes.c_size_t(len(text))
        ask = ctypes.CDLL(library).sysctlbyname
    except (ImportError, OSError, AttributeError):
        return ""
    if ask(b"kern.bootsessionuuid", text, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return ""
    return text.value.decode("ascii", "replace")
