"""The walk's two questions before anything is recorded: is recording forbidden, and may an invitation be due?

A recipe's first line may be waiting for the answer. Most makes are answered by a few file look-ups; a module that
parses a file is imported only if the file exists.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from make_metrics import environment
from make_metrics.consent import policy
from make_metrics.files import user_dirs
from make_metrics.files.read import read_file
from make_metrics.project.root import Root, path_text, project_key

WEEK_NS = 7 * 86_400_000_000_000
MAX_TIMES = 3


def decision_path(project: Root, environ: Mapping[str, str]) -> str:
    """The file of the user's decision about a project, whether it exists or not."""
    config = user_dirs.find_user_dirs(environ).config
    return os.path.join(config, user_dirs.DECISIONS, f"{project_key(project.directory)}.json")


def recording_forbidden(project: Root, environ: Mapping[str, str]) -> bool:
    """Whether recording is forbidden: by the administrator, by a damaged decision, or in CI because there is none.

    `mode.decide` has the rules. The fragment itself sees `make-metrics off` and MAKE_METRICS=off: then it does not even
    start the walk.
    """
    if policy.read_policy().most == "off":
        return True
    data, config, _ = user_dirs.find_user_dirs(environ)
    directory = os.path.join(config, user_dirs.DECISIONS)
    undecided = True
    if _may_have_entries(directory):
        from make_metrics.consent import decision_file

        # As root we may run below a make of the developer (`sudo make` in a recipe): the file is the developer's.
        state, _ = decision_file.read(
            decision_path(project, environ), path_text(project.directory), any_owner=not os.geteuid()
        )
        if state in (decision_file.CORRUPT, decision_file.UNREADABLE):
            return True
        undecided = state == decision_file.NONE
    on_this_machine = os.path.join(data, user_dirs.ON_THIS_MACHINE)
    return undecided and environment.in_ci(environ) and not os.path.lexists(on_this_machine)


def _may_have_entries(directory: str) -> bool:
    """Whether a directory has entries; true also if it cannot be read."""
    try:
        with os.scandir(directory) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def may_invite(project: Root, environ: Mapping[str, str], *, now_ns: int) -> bool:
    """Whether an invitation may be due, without parsing settings; mostly it is not.

    It may be if the project's settings contain the word `sinks`, nothing was decided, this is not CI, no variable of
    the environment limits the mode, and the last invitation is a week old.
    """
    if not project.settings or environment.in_ci(environ) or environment.ceiling(environ) != "on":
        return False
    if os.path.lexists(decision_path(project, environ)):
        return False
    try:
        config = user_dirs.find_user_dirs(environ).config
        shown_ns = shown_times(os.path.join(config, user_dirs.INVITATIONS, project_key(project.directory)))
        if not is_due(shown_ns, now_ns=now_ns):
            return False
        settings = read_file(os.path.join(project.directory, user_dirs.SETTINGS), any_owner=True) or b""
        return b"sinks" in settings
    except (OSError, ValueError):
        return False


def shown_times(path: str | os.PathLike[str]) -> list[int]:
    """When a project's invitation was shown: nanoseconds since the epoch, a line each in the file at `path`.

    Raises OSError or ValueError if the file cannot be read or parsed.
    """
    return [int(line) for line in (read_file(path) or b"").split()]


def is_due(shown_ns: list[int], *, now_ns: int) -> bool:
    """Whether an invitation is due after those at `shown_ns`; no if the clock is behind the last one."""
    return len(shown_ns) < MAX_TIMES and now_ns - max(shown_ns, default=now_ns - WEEK_NS) >= WEEK_NS
