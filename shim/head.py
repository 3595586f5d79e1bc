"""What is checked out where a make began: read from the repository's own files, without starting a process."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Head(NamedTuple):
    """A work tree's root, the commit checked out there and the branch; empty texts for what is not known."""

    repository: str = ""
    commit: str = ""
    branch: str = ""


def read(directory: Path) -> Head:
    """What is checked out in the repository that a directory belongs to (gitrepository-layout(5))."""
    try:
        for folder in (directory, *directory.parents):
            found = folder / ".git"
            if found.is_dir():
                return _resolve(folder, found)
            if found.is_file():  # a linked work tree or a submodule
                return _resolve(folder, folder / found.read_text().removeprefix("gitdir:").strip())
    except (OSError, UnicodeDecodeError):
        pass
    return Head()


def _resolve(root: Path, git: Path) -> Head:
    said = (git / "HEAD").read_text().strip()
    name = said.removeprefix("ref:").strip()
    if name == said:
        return Head(str(root), said)
    common = git / "commondir"
    shared = git / common.read_text().strip() if common.is_file() else git
    branch = name.removeprefix("refs/heads/")
    for place in (git / name, shared / name):
        if place.is_file():
            return Head(str(root), place.read_text().strip(), branch)
    packed = shared / "packed-refs"
    if packed.is_file():
        for entry in packed.read_text().splitlines():
            commit, _, ref = entry.partition(" ")
            if ref == name:
                return Head(str(root), commit, branch)
    return Head(str(root), "", branch)
