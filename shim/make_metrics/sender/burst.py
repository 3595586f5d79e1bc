"""Makes that follow each other: whether they do, how long a sender may stay for them, and when the next one begins."""

from __future__ import annotations

import contextlib
import os
import time

from make_metrics.files import user_dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from make_metrics.files.paths import Paths

# A turn uses up so many seconds, and up to SPARE turns are taken in advance. Then the launcher lets senders rest until
# there is time for one more (hot/in_c/sender.c): eight hours have at most 95 turns.
REST_S, SPARE = 360, 15
_BURST_S = 10.0


def continues(descriptor: int) -> bool:
    """Whether a sender has ended its turn in the last ten seconds, by the file of the senders' lock."""
    status = os.fstat(descriptor)
    return status.st_size > 0 and 0 <= time.time() - status.st_mtime < _BURST_S


def note_end(descriptor: int, *, is_complete: bool = True) -> None:
    """Note in the file of the senders' lock that a turn ends now; of one that is not complete, that none has ended.

    The file says how many seconds turns have used up in advance, when it was written.
    """
    with contextlib.suppress(OSError):  # a full disk: the next sender neither stays nor rests
        in_advance = b"%d\n" % (_in_advance(descriptor) + REST_S)
        os.ftruncate(descriptor, 0)
        if is_complete:
            os.pwrite(descriptor, in_advance, 0)


def _in_advance(descriptor: int) -> float:
    """How many seconds turns have used up in advance; none if the clock was set back since."""
    since = time.time() - os.fstat(descriptor).st_mtime
    return max(0, _noted(descriptor) - since) if since >= 0 else 0


def _noted(descriptor: int) -> int:
    try:
        return min(int(os.pread(descriptor, 16, 0)), (SPARE + 1) * REST_S)
    except ValueError:  # of an earlier version, or no turn
        return 0


def end_rest(paths: Paths) -> None:
    """Have the next turn begin at once: also that which a launcher waits for, which sees that its word is touched."""
    for path, change in ((paths.sender_lock, lambda path: os.truncate(path, 0)), (paths.sender_wanted, os.utime)):
        with contextlib.suppress(OSError):
            change(path)


def next_turn(paths: Paths) -> float:
    """When the turn begins that a launcher waits for, in seconds since the epoch; 0 if none waits."""
    from make_metrics.files.lock import is_held

    try:
        if os.path.lexists(paths.sender_wanted) and is_held(paths.sender_resting):
            with open(paths.sender_lock, "rb") as file:
                return os.fstat(file.fileno()).st_mtime + max(0, _noted(file.fileno()) - SPARE * REST_S)
    except OSError:
        pass
    return 0


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
