"""Makes that follow each other: whether they do, and for how long a sender may stay for them."""

from __future__ import annotations

import contextlib
import os
import time

from make_metrics.files import user_dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from make_metrics.files.paths import Paths

_BURST_S = 10.0


def continues(descriptor: int) -> bool:
    """Whether a sender has ended its turn in the last ten seconds, by the file of the senders' lock."""
    status = os.fstat(descriptor)
    return status.st_size > 0 and 0 <= time.time() - status.st_mtime < _BURST_S


def note_end(descriptor: int) -> None:
    """Note in the file of the senders' lock that a turn ends now."""
    with contextlib.suppress(OSError):  # a full disk: the next sender does not stay
        os.pwrite(descriptor, b"\n", 0)


def circumstances(program: str, paths: Paths, project: Path) -> list[tuple[int, int] | None]:
    """What a sender that stays looks at: its program, the project's settings, and what the developer decided."""
    from make_metrics.project.root import project_key

    decision = paths.decisions / f"{project_key(str(project))}.json"
    settings = project / user_dirs.SETTINGS
    return [_stamp(path) for path in (program, settings, decision, paths.off_file, paths.on_this_machine_file)]


def _stamp(path: str | Path) -> tuple[int, int] | None:
    """Which file a path names; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
