"""Move damaged files out of the way, and keep them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from make_metrics.files.paths import Paths, private_directory


def put_aside(paths: Paths, *files: Path) -> Path:
    """Move files that belong together to the set-aside directory; the new path of the first.

    New names begin with the time, so that no file is overwritten. Missing files are skipped; a symbolic link is moved,
    not followed. Raises OSError if a file cannot be moved, UserError if the directory is not ours.
    """
    private_directory(paths.set_aside)
    stamp = f"{time.strftime('%Y%m%dT%H%M%S')}.{time.time_ns() % 1_000_000_000:09d}"
    new_paths = [paths.set_aside / f"{stamp}-{file.name}" for file in files]
    for file, new_path in zip(files, new_paths, strict=True):
        if os.path.lexists(file):
            file.rename(new_path)
    return new_paths[0]
