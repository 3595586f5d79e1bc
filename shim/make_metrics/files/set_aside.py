"""Putting damaged files aside: they are kept, and out of the way."""

from __future__ import annotations

import os
import time
from pathlib import Path

from make_metrics.files.paths import Paths, private_directory


def put_aside(paths: Paths, *files: Path) -> Path:
    """Move files that belong together to the set-aside directory, and give the new place of the first.

    Names there begin with the time, so that nothing is ever overwritten. Files that do not exist are passed over; a
    symbolic link is moved, not followed. Raises OSError if a file cannot be moved, UserError for a directory that is
    not ours.
    """
    private_directory(paths.set_aside)
    stamp = f"{time.strftime('%Y%m%dT%H%M%S')}.{time.time_ns() % 1_000_000_000:09d}"
    places = [paths.set_aside / f"{stamp}-{file.name}" for file in files]
    for file, place in zip(files, places, strict=True):
        if os.path.lexists(file):
            file.rename(place)
    return places[0]
