"""The processes above a recipe line: which of them are makes, and what their shims were handed."""

from __future__ import annotations

import contextlib
import os
from collections import namedtuple

import psutil

from make_metrics.hot import arguments
from make_metrics.processes.keys import process_key

_ROTATED = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm5678901234",
)

MakeAbove = namedtuple("MakeAbove", ("process", "key", "target"))
MakeAbove.__doc__ = "A make above another make: its process, its key, and the target whose recipe started the other."


def is_make(process: psutil.Process, names: frozenset[str]) -> bool:
    """Whether a process's first word is one of these names; of a script called make, that is its interpreter."""
    try:
        words = process.cmdline()
        return bool(words) and os.path.basename(words[0]) in names
    except psutil.Error:
        return False


def makes_above(process: psutil.Process, names: frozenset[str]) -> list[MakeAbove]:
    """The make processes above a process, nearest first; each target is empty if unknown."""
    makes: list[MakeAbove] = []
    child = process
    with contextlib.suppress(psutil.Error):
        while (parent := child.parent()) is not None:
            if is_make(parent, names):
                makes.append(MakeAbove(parent, process_key(parent.pid) or "", target_of(child)))
            child = parent
    return [make for make in makes if make.key]


def make_among_ancestors(names: frozenset[str]) -> psutil.Process | None:
    """The nearest make above this process, None without one that can be seen."""
    return next((process for process in _ancestors() if is_make(process, names)), None)


def _ancestors() -> list[psutil.Process]:
    try:
        return psutil.Process().parents()
    except psutil.Error:
        return []


def terminal_of(process: psutil.Process) -> str:
    """The path of a process's controlling terminal; empty without one, or if the process is gone."""
    try:
        return process.terminal() or ""
    except psutil.Error:
        return ""


def rotate(word: bytes) -> bytes:
    """Rotate letters by 13 and digits by 5; twice gives the word back.

    A running launcher shows its words so in the list of processes, where `pkill -f` would otherwise match it.
    """
    return word.translate(_ROTATED)


def arguments_of(process: psutil.Process) -> arguments.Arguments | None:
    """What make handed to a shim process, None if the process is no shim."""
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        words = [os.fsencode(word) for word in process.cmdline()]
        if rotate(arguments.PROTOCOL) in words:
            words = [rotate(word) for word in words]
        return arguments.Arguments(words[words.index(arguments.PROTOCOL) :])
    return None


def target_of(process: psutil.Process) -> str:
    """The target whose recipe a shim process runs, empty if the process is no shim."""
    handed = arguments_of(process)
    return handed.target.decode("utf-8", "backslashreplace") if handed else ""
