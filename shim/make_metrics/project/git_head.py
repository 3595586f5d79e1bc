"""What is checked out where a make runs, read from the repository's files: starting git would take too long.

Others write these files, so each is read only if it is a regular file, and only up to a limit.
"""

from __future__ import annotations

import os
import stat
from collections import namedtuple

Head = namedtuple("Head", ("repository", "commit", "branch"), defaults=("", "", ""))
Head.__doc__ = "A work tree's root, its commit and its branch; each empty if unknown."

LIMIT_BYTES = 4096  # of a file with a path, a reference or a commit
PACKED_BYTES = 32 * 1024 * 1024  # of packed-refs: half a million references
_BLOCK_BYTES = 1024 * 1024
SYMBOLIC_DEPTH = 5  # as git: SYMREF_MAXDEPTH
_HEX = frozenset("0123456789abcdef")
_REFTABLE = "refs/heads/.invalid"  # what HEAD names where references are in tables: git's reftable.adoc, "Layout"


def read_head(directory: str) -> Head:
    """What is checked out in the repository that holds a directory: gitrepository-layout(5).

    Commit and branch are unknown where references are kept in tables (`extensions.refStorage = reftable`).
    """
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


def _open(path: str) -> int:
    """A descriptor of a regular file; raises OSError for anything else: a pipe has no end, nor has a device."""
    if stat.S_ISREG(os.stat(path).st_mode):  # before opening too: that alone would wake who waits at a pipe
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    raise OSError(0, "is not a file", path)


def _text(path: str) -> str:
    descriptor = _open(path)
    try:
        return os.read(descriptor, LIMIT_BYTES).decode(errors="surrogateescape").strip()
    finally:
        os.close(descriptor)


def _resolve(root: str, git: str) -> Head:
    """What HEAD names. The branch is the last reference of a chain, as `git symbolic-ref HEAD` without options says."""
    commondir = os.path.join(git, "commondir")
    common = os.path.join(git, _text(commondir)) if os.path.isfile(commondir) else git
    ref = "HEAD"
    for _ in range(SYMBOLIC_DEPTH + 1):
        value = _reference(git, common, ref)
        target = value.removeprefix("ref:").strip()
        if target == value:  # a commit, or nothing
            commit = value if set(value) <= _HEX else ""
            return Head(root, commit, "" if ref == "HEAD" else ref.removeprefix("refs/heads/"))
        if target == _REFTABLE or not target.startswith("refs/") or ".." in target:
            return Head(root)
        ref = target
    return Head(root)


def _reference(git: str, common: str, ref: str) -> str:
    """What a reference holds: a commit, or `ref:` and another reference; empty if there is none."""
    for folder in dict.fromkeys((git, common)):
        path = os.path.join(folder, ref)
        try:
            link = os.readlink(path)
            if link.startswith("refs/"):  # how old versions of git write symbolic references
                return f"ref: {link}"
        except OSError:
            pass  # no link: the usual case
        if os.path.lexists(path) and not os.path.isdir(path):
            return _text(path)
        if ref == "HEAD":
            return ""
    return _packed(os.path.join(common, "packed-refs"), ref)


def _packed(path: str, ref: str) -> str:
    """The commit of a reference in the file of packed references; empty if it is not there."""
    wanted = b" " + os.fsencode(ref) + b"\n"
    try:
        descriptor = _open(path)
    except FileNotFoundError:
        return ""
    try:
        text, remaining = b"", PACKED_BYTES
        while remaining > 0 and (block := os.read(descriptor, _BLOCK_BYTES)):
            remaining -= len(block)
            text += block
            at = text.find(wanted)
            if at >= 0:
                return text[text.rfind(b"\n", 0, at) + 1 : at].decode("ascii", "replace")
            text = text[text.rfind(b"\n") + 1 :][-LIMIT_BYTES:]  # the line that goes on in the next block
        return ""
    finally:
        os.close(descriptor)
