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
_XDG_VARIABLES = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
VARIABLES = (ROOT_VARIABLE, "HOME", *_XDG_VARIABLES)
# Where they are without such a variable (docs/decisions/0025).
_BELOW_HOME = (".local/share", ".config", ".local/state")
_BELOW_HOME_ON_MACOS = ("Library/Application Support",) * 3

SETTINGS = "make-metrics.toml"
ON_THIS_MACHINE = "on-this-machine"
DECISIONS, INVITATIONS, IDENTITIES = "consent", "invitations", "ids"
SENDER_LOCK, SENDER_WANTED, SENDER_RESTING = "sender.lock", "sender.wanted", "sender.resting"

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
    home = _absolute(environ.get("HOME")) or _home_of_user()
    bases = _BELOW_HOME_ON_MACOS if sys.platform == "darwin" else _BELOW_HOME
    return UserDirs(
        *(
            os.path.join(_absolute(environ.get(name)) or os.path.join(home, base), NAME)
            for name, base in zip(_XDG_VARIABLES, bases, strict=True)
        )
    )


def _absolute(path: str | None) -> str:
    return path if path and os.path.isabs(path) else ""


def _home_of_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "~"  # as os.path.expanduser does
