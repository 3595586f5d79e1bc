"""What the git command says of a work tree and a commit. It runs after the build."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from make_metrics.project.git_head import Head

DEFAULT_BRANCHES = frozenset({"master", "main"})
_LIMIT_S = 1.0
# `git rev-parse --local-env-vars`: variables that name a repository. A hook runs with them, for another repository.
_REPOSITORY_VARIABLES = frozenset(
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
    """Whether the default branch was checked out, and the committer time (ISO 8601); None if unknown."""

    checked_out_master: bool | None = None
    commit_time: str | None = None


def facts(head: Head, default_branch: str = "") -> Facts:
    """The facts of a commit that is, or was, checked out. Takes at most a second."""
    import subprocess  # here and in _run: all commands load this module, and few run git

    try:
        time = commit_time(head.repository, head.commit)
    except subprocess.TimeoutExpired:
        time = None
    return Facts(checked_out_master(head.repository, head.commit, head.branch, default_branch), time)


def checked_out_master(repository: str, commit: str, branch: str, default_branch: str = "") -> bool | None:
    """Whether the default branch was checked out: master or main, unless the project names another.

    A detached HEAD is not the default branch. None without a repository and a commit.
    """
    if not repository or not _COMMIT.fullmatch(commit):
        return None
    return branch in ({default_branch} if default_branch else DEFAULT_BRANCHES)


def commit_time(repository: str, commit: str) -> str | None:
    """A commit's committer time (ISO 8601), None if unknown.

    Raises subprocess.TimeoutExpired if git takes longer than a second.
    """
    if not repository or not _COMMIT.fullmatch(commit):
        return None
    # Without --no-show-signature, the configuration log.showSignature would start gpg.
    output = _run(repository, "show", "-s", "--no-show-signature", "--no-notes", "--format=%cI", commit, "--")
    try:
        # Some versions of git print Z for UTC, others +00:00.
        return None if output is None else datetime.fromisoformat(output.strip()).isoformat()
    except ValueError:
        return None


def dirty(repository: str) -> bool | None:
    """Whether tracked files of a work tree differ from its commit; None if unknown.

    Raises subprocess.TimeoutExpired if git takes longer than a second.
    """
    # Without this option, git would run the monitor that the repository's configuration names.
    output = _run(repository, "-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--untracked-files=no",
                "--ignore-submodules=dirty")  # fmt: skip
    return None if output is None else bool(output)


def tracked_files(repository: str, pathspecs: Sequence[str]) -> frozenset[str] | None:
    """The files that git tracks among those that pathspecs name, relative to the repository's root.

    None if git tracks no file at all, as in a repository that was just made; none if git cannot be asked. Raises
    subprocess.TimeoutExpired if git takes longer than a second.
    """
    output = _list_files(repository, *pathspecs)
    if output == "" and not _list_files(repository):
        return None
    return frozenset((output or "").split("\0")) - {""}


def _list_files(repository: str, *pathspecs: str) -> str | None:
    # A container may run as another user than the repository's owner. Listing runs nothing that the repository names.
    options = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
    return _run(repository, *options, "ls-files", "-z", "--cached", "--", *pathspecs)


def _run(repository: str, *words: str) -> str | None:
    """The output of a git command; None if it fails or git is missing. Raises subprocess.TimeoutExpired."""
    import subprocess

    environ = {name: value for name, value in os.environ.items() if name not in _REPOSITORY_VARIABLES}
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
