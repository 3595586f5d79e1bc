"""Read small files of ours: whole, and never through a symbolic link.

The walk imports this while a recipe line may be waiting: it imports nothing slow itself.
"""

from __future__ import annotations

import errno
import os
import stat

LIMIT_BYTES = 64 * 1024


def read_file(path: str | os.PathLike[str], *, any_owner: bool = False, limit_bytes: int = LIMIT_BYTES) -> bytes | None:
    """The file's first 64 KiB, or as much as `limit_bytes` says; None if there is no file.

    Raises OSError if it cannot be read, is not a regular file, or belongs to another user (unless `any_owner`).
    """
    content_and_mode = read_with_mode(path, any_owner=any_owner, limit_bytes=limit_bytes)
    return None if content_and_mode is None else content_and_mode[0]


def read_with_mode(
    path: str | os.PathLike[str], *, any_owner: bool = False, limit_bytes: int = LIMIT_BYTES
) -> tuple[bytes, int] | None:
    """As `read_file`, with the permissions of the file that was read, such as 0o600; raises as it does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP and os.path.islink(path):  # noqa: PTH114 - pathlib is slow to load
            raise OSError(errno.ELOOP, "is a symbolic link: put the file itself there", str(path)) from None
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is not a file", str(path))
        if status.st_uid != os.geteuid() and not any_owner:
            raise OSError(0, "belongs to another user", str(path))
        return file.read(limit_bytes), stat.S_IMODE(status.st_mode)
