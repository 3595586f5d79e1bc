"""The makes that run now: their records are not combined yet."""

from __future__ import annotations

import contextlib

from make_metrics.combine.record import Make, parse
from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file
from make_metrics.processes.alive import alive


def is_in(directory: str, project: str) -> bool:
    """Whether a directory is a project's, or lies below it."""
    return directory == project or directory.startswith(project.rstrip("/") + "/")


def running_makes(paths: Paths) -> list[Make]:
    """What is known of each make that a developer has started and that still runs here, the oldest first.

    A record begins with its make's header: that is in the part that is read.
    """
    makes = []
    for path in paths.records.glob("*.rec") if paths.records.is_dir() else ():
        run = path.stem.partition("~")[0]
        with contextlib.suppress(OSError):
            top = next((make for make in parse(read_file(path) or b"").makes if make.key == run), None)
            if top is not None and alive(run, top.boot):
                makes.append(top)
    return sorted(makes, key=lambda make: make.wall_ns)
