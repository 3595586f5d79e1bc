"""Which state of a directory's makefiles was looked at last, so that `report` says once what is not measured there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import make_metrics
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.files.read import LIMIT_BYTES, read_file
from make_metrics.files.write import write_file

_VERSION = 1  # of the file
_MOST_DIRECTORIES, _MOST_FILES = 100, 200


def is_known(paths: Paths, directory: Path) -> bool:
    """Whether this version of make-metrics has looked at the makefiles of a directory as they are now."""
    entry = _load(paths).get(str(directory))
    if entry is None or entry["by"] != make_metrics.__version__:
        return False
    files = entry["files"]
    return bool(files) and files == _stamps(directory, files)


def remember(paths: Paths, directory: Path, makefiles: Iterable[str]) -> None:
    """Keep what the makefiles of a directory, named relative to it, are now. Raises nothing."""
    directories = _load(paths)
    directories.pop(str(directory), None)
    names = list(dict.fromkeys(makefiles))[:_MOST_FILES]
    directories[str(directory)] = {"by": make_metrics.__version__, "files": _stamps(directory, names)}
    _save(paths, directories)


def forget_inside(paths: Paths, directory: Path) -> None:
    """Drop the entries of a directory and of those below it. Raises nothing."""
    directories = _load(paths)
    kept = {name: entry for name, entry in directories.items() if not Path(name).is_relative_to(directory)}
    if len(kept) < len(directories):
        _save(paths, kept)


def _load(paths: Paths) -> dict[str, Any]:
    """The entries by directory, the oldest first, without damaged ones; none if the file cannot be read."""
    try:
        document = json.loads(read_file(paths.makefile_stamps) or b"")
    except (OSError, ValueError, RecursionError):
        return {}
    directories = document.get("directories") if isinstance(document, dict) else None
    if not isinstance(directories, dict) or document.get("version") != _VERSION:
        return {}
    return {name: entry for name, entry in directories.items() if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    """Whether it says what `remember` writes, and nothing nested deeper: that would be written again."""
    if not isinstance(entry, dict) or entry.keys() != {"by", "files"} or not isinstance(entry["files"], dict):
        return False
    stamps = entry["files"].values()
    return isinstance(entry["by"], str) and all(
        isinstance(stamp, list) and all(isinstance(number, int) for number in stamp) for stamp in stamps
    )


def _save(paths: Paths, directories: dict[str, Any]) -> None:
    names = list(directories)[-_MOST_DIRECTORIES:]
    content = b""
    while names:
        kept = {name: directories[name] for name in names}
        content = json.dumps({"version": _VERSION, "directories": kept}).encode()
        if len(content) <= LIMIT_BYTES:
            break
        names = names[len(names) // 2 :] if len(names) > 1 else []  # the newest are at the end
    if names or not directories:
        with contextlib.suppress(UserError, OSError, ValueError):
            write_file(paths.makefile_stamps, content or b"{}")


def _stamps(directory: Path, names: Iterable[str]) -> dict[str, list[int]]:
    """When each file was changed, in nanoseconds since the epoch, and its bytes; an empty list for one that is gone."""
    stamps: dict[str, list[int]] = {}
    for name in names:
        stamps[name] = []
        with contextlib.suppress(OSError, ValueError):
            status = (directory / name).stat()
            stamps[name] = [status.st_mtime_ns, status.st_size]
    return stamps
