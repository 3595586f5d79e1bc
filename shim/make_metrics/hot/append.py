"""Appends one entry to a run's record, under the lock that the sweep takes to combine and remove the record.

The lock is flock(2) on `<run>.lock`; filelock takes the same on Unix. A writer that does not get the lock in time (a
file system without locks, a stuck holder) writes a record file of its own: nobody waits for us, no entry is lost.
"""

import posix
import time

from make_metrics.hot import record_format

LOCK_PATIENCE_NS = 250_000_000
LOCK_PAUSE_NS = 500_000
LOCK_PARTS = 10
_OPEN_FLAGS = posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW


def ensure_directory(path: bytes, anchor: bytes) -> None:
    """Create a private directory and its missing parents below `anchor`, which must exist.

    Raises OSError if that fails, or if another user's directory or a symbolic link is in its place.
    """
    try:
        status = posix.lstat(path)
    except FileNotFoundError:
        if not path.startswith(anchor + b"/"):
            raise
        posix.stat(anchor)
        _make_directory(path, anchor)
        status = posix.lstat(path)
    if status.st_mode & 0o170000 != 0o040000 or (status.st_uid != posix.geteuid() and posix.geteuid()):
        raise PermissionError("not a directory of ours")


def _make_directory(path: bytes, anchor: bytes) -> None:
    try:
        posix.mkdir(path, 0o700)
    except FileExistsError:
        pass  # another line of this build was first
    except FileNotFoundError:
        parent = path.rpartition(b"/")[0]
        if not parent.startswith(anchor + b"/"):
            raise
        _make_directory(parent, anchor)
        _make_directory(path, anchor)


def lock(path: bytes, *, shared: bool = False, patience_ns: int = LOCK_PATIENCE_NS, parts: int = LOCK_PARTS) -> int:
    """Lock a file, which is created if missing; gives the descriptor that holds the lock.

    Tries again after 1/`parts` of the time waited so far: many lines may wait on few cores, so each tries less often
    the longer it waits. Raises OSError if the lock is not free within `patience_ns` nanoseconds, and ImportError
    without fcntl.
    """
    import fcntl  # built into some interpreters, a small shared object in others

    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    begin = time.monotonic_ns()
    while True:
        fd = _open(path, 0)
        try:
            fcntl.flock(fd, operation)
            if posix.fstat(fd).st_nlink:
                return fd
            posix.close(fd)  # its holder combined the record and removed the lock while we waited
        except BlockingIOError:
            posix.close(fd)
            waited = time.monotonic_ns() - begin
            if waited >= patience_ns:
                raise
            time.sleep(max(LOCK_PAUSE_NS, waited // parts) / 1e9)
        except OSError:
            posix.close(fd)
            raise


def _open(path: bytes, flags: int) -> int:
    """Open a file of ours for reading and writing, which is created if missing; raises OSError.

    As root in another user's directory (a nested make under sudo): give what we have created to that user, and nothing
    else. A link or a file of somebody else that they have put there is not opened.
    """
    flags |= posix.O_RDWR | _OPEN_FLAGS
    owner = posix.geteuid() or posix.stat(path.rpartition(b"/")[0])
    if isinstance(owner, int) or not owner.st_uid:
        return posix.open(path, flags, 0o600)
    while True:
        try:
            fd = posix.open(path, flags | posix.O_EXCL, 0o600)
            posix.fchown(fd, owner.st_uid, owner.st_gid)
            return fd
        except FileExistsError:
            if flags & posix.O_EXCL:
                raise
        try:
            fd = posix.open(path, flags & ~posix.O_CREAT)
        except FileNotFoundError:
            continue  # removed meanwhile
        status = posix.fstat(fd)
        if status.st_mode & 0o170000 == 0o100000 and status.st_nlink < 2 and status.st_uid == owner.st_uid:
            return fd
        posix.close(fd)
        raise PermissionError("not a file of theirs")


def append_entry(records: bytes, run: bytes, entry: bytes) -> None:
    """Append an entry to a run's record in the directory `records`; raises OSError if neither file can be written."""
    base = records + b"/" + run
    try:
        lock_fd = lock(base + b".lock")
        try:
            _write(base + b".rec", run, entry, 0)
            return
        finally:
            posix.close(lock_fd)
    except (OSError, ImportError):
        private = b"%b~%b.rec" % (base, posix.urandom(8).hex().encode())
    _write(private, run, entry, posix.O_EXCL)


def _write(path: bytes, run: bytes, entry: bytes, flags: int) -> None:
    fd = _open(path, posix.O_APPEND | flags)
    try:
        status = posix.fstat(fd)
        size = status.st_size
        if status.st_mode & 0o170000 != 0o100000:
            raise PermissionError("not a record")
        text = entry
        if not size:
            text = record_format.preamble(run, posix.urandom(8).hex().encode()) + entry
        elif posix.pread(fd, 1, size - 1) != b"\n":
            text = b"\n" + entry  # end the torn entry before ours: it must not cost ours too
        written = posix.write(fd, text)
        if written != len(text):  # the disk is full: remove the half entry
            posix.ftruncate(fd, size)
    finally:
        posix.close(fd)
