"""One process at a time: the lock that filelock takes, without loading filelock where nobody holds it.

Loading filelock takes as long as most commands work. On Unix its lock is flock(2), which the hot path takes as well
(`hot.append`). So a free lock is taken by that; filelock waits for a lock that somebody holds, and takes one where
flock(2) fails.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from make_metrics.hot import append

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

_MODE = 0o600


class BusyError(TimeoutError):
    """The lock was not free in time."""


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock of a file, which is not made. Raises OSError if the file cannot be used."""
    if not os.path.lexists(path):
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except BusyError:
        return True


class FileLock:
    """The lock of a file, which is made if it is missing. Whoever holds it may take it again."""

    def __init__(self, path: Path) -> None:
        """Take nothing yet."""
        self._path = path
        self._depth = 0
        self._descriptor = -1
        self._waiting: BaseFileLock | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptor that holds the lock. A child that inherits it holds the lock too."""
        if self._descriptor >= 0:
            return (self._descriptor,)
        waiting = getattr(getattr(self._waiting, "_context", None), "lock_file_fd", None)
        return () if waiting is None else (waiting,)

    @contextlib.contextmanager
    def acquire(self, *, timeout: float, poll_interval: float = 0.02) -> Iterator[None]:
        """Hold the lock for the length of a `with` block.

        Waits up to `timeout` seconds, and looks every `poll_interval` seconds. Raises BusyError if the lock is not free
        in time, and OSError if its file cannot be used.
        """
        if not self._depth:
            self._take(timeout, poll_interval)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._let_go()

    def _take(self, timeout: float, poll_interval: float) -> None:
        try:
            self._descriptor = append.lock(os.fsencode(self._path), patience_ns=0)
        except BlockingIOError as error:
            if not timeout:
                raise BusyError(os.fspath(self._path)) from error
            self._wait(timeout, poll_interval)
        except (OSError, ImportError):
            if self._path.is_symlink():  # older filelocks follow it, and empty what it leads to
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(self._path)) from None
            self._wait(timeout, poll_interval)
        else:
            if stat.S_IMODE(os.fstat(self._descriptor).st_mode) != _MODE:  # an umask may take more than it should
                with contextlib.suppress(PermissionError):
                    os.fchmod(self._descriptor, _MODE)

    def _wait(self, timeout: float, poll_interval: float) -> None:
        import filelock

        waiting = filelock.FileLock(self._path, mode=_MODE, thread_local=False)
        try:
            waiting.acquire(timeout=timeout, poll_interval=poll_interval)
        except filelock.Timeout as error:
            raise BusyError(os.fspath(self._path)) from error
        self._waiting = waiting

    def _let_go(self) -> None:
        if self._waiting is not None:
            self._waiting.release()
            self._waiting = None
            return
        import fcntl

        descriptor, self._descriptor = self._descriptor, -1
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child may have the descriptor too
        finally:
            os.close(descriptor)
