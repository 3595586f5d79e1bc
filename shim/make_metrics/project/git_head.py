"""What is checked out where a make runs, read from the repository's files: starting git would take too long."""

from __future__ import annotations

import os.path
from collections import namedtuple

Head = namedtuple("Head", ("repository", "commit", "branch"), defaults=("", "", ""))
Head.__doc__ = "A work tree's root, its commit and its branch; each empty if unknown."


def read_head(directory: str) -> Head:
    """What is checked out in the repository that holds a directory: gitrepository-layout(5)."""
    folder, child = directory, ""
    try:
        while folder != child:
            git = os.path.join(folder, ".git")
            if os.path.isdir(git):
                return _resolve(folder, git)
            if os.path.isfile(git):  # a linked work tree or a submodule
                return _resolve(folder, os.path.join(folder, _text(git).removeprefix("gitdir:").strip()))
            folder, child = os.path.dirname(folder), folder
    except (OSError, ValueError):
        pass
    return Head()


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().strip()


def _resolve(root: str, git: str) -> Head:
    head = _text(os.path.join(git, "HEAD"))
    ref = head.removeprefix("ref:").strip()
    if ref == head:  # detached: a commit
        return Head(root, head)
    commondir = os.path.join(git, "commondir")
    common = os.path.join(git, _text(commondir)) if os.path.isfile(commondir) else git
    branch = ref.removeprefix("refs/heads/")
    for path in (os.path.join(git, ref), os.path.join(common, ref)):
        if os.path.isfile(path):
            return Head(root, _text(path), branch)
    packed = os.path.join(common, "packed-refs")
    if os.path.isfile(packed):
        for line in _text(packed).splitlines():
            commit, _, name = line.partition(" ")
            if name == ref:
                return Head(root, commit, branch)
    return Head(root, "", branch)
