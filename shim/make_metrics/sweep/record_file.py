"""A run's record as a file: its identity, and the entries behind an offset, in bounded memory."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from make_metrics.combine.record import Contents, parse
from make_metrics.combine.run import Run, gather, merge

_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """What a record says behind an offset. `size` is where it ended, `modified_ns` when it was last written.

    `readable` is False for a file with no entry at all that can be read: no record. `complete` is False if its last
    entry is not, or there is none.
    """

    path: Path
    identity: str
    run: Run
    size: int
    modified_ns: int
    readable: bool
    complete: bool


def is_record(path: Path) -> bool:
    """Whether a path is a file, and not a symbolic link to one; raises OSError if there is nothing."""
    return stat.S_ISREG(path.lstat().st_mode)


def boot(path: Path) -> str:
    """Which machine and boot a record is from, as far as the beginning of its file says; else empty. Raises OSError."""
    if not is_record(path):
        return ""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return next((make.boot for make in parse(file.read(_BLOCK)).makes if make.boot), "")


def read(path: Path, run: str, offset_of: Callable[[str], int]) -> Part:
    """Read a record behind the offset that is known for its identity. The caller holds the run's lock.

    A record's identity is in its first entry. A record whose first entry was torn is identified by its name and what
    its first line does say: that line is never written again, and like any entry it holds times in nanoseconds, which
    no other has. (An inode's number would not do: it is given to the next file.) Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        first = file.readline()
        head = parse(first)
        identity = head.identity or hashlib.sha256(path.name.encode() + b"\0" + first.rstrip(b"\n")).hexdigest()
        offset = offset_of(identity)
        file.seek(offset)
        gathered, size, last = Run(run), offset, b"\n"
        readable = offset > 0 or bool(head.identity) or not found.st_size
        while lines := file.readlines(_BLOCK):
            contents: Contents = parse(b"".join(lines))
            gathered = merge(gathered, gather(run, contents))
            readable = readable or bool(contents.lines or contents.makes)
            size += sum(map(len, lines))
            last = lines[-1]
    return Part(path, identity, gathered, size, found.st_mtime_ns, readable, size > 0 and last.endswith(b"\n"))
