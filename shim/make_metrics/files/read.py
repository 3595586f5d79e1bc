"""Reading small files of ours: whole, and never through a symbolic link. Loads nothing: the walk reads some too."""

from __future__ import annotations

import os
import stat

_LIMIT_BYTES = 64 * 1024


def read_file(path: str | os.PathLike[str], *, any_owner: bool = False) -> bytes | None:
    """The file's content, None if there is none; raises OSError if it cannot be read, or is no plain file of ours.

    With `any_owner` it may be another user's.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "is not a file", str(path))
        if found.st_uid != os.geteuid() and not any_owner:
            raise OSError(0, "belongs to another user", str(path))
        return file.read(_LIMIT_BYTES)
