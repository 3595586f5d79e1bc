"""Which project a directory belongs to. The walk asks while a recipe line may be waiting: nothing heavy is imported."""

from __future__ import annotations

import os
import sys
from collections import namedtuple

from make_metrics.files import user_dirs

Root = namedtuple("Root", ("directory", "settings"))
Root.__doc__ = "A project's root directory, and whether a settings file is there."


def find_root(directory: str) -> Root:
    """The project of a directory (without symbolic links in it), as `project.settings.project_of` has it."""
    folder, below, nearest = directory, "", ""
    while folder != below:
        if not nearest and os.path.lexists(os.path.join(folder, user_dirs.SETTINGS)):
            nearest = folder
        if os.path.lexists(os.path.join(folder, ".git")):
            return Root(nearest or folder, bool(nearest))
        folder, below = os.path.dirname(folder), folder
    return Root(directory, bool(directory) and nearest == directory)


def path_text(directory: str | os.PathLike[str]) -> str:
    """A directory as text, also where its name is not UTF-8."""
    return os.fsencode(directory).decode("utf-8", "backslashreplace")


def project_key(directory: str | os.PathLike[str]) -> str:
    """The name of a project's files: a hash of where it is, so that no path of the user's is in a name."""
    return _sha256(os.fsencode(directory))[:32]


def _sha256(text: bytes) -> str:
    # hashlib loads a library of cryptography: several milliseconds for one digest. Its own modules are small.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
    return str(sha256(text).hexdigest())
