"""Reading a record's file: its identity, and the entries behind an offset, in bounded memory."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from make_metrics.combine.record import Contents, parse
from make_metrics.combine.run import Run, absorb, gather
from make_metrics.dataclass import dataclass

_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a record behind an offset.

    `identity` names the record file, and `run` holds the part's entries, added up. `size` is the file's size in bytes
    when it was read, `modified_ns` the time of its last write. `readable` is False if no entry in the whole file can be
    read: it is no record. `complete` is False if the last entry is cut short, or if there is no entry. `start` is where
    the part begins, and `more` whether it ends before the file does.
    """

    path: Path
    identity: str
    run: Run
    size: int
    modified_ns: int
    readable: bool
    complete: bool
    start: int = 0
    more: bool = False


def is_record(path: Path) -> bool:
    """Whether a path is a regular file, not a symbolic link. Raises OSError if it does not exist."""
    return stat.S_ISREG(path.lstat().st_mode)


def boot(path: Path) -> str:
    """The machine and boot of a record (see `combine.record.Make`), from its first 256 KiB; empty if not found there.

    Raises OSError.
    """
    if not is_record(path):
        return ""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return next((make.boot for make in parse(file.read(_BLOCK)).makes if make.boot), "")


def read(path: Path, run: str, offset_of: Callable[[str], int], limit: int = sys.maxsize) -> Part:
    """Read a record behind an offset, which `offset_of` returns for its identity: about `limit` bytes at most.

    The caller holds the run's lock. The identity is in the first entry. If that entry is torn, the identity is a hash
    of the file's name and its first line: that line never changes, and has times in nanoseconds that no other record
    has. An inode's number would not do, because the next file may get the same one. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        line = file.readline()
        head = parse(line)
        identity = head.identity or hashlib.sha256(path.name.encode() + b"\0" + line.rstrip(b"\n")).hexdigest()
        offset = offset_of(identity)
        file.seek(offset)
        gathered, size, last = Run(run), offset, b"\n"
        readable = offset > 0 or bool(head.identity) or not status.st_size
        while size - offset < limit and (lines := file.readlines(_BLOCK)):
            contents: Contents = parse(b"".join(lines))
            absorb(gathered, gather(run, contents))
            readable = readable or bool(contents.lines or contents.makes)
            size += sum(map(len, lines))
            last = lines[-1]
    complete = size > 0 and last.endswith(b"\n")
    return Part(path, identity, gathered, size, status.st_mtime_ns, readable, complete, offset, size < status.st_size)
