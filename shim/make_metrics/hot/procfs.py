"""Reads /proc; no other module does. Without /proc every function answers "unknown", and the walk asks psutil.

A process is named by its key, `<host>.<pid>.<start>`. `host` stands for this boot and pid namespace; `start` is in
clock ticks since boot (proc(5): field 22 of stat). So a reused pid, another boot and another container with the same
home all give other keys.
"""

import posix

PROC = b"/proc"
HOST_PRIME = 4294967291  # the largest prime below 2**32: folds boot and namespace into eight hexadecimal digits


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


def host() -> bytes:
    """Eight hexadecimal digits for this boot and pid namespace; zeros if unknown."""
    try:
        number = int(boot_id().replace(b"-", b""), 16)
        return b"%08x" % ((number + posix.stat(PROC + b"/self/ns/pid").st_ino) % HOST_PRIME)
    except (OSError, ValueError):
        return b"00000000"


def process_key(pid: int) -> bytes | None:
    """The key of a living process; None if there is no such process, or no /proc."""
    try:
        stat = read(b"%b/%d/stat" % (PROC, pid))
        start = int(stat[stat.rindex(b")") + 2 :].split()[19])
    except (OSError, ValueError, IndexError):
        return None
    return b"%b.%d.%d" % (host(), pid, start)


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
