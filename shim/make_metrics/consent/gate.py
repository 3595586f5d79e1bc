"""What the walk must know before anything is recorded: is recording allowed, and may an invitation be due?

A recipe's first line may wait for the answer. For most makes the answer takes a few file look-ups; only where those
find something is more imported to read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from make_metrics import environment
from make_metrics.files import user_dirs
from make_metrics.files.read import read_file
from make_metrics.project.root import Root, path_text, project_key

WEEK_NS = 7 * 86_400_000_000_000
TIMES = 3


def decision_path(project: Root, environ: Mapping[str, str]) -> str:
    """The file of what a user decided about a project, there or not."""
    config = user_dirs.find_user_dirs(environ).config
    return os.path.join(config, user_dirs.DECISIONS, f"{project_key(project.directory)}.json")


def off(project: Root, environ: Mapping[str, str]) -> bool:
    """Whether nothing may be recorded: the decision is damaged, or there is none in CI. The rules are `mode.decide`'s.

    What `make-metrics off` and MAKE_METRICS say is the fragment's business: nothing runs then that could ask.
    """
    data, config = user_dirs.find_user_dirs(environ)
    folder = os.path.join(config, user_dirs.DECISIONS)
    undecided = True
    if _has_entries(folder):
        from make_metrics.consent import decision_file

        # A make that sudo has started within the developer's own: the file is the developer's.
        kind, _ = decision_file.read(
            decision_path(project, environ), path_text(project.directory), any_owner=not os.geteuid()
        )
        if kind in (decision_file.CORRUPT, decision_file.UNREADABLE):
            return True
        undecided = kind == decision_file.NONE
    wanted = os.path.join(data, user_dirs.ON_THIS_MACHINE)
    return undecided and environment.in_ci(environ) and not os.path.lexists(wanted)


def _has_entries(folder: str) -> bool:
    """Whether there is anything in a directory; one that cannot be looked into may have it."""
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def may_invite(project: Root, environ: Mapping[str, str], *, now_ns: int) -> bool:
    """Whether an invitation may be due, as far as can be told without reading settings: most often it is not.

    For a project whose settings speak of sinks and about which nothing was decided, outside of CI, where the
    environment holds nothing back, and not too often.
    """
    if not project.settings or environment.in_ci(environ) or environment.ceiling(environ) != "on":
        return False
    if os.path.lexists(decision_path(project, environ)):
        return False
    try:
        config = user_dirs.find_user_dirs(environ).config
        shown = shown_times(os.path.join(config, user_dirs.INVITATIONS, project_key(project.directory)))
        return due(shown, now_ns=now_ns) and b"sinks" in _text(os.path.join(project.directory, user_dirs.SETTINGS))
    except (OSError, ValueError):
        return False


def _text(path: str) -> bytes:
    return read_file(path, any_owner=True) or b""


def shown_times(path: str | os.PathLike[str]) -> list[int]:
    """When an invitation was shown, by its note: nanoseconds since the epoch, a line each.

    Raises OSError or ValueError for a note that cannot be read.
    """
    return [int(line) for line in (read_file(path) or b"").split()]


def due(shown_ns: list[int], *, now_ns: int) -> bool:
    """Whether it may be shown again, given when it was; not while the clock is behind."""
    return len(shown_ns) < TIMES and now_ns - max(shown_ns, default=now_ns - WEEK_NS) >= WEEK_NS
