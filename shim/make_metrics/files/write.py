"""Write small private files: whole, and never through a symbolic link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path, private_directory


def write_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that readers see the old content or the new; mode 0600, its directory 0700.

    Raises UserError if it cannot be written, or if the path holds anything but a regular file of ours.
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
    """Remove a file if it exists; of a symbolic link, the link. Raises UserError if it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot remove {printable_path(path)}: {error.strerror}") from error


def require_own_file(path: Path) -> None:
    """Raise UserError if the path holds anything but a regular file of ours, such as a symbolic link."""
    try:
        status = path.lstat()
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise UserError(f"{printable_path(path)} is not a file of yours (or is a symbolic link): move it away")
