"""Reads /proc; no other module does. Without /proc every function answers "unknown", and the walk asks psutil.

A process is named by its key, `<host>.<pid>.<start>`. `host` stands for this boot and pid namespace; `start` is in
clock ticks since boot (proc(5): field 22 of stat), without the offset of a time namespace. So a reused pid, another
boot and another container with the same home all give other keys.

/proc may be that of another pid namespace (`unshare -pf` without `--mount-proc`). There a process has another pid than
the one that it knows itself by. All pids here, and in keys, are those that /proc shows.
"""

import posix
import sys
import time

PROC = b"/proc"
HOST_PRIME = 4294967291  # the largest prime below 2**32: folds boot and namespace into eight hexadecimal digits
# The clock that goes on while the machine sleeps, as a clock on the wall does, and that nobody sets: clock_gettime(2).
# Linux has CLOCK_BOOTTIME for it. On macOS CLOCK_MONOTONIC jumps when the clock is set, and the raw one does not.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
if sys.platform == "darwin":
    CLOCK = time.CLOCK_MONOTONIC_RAW
Above = tuple[int, int, bytes]


def read(path: bytes, limit: int = 65536) -> bytes:
    """The first bytes of a file, at most `limit`; raises OSError."""
    fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return posix.read(fd, limit)
    finally:
        posix.close(fd)


def boot_id() -> bytes:
    """The kernel's random id of this boot (random(4)); empty if unknown."""
    try:
        return read(PROC + b"/sys/kernel/random/boot_id").strip()
    except OSError:
        return b""


def own_pid() -> int:
    """This process's pid as /proc shows it; 0 if it shows none, or without /proc."""
    try:
        return int(posix.readlink(PROC + b"/self"))
    except (OSError, ValueError):
        return 0


def parent_pid() -> int:
    """The pid of our parent as /proc shows it; 0 if it shows none, or without /proc."""
    own = own_pid()
    if own == posix.getpid():
        return posix.getppid()
    return parent(own) if own else 0


def is_foreign() -> bool:
    """Whether /proc is that of another pid namespace."""
    return own_pid() not in (0, posix.getpid())


def hosts() -> tuple[bytes, ...]:
    """The hosts in the keys of processes that /proc shows; none if unknown.

    Each has eight hexadecimal digits. The first stands for this boot and the pid namespace that /proc shows. The last
    stands for /proc itself: it is in keys that were made where that namespace could not be asked for.
    """
    try:
        boot = int(boot_id().replace(b"-", b""), 16)
        numbers = (_namespace(), posix.stat(PROC).st_dev)
    except (OSError, ValueError):
        return ()
    return tuple([b"%08x" % ((boot + number) % HOST_PRIME) for number in numbers if number])


def _namespace() -> int:
    """The number of the pid namespace that /proc shows, from the nearest process above us that is in it; 0 if unknown.

    A process there has one pid, and one in a namespace below it has several (proc(5): NSpid of status).
    """
    pid = own_pid()
    if pid == posix.getpid():
        return posix.stat(PROC + b"/self/ns/pid").st_ino
    while pid:
        try:
            status = read(b"%b/%d/status" % (PROC, pid))
            if len(status.partition(b"\nNSpid:")[2].partition(b"\n")[0].split()) == 1:
                return posix.stat(b"%b/%d/ns/pid" % (PROC, pid)).st_ino
        except OSError:  # another user's, or of a user namespace above ours
            pass
        pid = parent(pid)
    return 0


def host() -> bytes:
    """The first of `hosts`; zeros if unknown."""
    return (*hosts(), b"00000000")[0]


def boot_offset_ns() -> int:
    """How far CLOCK_BOOTTIME is ahead of the machine's here: the offset of our time namespace, in nanoseconds."""
    try:
        offsets = read(PROC + b"/self/timens_offsets").split()
        seconds, ns = offsets[offsets.index(b"boottime") + 1 :][:2]
        return int(seconds) * 1_000_000_000 + int(ns)
    except (OSError, ValueError):
        return 0


def process_key(pid: int) -> bytes | None:
    """The key of a living process; None if there is no such process, or no /proc."""
    try:
        stat = read(b"%b/%d/stat" % (PROC, pid))
        start = int(stat[stat.rindex(b")") + 2 :].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    start -= boot_offset_ns() // (1_000_000_000 // posix.sysconf("SC_CLK_TCK"))
    return b"%b.%d.%d" % (host(), pid, start)


def above() -> Above:
    """The process above us: its pid as we know it, its pid as /proc shows it, and its key.

    Without /proc the second is the first, and the key is empty.
    """
    pid = posix.getppid()
    shown = parent_pid() or pid
    return pid, shown, process_key(shown) or b""


def is_zombie(pid: int) -> bool | None:
    """Whether a process has ended and was not waited for; None without /proc, or if there is no such process."""
    try:
        stat = read(b"%b/%d/stat" % (PROC, pid))
        return stat[stat.rindex(b")") + 2 :][:1] == b"Z"
    except (OSError, ValueError):
        return None


def program(pid: int) -> bytes:
    """The name that a process was started by, without its directory; empty if unknown."""
    try:
        return read(b"%b/%d/cmdline" % (PROC, pid)).partition(b"\0")[0].rpartition(b"/")[2]
    except OSError:
        return b""


def parent(pid: int) -> int:
    """The pid of a process's parent; 0 if unknown."""
    try:
        stat = read(b"%b/%d/stat" % (PROC, pid))
        return int(stat[stat.rindex(b")") + 2 :].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def ignored(pid: int) -> int:
    """The signals that a process ignores, bit n-1 for signal n; 0 if unknown."""
    try:
        status = read(b"%b/%d/status" % (PROC, pid))
        return int(status.partition(b"\nSigIgn:\t")[2][:16], 16)
    except (OSError, ValueError):
        return 0


def environment(pid: int | None = None) -> dict[bytes, bytes]:
    """The environment that a process (by default this one) was started with; empty if unknown."""
    block, size = b"", 65536
    try:
        fd = posix.open(b"%b/%b/environ" % (PROC, b"%d" % pid if pid else b"self"), posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            while chunk := posix.read(fd, size):
                block += chunk
        finally:
            posix.close(fd)
    except OSError:
        return {}
    return {name: value for name, mark, value in (entry.partition(b"=") for entry in block.split(b"\0")) if mark}


def imports(pid: int, name: bytes) -> bool:
    """Whether the program that a process runs imports a function by this name; true if unknown."""
    try:
        return b"\0%b\0" % name in read(b"%b/%d/exe" % (PROC, pid), 1 << 24)
    except OSError:
        return True


def same_output(pid: int) -> bool | None:
    """Whether this process and another have the same file as standard output; None if unknown."""
    try:
        theirs, ours = posix.stat(b"%b/%d/fd/1" % (PROC, pid)), posix.fstat(1)
    except OSError:
        return None
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)
