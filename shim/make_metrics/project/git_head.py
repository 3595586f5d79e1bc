"""What is checked out where a make began: read from the repository's own files, without starting a process."""

from __future__ import annotations

import os.path
from collections import namedtuple

Head = namedtuple("Head", ("repository", "commit", "branch"), defaults=("", "", ""))
Head.__doc__ = "A work tree's root, the commit checked out there and the branch; empty texts for what is not known."


def read_head(directory: str) -> Head:
    """What is checked out in the repository that a directory belongs to (gitrepository-layout(5))."""
    folder, below = directory, ""
    try:
        while folder != below:
            found = os.path.join(folder, ".git")
            if os.path.isdir(found):
                return _resolve(folder, found)
            if os.path.isfile(found):  # a linked work tree or a submodule
                return _resolve(folder, os.path.join(folder, _text(found).removeprefix("gitdir:").strip()))
            folder, below = os.path.dirname(folder), folder
    except (OSError, ValueError):
        pass
    return Head()


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().strip()


def _resolve(root: str, git: str) -> Head:
    said = _text(os.path.join(git, "HEAD"))
    name = said.removeprefix("ref:").strip()
    if name == said:
        return Head(root, said)
    common = os.path.join(git, "commondir")
    shared = os.path.join(git, _text(common)) if os.path.isfile(common) else git
    branch = name.removeprefix("refs/heads/")
    for place in (os.path.join(git, name), os.path.join(shared, name)):
        if os.path.isfile(place):
            return Head(root, _text(place), branch)
    packed = os.path.join(shared, "packed-refs")
    if os.path.isfile(packed):
        for entry in _text(packed).splitlines():
            commit, _, ref = entry.partition(" ")
            if ref == name:
                return Head(root, commit, branch)
    return Head(root, "", branch)
