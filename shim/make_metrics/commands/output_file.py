"""Writing a file that the user names: whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path


def write_output(name: str, pieces: Iterable[str]) -> None:
    """Write UTF-8 text to a file under a temporary name, and rename it; `-` is standard output.

    A device or a pipe is written as it is. What a symbolic link names is replaced, not the link. Raises UserError.
    """
    if name == "-":
        sys.stdout.writelines(pieces)
        return
    if not name:
        raise UserError("-o needs a file, and its name is empty")
    path = Path(name)
    try:
        is_device = path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))  # /dev/stdout may be a file
        path = path if is_device else path.resolve()
        if is_device or (path.exists() and not path.is_file()):
            if path.is_dir():
                raise UserError(f"{printable_path(path)} is a directory: name a file in it with -o")
            with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
                file.writelines(pieces)
            return
        _replace(path, pieces)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"cannot write {printable_path(path)}: {reason}") from error


def _replace(path: Path, pieces: Iterable[str]) -> None:
    scratch = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        with scratch.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
        if path.exists():
            scratch.chmod(path.stat().st_mode & 0o7777)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
