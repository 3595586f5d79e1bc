"""The user's directories for data, configuration and state; all code but the hot path and the fragment asks here.

The walk imports this while a recipe line may be waiting, so it imports little. `hot.state_dir`, launcher.c and
metrics.mk have the same rules; tests/files/test_user_dirs.py holds all of them to one table.
"""

from __future__ import annotations

import os
import sys
from collections import namedtuple
from collections.abc import Mapping

NAME = "make-metrics"
ROOT_VARIABLE = "MAKE_METRICS_HOME"
# The variables that decide where our directories are.
VARIABLES = (ROOT_VARIABLE, "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")

SETTINGS = "make-metrics.toml"
ON_THIS_MACHINE = "on-this-machine"
DECISIONS, INVITATIONS = "consent", "invitations"

UserDirs = namedtuple("UserDirs", ("data", "config", "state"))
UserDirs.__doc__ = "The user's directories for data, configuration and state, as text."


def find_user_dirs(environ: Mapping[str, str]) -> UserDirs:
    """The directories for this environment: those below MAKE_METRICS_HOME, else the platform's own.

    A relative HOME or XDG variable is ignored, as an empty one is (XDG Base Directory Specification). The directories
    are relative ones in "~" if the user has no home.
    """
    root = environ.get(ROOT_VARIABLE)
    if root:
        return UserDirs(*(os.path.join(root, name) for name in UserDirs._fields))
    if sys.platform == "darwin":  # the directories there depend on the version of platformdirs
        import platformdirs

        return UserDirs(
            platformdirs.user_data_dir(NAME, False),
            platformdirs.user_config_dir(NAME, False),
            platformdirs.user_state_dir(NAME, False),
        )
    home = _absolute(environ.get("HOME")) or _home_of_user()
    return UserDirs(
        os.path.join(_absolute(environ.get("XDG_DATA_HOME")) or os.path.join(home, ".local/share"), NAME),
        os.path.join(_absolute(environ.get("XDG_CONFIG_HOME")) or os.path.join(home, ".config"), NAME),
        os.path.join(_absolute(environ.get("XDG_STATE_HOME")) or os.path.join(home, ".local/state"), NAME),
    )


def _absolute(path: str | None) -> str:
    return path if path and os.path.isabs(path) else ""


def _home_of_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "~"  # as os.path.expanduser does
