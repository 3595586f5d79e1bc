"""Write small private files: whole, and never through a symbolic link."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import cannot, printable_path, private_directory


def write_file(path: Path, content: bytes, *, whatever_is_there: bool = False) -> None:
    """Replace a file in one step, so that readers see the old content or the new; mode 0600, its directory 0700.

    Raises UserError if it cannot be written, or if the path holds anything but a regular file of ours. With
    `whatever_is_there` that is moved aside, and so is what stands where the directory belongs: a no must not depend on
    it.
    """
    private_directory(path.parent, whatever_is_there=whatever_is_there)
    if whatever_is_there:
        move_aside(path)
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
        raise UserError(cannot("write", path, error)) from error


def remove_file(path: Path) -> None:
    """Remove a file if it exists; of a symbolic link, the link. Raises UserError if it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        pass  # what is above is no directory: there is no file
    except OSError as error:
        raise UserError(cannot("remove", path, error)) from error


def empty_directory(directory: Path) -> None:
    """Remove what is in a directory of ours, also directories, and what stands where it belongs, unless it is a link.

    Nothing of ours is behind a link. Raises UserError if something cannot be removed.
    """
    if directory.is_symlink():
        return
    try:
        files = list(directory.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError:
        files = [directory]
    except OSError as error:
        raise UserError(cannot("remove what is in", directory, error)) from error
    for path in files:
        if path.is_dir() and not path.is_symlink():  # it stands where a file of ours belongs
            import shutil  # only here: every command imports this module

            shutil.rmtree(path, ignore_errors=True)
        remove_file(path)


def move_aside(path: Path) -> None:
    """Rename what a path holds, if it is not a regular file of ours; of a symbolic link, the link.

    Its new name is no file of ours. Raises UserError if it cannot be renamed.
    """
    if _is_own_or_missing(path):
        return
    try:
        path.rename(path.with_name(f"{path.name}.aside.{time.time_ns()}"))
    except OSError as error:
        raise UserError(f"cannot move {printable_path(path)} away: {error.strerror}") from error


def _is_own_or_missing(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return True
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def require_own_file(path: Path) -> None:
    """Raise UserError if the path holds anything but a regular file of ours, such as a symbolic link."""
    if not _is_own_or_missing(path):
        raise UserError(f"{printable_path(path)} is not a file of yours (or is a symbolic link): move it away")
