"""Where a user's decisions are kept, for the walk: it cannot wait for `files.paths`, which has the names from here."""

from __future__ import annotations

import os
import sys
from collections import namedtuple
from collections.abc import Mapping

NAME = "make-metrics"
ROOT_VARIABLE = "MAKE_METRICS_HOME"
# What decides where our directories are.
VARIABLES = (ROOT_VARIABLE, "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")

SETTINGS = "make-metrics.toml"
ON_THIS_MACHINE = "on-this-machine"
DECISIONS, INVITATIONS = "consent", "invitations"

UserDirs = namedtuple("UserDirs", ("data", "config"))
UserDirs.__doc__ = "The user's directories for data and for configuration."


def find_user_dirs(environ: Mapping[str, str]) -> UserDirs:
    """The directories in an environment, as `files.paths` has them."""
    moved = environ.get(ROOT_VARIABLE)
    if moved:
        return UserDirs(os.path.join(moved, "data"), os.path.join(moved, "config"))
    if sys.platform == "darwin":  # what holds there depends on the version of platformdirs
        import platformdirs

        return UserDirs(platformdirs.user_data_dir(NAME, False), platformdirs.user_config_dir(NAME, False))
    home = environ.get("HOME") or os.path.expanduser("~")
    return UserDirs(
        os.path.join(_absolute(environ.get("XDG_DATA_HOME")) or os.path.join(home, ".local/share"), NAME),
        os.path.join(_absolute(environ.get("XDG_CONFIG_HOME")) or os.path.join(home, ".config"), NAME),
    )


def _absolute(path: str | None) -> str:
    return path if path and os.path.isabs(path) else ""
