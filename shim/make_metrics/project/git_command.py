"""What git says of a work tree and a commit, asked of git itself after the build."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import datetime
from typing import NamedTuple

from make_metrics.project.git_head import Head

DEFAULT_BRANCHES = frozenset({"master", "main"})
_LIMIT_S = 1.0
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


def facts(head: Head, default_branch: str = "") -> Facts:
    """What git says of the commit that is, or was, checked out; takes at most a second."""
    try:
        time = commit_time(head.repository, head.commit)
    except subprocess.TimeoutExpired:
        time = None
    return Facts(checked_out_master(head.repository, head.commit, head.branch, default_branch), time)


def checked_out_master(repository: str, commit: str, branch: str, default_branch: str = "") -> bool | None:
    """Whether the default branch was checked out: master or main, unless the project names another.

    A detached HEAD is not the default branch. Without a known commit nothing is known.
    """
    if not repository or not _COMMIT.fullmatch(commit):
        return None
    return branch in ({default_branch} if default_branch else DEFAULT_BRANCHES)


def commit_time(repository: str, commit: str) -> str | None:
    """A commit's committer time (ISO 8601), None if it is not known.

    Raises subprocess.TimeoutExpired if git takes longer than a second.
    """
    if not repository or not _COMMIT.fullmatch(commit):
        return None
    # A signature is not to be checked, whatever log.showSignature says: that would start gpg.
    said = _ask(repository, "show", "-s", "--no-show-signature", "--no-notes", "--format=%cI", commit, "--")
    try:
        # Newer versions of git say Z where older ones say +00:00.
        return None if said is None else datetime.fromisoformat(said.strip()).isoformat()
    except ValueError:
        return None


def dirty(repository: str) -> bool | None:
    """Whether files that git knows differ from the commit, in a work tree; None if it is not known.

    Raises subprocess.TimeoutExpired if git takes longer than a second.
    """
    # No monitor: that is a program which the repository's configuration names.
    said = _ask(repository, "-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--untracked-files=no",
                "--ignore-submodules=dirty")  # fmt: skip
    return None if said is None else bool(said)


def _ask(repository: str, *words: str) -> str | None:
    """What git writes; None if it fails, or there is none. Raises subprocess.TimeoutExpired."""
    environ = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", "-C", repository, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=True,
            env=environ,
        ).stdout
    except subprocess.TimeoutExpired:
        raise
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
