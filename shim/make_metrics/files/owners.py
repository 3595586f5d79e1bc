"""Whose directories a path lies in: root must not write below somebody else's home.

What root makes there is root's, and closed to the home's owner: afterwards their makes could record nothing.
"""

from __future__ import annotations

import os
from pathlib import Path


def owner_for_root(directory: Path) -> str:
    """For root: the user whose directory a path lies in, if not root itself; empty for any other process.

    In a user namespace the directories of users that it lacks are nobody's: they do not count there.
    """
    if os.geteuid():
        return ""
    ignored = {0} | ({65534} if _in_user_namespace() else set())
    for parent in [*reversed(directory.parents), directory]:
        try:
            uid = parent.lstat().st_uid
        except OSError:
            break
        if uid not in ignored:
            return user_name(uid)
    return ""


def _in_user_namespace() -> bool:
    try:
        return Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]
    except OSError:
        return False


def user_name(uid: int) -> str:
    """The name of a user, or the number if it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def left_by_root(directories: list[Path], home: Path) -> list[Path]:
    """Those directories, or the ones above them in this user's home, that belong to root; the uppermost of each.

    Earlier versions left them there when root ran them with this home.
    """
    if not os.geteuid():
        return []
    of_root: list[Path] = []
    for directory in directories:
        for parent in [*reversed(directory.parents), directory]:
            try:
                if parent.is_relative_to(home) and parent != home and parent.lstat().st_uid == 0:
                    of_root.append(parent)
                    break
            except OSError:
                break
    return list(dict.fromkeys(of_root))
