"""Small files of ours that are nobody else's business: written whole, never through a symbolic link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path, private_directory


def write_file(path: Path, content: bytes) -> None:
    """Put a file in place at once, for its owner only (0600, in a directory of 0700): the old content or the new.

    Raises UserError if it cannot be, or if something else than a file of ours stands in its place.
    """
    private_directory(path.parent)
    require_own_file(path)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.unlink(missing_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(f"cannot write {printable_path(path)}: {error.strerror}") from error


def remove_file(path: Path) -> None:
    """Remove a file, if it is there (a symbolic link itself, not what it leads to); raises UserError if that fails."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot remove {printable_path(path)}: {error.strerror}") from error


def require_own_file(path: Path) -> None:
    """Raise UserError if something is at a path that is no plain file of ours: a symbolic link leads elsewhere."""
    try:
        found = path.lstat()
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise UserError(f"{printable_path(path)} is not a file of yours (or is a symbolic link): move it away")
