"""Which project a directory belongs to.

The walk imports this while a recipe line may be waiting: it imports nothing slow.
"""

from __future__ import annotations

import os
import sys
from collections import namedtuple

from make_metrics.files import user_dirs

Root = namedtuple("Root", ("directory", "settings"))
Root.__doc__ = "A project's root directory, and whether it holds a settings file."


def find_root(directory: str) -> Root:
    """The root of a directory's project, by the rule of `project.project.project_of`; no symbolic links in the path."""
    folder, child, nearest = directory, "", ""
    while folder != child:
        if not nearest and os.path.lexists(os.path.join(folder, user_dirs.SETTINGS)):
            nearest = folder
        if os.path.lexists(os.path.join(folder, ".git")):
            return Root(nearest or folder, bool(nearest))
        folder, child = os.path.dirname(folder), folder
    return Root(directory, bool(directory) and nearest == directory)


def path_text(directory: str | os.PathLike[str]) -> str:
    """A path as text that can be stored; bytes that are not UTF-8 become escapes such as \\xff."""
    return _path_bytes(directory).decode("utf-8", "backslashreplace")


def project_key(directory: str | os.PathLike[str]) -> str:
    """The name of a project's files, a hash of its path: names of files would give the path away."""
    return _sha256(_path_bytes(directory))[:32]


def _path_bytes(directory: str | os.PathLike[str]) -> bytes:
    """A path's bytes. No path has other surrogates than those of `os.fsdecode`: a text that does is escaped."""
    try:
        return os.fsencode(directory)
    except UnicodeEncodeError:
        return os.fspath(directory).encode("utf-8", "backslashreplace")


def _sha256(text: bytes) -> str:
    # Not hashlib: it loads OpenSSL, which takes several milliseconds. Its built-in modules are small.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
    return str(sha256(text).hexdigest())
