"""The file sink: JSON lines in a file of this machine, for other programs to collect.

A project names the file; only the user names its directory. So no repository can make us append to any other file:
docs/decisions/0010-sinks.md.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path, private_directory
from make_metrics.sinks.last_check import StoppedError, require_permission
from make_metrics.sinks.sink import Message, Outcome, Prepared, Verdict

LIMIT_BYTES = 10_000_000
KEEP = 10
BATCH_MESSAGES = 1_000
_PATIENCE_S = 0.02
_ID = re.compile(rb'"messageId": "([^"\\]*)"')
_BLOCK = 65_536


class FileSink:
    """A file NAME.jsonl in a directory. Full files stay beside it as NAME.1.jsonl (the latest) to NAME.10.jsonl."""

    def __init__(self, name: str, directory: Path, *, must_exist: bool = False, limit_bytes: int = LIMIT_BYTES) -> None:
        """Open nothing yet. With `must_exist` the directory is the user's, and is never created."""
        self._name, self._directory, self._must_exist, self._limit = name, directory, must_exist, limit_bytes

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """Positions in batches of at most 1,000 messages."""
        positions = list(range(len(messages)))
        return [positions[at : at + BATCH_MESSAGES] for at in range(0, len(positions), BATCH_MESSAGES)]

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The lines that `send` would append, and the file's URL."""
        return Prepared((self._directory / self._name).as_uri(), b"".join(map(_line, batch)))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Append the messages that the file does not have yet, and wait until they are on disk."""
        prepared = self.prepare(batch)
        try:
            with self._opened() as directory, _locked(f".{self._name}.lock", directory, timeout_s):
                require_permission()  # after the wait for the lock
                self._append(batch, directory)
        except StoppedError as error:
            return Verdict(Outcome.LATER, str(error), prepared.url)
        except (OSError, UserError) as error:
            reason = error.strerror or "the time is over" if isinstance(error, OSError) else str(error)
            path = printable_path(self._directory / self._name)
            outcome = Outcome.HELD if isinstance(error, UserError) else Outcome.LATER
            return Verdict(outcome, f"{path} cannot be written: {reason}", prepared.url)
        return Verdict(Outcome.ACCEPTED, "written", prepared.url, prepared.body)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """A descriptor of the directory, which is private, or the user's own."""
        if not self._must_exist:
            private_directory(self._directory.parent)
            private_directory(self._directory)
        descriptor = os.open(
            self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if self._must_exist else os.O_NOFOLLOW)
        )
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
                raise UserError("its directory belongs to another user, or anybody may write there")
            yield descriptor
        finally:
            os.close(descriptor)

    def _append(self, batch: Sequence[Message], directory: int) -> None:
        descriptor = _open(self._name, directory)
        try:
            size = _cut_torn_line(descriptor)
            written = _ids(descriptor) | self._ids_before(directory)
            new = [message for message in batch if str(message.get("messageId")).encode() not in written]
            lines = b"".join(map(_line, new))
            if size and size + len(lines) > self._limit:
                os.close(descriptor)
                descriptor = -1
                self._rotate(directory)
                descriptor, size = _open(self._name, directory), 0
            _write(descriptor, lines, size)
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        os.fsync(directory)

    def _ids_before(self, directory: int) -> set[bytes]:
        """The ids in the latest full file: its writer may have died before it could report the last batch."""
        with contextlib.suppress(FileNotFoundError):
            descriptor = _open(self._numbered(1), directory, create=False)
            try:
                return _ids(descriptor)
            finally:
                os.close(descriptor)
        return set()

    def _numbered(self, number: int) -> str:
        return f"{self._name.removesuffix('.jsonl')}.{number}.jsonl"

    def _rotate(self, directory: int) -> None:
        names = [self._name, *(self._numbered(number) for number in range(1, KEEP + 1))]
        for older, newer in reversed(list(zip(names[1:], names, strict=False))):
            with contextlib.suppress(FileNotFoundError):
                os.replace(newer, older, src_dir_fd=directory, dst_dir_fd=directory)


def _line(message: Message) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _open(name: str, directory: int, *, create: bool = True) -> int:
    """Open a regular file of ours; raises UserError if the name is a link, or anything else than such a file."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    try:
        descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UserError(f"{name} is a symbolic link: move it away") from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
        os.close(descriptor)
        raise UserError(f"{name} is not a file of yours alone: move it away")
    return descriptor


@contextlib.contextmanager
def _locked(name: str, directory: int, timeout_s: float) -> Iterator[None]:
    """Hold the lock of writers. Not filelock's: it opens a path, and we open a name below the open directory."""
    descriptor = _open(name, directory)
    deadline = time.monotonic() + timeout_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise UserError("another make-metrics is writing") from None
                time.sleep(_PATIENCE_S)
        yield
    finally:
        os.close(descriptor)


def _cut_torn_line(descriptor: int) -> int:
    """Cut off a line that a dying writer did not finish: its message still waits to be sent. The file's new size."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(end - _BLOCK, 0)
        at = os.pread(descriptor, end - start, start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def _ids(descriptor: int) -> set[bytes]:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return set(_ID.findall(file.read()))


def _write(descriptor: int, lines: bytes, size: int) -> None:
    """Write all lines, or none if that fails, as on a full disk; raises OSError."""
    rest = memoryview(lines)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
