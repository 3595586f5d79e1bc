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
MakeAbove.__doc__ = (
    "A make process above another one, with the target whose recipe leads down to it (empty if not known)."
)


def is_make(candidate: psutil.Process, names: frozenset[str]) -> bool:
    """Whether a process is a make: a script that is called make shows its interpreter in front."""
    try:
        words = candidate.cmdline()
        return bool(words) and os.path.basename(words[0]) in names
    except psutil.Error:
        return False


def makes_above(start: psutil.Process, names: frozenset[str]) -> list[MakeAbove]:
    """The make processes above one, nearest first."""
    found: list[MakeAbove] = []
    below = start
    with contextlib.suppress(psutil.Error):
        while (above := below.parent()) is not None:
            if is_make(above, names):
                found.append(MakeAbove(above, process_key(above.pid) or "", target_of(below)))
            below = above
    return [above for above in found if above.key]


def rotate(word: bytes) -> bytes:
    """A word as a running launcher shows it to whoever looks at processes, or back: letters by 13, digits by 5."""
    return word.translate(_ROTATED)


def arguments_of(shim: psutil.Process) -> arguments.Arguments | None:
    """What a shim process was handed, None if the process is no shim."""
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        words = [os.fsencode(word) for word in shim.cmdline()]
        if rotate(arguments.PROTOCOL) in words:
            words = [rotate(word) for word in words]
        return arguments.Arguments(words[words.index(arguments.PROTOCOL) :])
    return None


def target_of(shim: psutil.Process) -> str:
    """The target that a shim process was handed, empty if the process is no shim."""
    found = arguments_of(shim)
    return found.target.decode("utf-8", "backslashreplace") if found else ""
