"""A copy of the launcher beside the fragment, named by its content: make starts it without trying it first.

The package's launcher may be replaced at any time, by an upgrade or a file system that is mounted anew. Nothing writes
to the copy, so it runs wherever it ran before, as long as the boot and the mounts are the same (section 11 of the
fragment). Another launcher is another copy.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file

NAME = "launcher."  # the digest of its content follows
PROOF = ".runs"  # behind a copy's name: the file that says where it ran
_DIGEST = 16  # hexadecimal digits of the content's digest
_STALE_S = 86400.0


def of(paths: Paths, launcher: Path | None) -> Path | None:
    """The copy of a launcher, with the launcher's content; None if there is none. Only Linux can tell where it runs."""
    if launcher is None or sys.platform != "linux":
        return None
    with contextlib.suppress(OSError):
        content = launcher.read_bytes()
        path = _path(paths, content)
        if _is_copy(path, content) and os.access(path, os.X_OK):
            return path
    return None


def write(paths: Paths, launcher: Path | None) -> None:
    """Copy a launcher, unless there is a copy already or none can be made; remove copies that nothing names."""
    if launcher is None or sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        content = launcher.read_bytes()
        path = _path(paths, content)
        if of(paths, launcher) is None:
            scratch = path.with_name(f"{path.name}.{os.getpid()}")
            try:
                scratch.write_bytes(content)
                scratch.chmod(0o755)
                scratch.replace(path)
            finally:
                scratch.unlink(missing_ok=True)
        _remove_stale(paths, path)


def is_outdated(path: Path, launcher: Path) -> bool:
    """Whether a copy is not that of a launcher."""
    try:
        return not _is_copy(path, launcher.read_bytes())
    except OSError:
        return True


def files(paths: Paths) -> Iterator[Path]:
    """All copies, of earlier launchers too, and what says where they ran."""
    return paths.fragment.parent.glob(f"{NAME}{'[0-9a-f]' * _DIGEST}*")


def _is_copy(path: Path, content: bytes) -> bool:
    """Whether a file has a content. Raises OSError if it is none, such as a pipe: reading that would never end."""
    return read_file(path, any_owner=True, limit_bytes=len(content) + 1) == content


def _path(paths: Paths, content: bytes) -> Path:
    import hashlib  # only here: every command imports this module

    return paths.fragment.with_name(NAME + hashlib.sha256(content).hexdigest()[:_DIGEST])


def _remove_stale(paths: Paths, current: Path) -> None:
    """Remove copies that are not this fragment's; another kind of machine may share this home, and name another one."""
    fragment = paths.fragment.read_text() if paths.fragment.is_file() else ""
    for path in files(paths):
        name = path.name.removesuffix(PROOF)
        if name != current.name and name not in fragment and path.lstat().st_mtime < time.time() - _STALE_S:
            path.unlink()
