"""Appending one entry to a run's record, under the lock that the sweep takes to combine and remove it.

The lock is flock(2) on `<run>.lock`, the one filelock takes on Unix. A writer that does not get it soon, because the
file system has no locks or their holder is stuck, writes a record file of its own instead: nothing waits for us, and
nothing is lost.
"""

import posix
import time

from make_metrics.hot import record_format

_OPEN = posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW
_PATIENCE_NS = 250_000_000
_PAUSE_NS = 500_000


def ensure_directory(path: bytes, anchor: bytes) -> None:
    """Make sure of a private directory, with what is missing of its parents below `anchor`, which must be there.

    Raises OSError if that cannot be, or if somebody else's directory or a symbolic link is in its place.
    """
    try:
        found = posix.lstat(path)
    except FileNotFoundError:
        if not path.startswith(anchor + b"/"):
            raise
        posix.stat(anchor)
        _make(path, anchor)
        found = posix.lstat(path)
    if found.st_mode & 0o170000 != 0o040000 or (found.st_uid != posix.geteuid() and posix.geteuid()):
        raise PermissionError("not a directory of ours")


def _make(path: bytes, anchor: bytes) -> None:
    try:
        posix.mkdir(path, 0o700)
    except FileExistsError:
        pass  # another line of this build was first
    except FileNotFoundError:
        parent = path.rpartition(b"/")[0]
        if not parent.startswith(anchor + b"/"):
            raise
        _make(parent, anchor)
        _make(path, anchor)


def lock(path: bytes, *, shared: bool = False, patience_ns: int = _PATIENCE_NS, parts: int = 10) -> int:
    """A descriptor that holds the lock on a file, which is made if need be.

    Many may wait, on few cores: the longer it takes, the less often each of them looks, again after one of so many
    `parts` of the time that it has waited. Raises OSError when the lock is not to be had within `patience_ns`
    nanoseconds, ImportError without fcntl.
    """
    import fcntl  # built into some interpreters, a small shared object of others

    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    begun = time.monotonic_ns()
    while True:
        fd = posix.open(path, posix.O_RDWR | _OPEN, 0o600)
        try:
            _give(fd, path)
            fcntl.flock(fd, operation)
            if posix.fstat(fd).st_nlink:
                return fd
            posix.close(fd)  # removed while we waited: its holder combined the record
        except BlockingIOError:
            posix.close(fd)
            waited = time.monotonic_ns() - begun
            if waited >= patience_ns:
                raise
            time.sleep(max(_PAUSE_NS, waited // parts) / 1e9)
        except OSError:
            posix.close(fd)
            raise


def _give(fd: int, path: bytes) -> None:
    """As root, in a nested make under sudo: leave a file to the owner of the directory that it is in."""
    if not posix.geteuid():
        owner = posix.stat(path.rpartition(b"/")[0])
        if posix.fstat(fd).st_uid != owner.st_uid:
            posix.fchown(fd, owner.st_uid, owner.st_gid)


def append_entry(records: bytes, run: bytes, text: bytes) -> None:
    """Append an entry to a run's record in the directory `records`; raises OSError if it cannot be written anywhere."""
    base = records + b"/" + run
    try:
        held = lock(base + b".lock")
    except (OSError, ImportError):
        private = b"%b~%b.rec" % (base, posix.urandom(8).hex().encode())
        _write(private, run, text, posix.O_EXCL)
        return
    try:
        _write(base + b".rec", run, text, 0)
    finally:
        posix.close(held)


def _write(path: bytes, run: bytes, text: bytes, flags: int) -> None:
    fd = posix.open(path, posix.O_RDWR | posix.O_APPEND | _OPEN | flags, 0o600)
    try:
        _give(fd, path)
        size = posix.fstat(fd).st_size
        if not size:
            text = record_format.preamble(run, posix.urandom(8).hex().encode()) + text
        elif posix.pread(fd, 1, size - 1) != b"\n":
            text = b"\n" + text  # a torn entry before us must not cost ours
        written = posix.write(fd, text)
        if written != len(text):  # the disk is full: leave no half of an entry
            posix.ftruncate(fd, size)
    finally:
        posix.close(fd)
