"""The user's directories for data and configuration, without loading what `files.paths` loads: the walk cannot wait."""

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

UserDirs = namedtuple("UserDirs", ("data", "config"))
UserDirs.__doc__ = "The user's directories for data and for configuration, as text."


def find_user_dirs(environ: Mapping[str, str]) -> UserDirs:
    """The directories that `files.paths` computes for this environment."""
    root = environ.get(ROOT_VARIABLE)
    if root:
        return UserDirs(os.path.join(root, "data"), os.path.join(root, "config"))
    if sys.platform == "darwin":  # the directories there depend on the version of platformdirs
        import platformdirs

        return UserDirs(platformdirs.user_data_dir(NAME, False), platformdirs.user_config_dir(NAME, False))
    home = environ.get("HOME") or os.path.expanduser("~")
    return UserDirs(
        os.path.join(_absolute(environ.get("XDG_DATA_HOME")) or os.path.join(home, ".local/share"), NAME),
        os.path.join(_absolute(environ.get("XDG_CONFIG_HOME")) or os.path.join(home, ".config"), NAME),
    )


def _absolute(path: str | None) -> str:
    return path if path and os.path.isabs(path) else ""
