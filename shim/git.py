"""The two git facts of an event, asked of git itself after the build."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import datetime
from typing import NamedTuple

from shim.record import Make

DEFAULT_BRANCHES = frozenset({"master", "main"})
_LIMIT_S = 2
# What git calls its local variables (git-rev-parse(1)): GIT_DIR, set while a hook runs, means another repository.
_LOCAL = frozenset(
    f"GIT_{name}"
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES",
        "COMMON_DIR",
        "DIR",
        "GRAFT_FILE",
        "INDEX_FILE",
        "NAMESPACE",
        "OBJECT_DIRECTORY",
        "PREFIX",
        "SHALLOW_FILE",
        "WORK_TREE",
    )
)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Facts(NamedTuple):
    """Whether the default branch was checked out, and the commit's committer time (ISO 8601); None for not known."""

    checked_out_master: bool | None = None
    commit_time: str | None = None


def facts(make: Make, default_branch: str = "") -> Facts:
    """What git says of the commit that was checked out when a make began; at most two seconds.

    The default branch is master or main, unless the project names another. A detached HEAD is not the default branch.
    Without a known commit nothing is known.
    """
    if not _COMMIT.fullmatch(make.head) or not make.repository:
        return Facts()
    return Facts(
        make.branch in ({default_branch} if default_branch else DEFAULT_BRANCHES),
        _commit_time(make.repository, make.head),
    )


def _commit_time(repository: str, commit: str) -> str | None:
    environ = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    # A signature is not to be checked, whatever log.showSignature says: that would start gpg.
    show = ["show", "-s", "--no-show-signature", "--no-notes", "--format=%cI", commit, "--"]
    try:
        said = subprocess.run(
            ["git", "-C", repository, *show],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=True,
            env=environ,
        ).stdout
        # Newer versions of git say Z where older ones say +00:00.
        return datetime.fromisoformat(said.strip()).isoformat()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
