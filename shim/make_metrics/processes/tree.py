"""The processes above a recipe line: which of them are makes, and what their shims were handed."""

from __future__ import annotations

import contextlib
import os
from collections import namedtuple
from collections.abc import Mapping

import psutil

from make_metrics.hot import arguments, procfs, record_format
from make_metrics.processes.command_line import without_emulator
from make_metrics.processes.keys import process_key

MakeAbove = namedtuple("MakeAbove", ("process", "key", "target"))
MakeAbove.__doc__ = "A make above another make: its process, its key, and the target whose recipe started the other."

Shim = namedtuple("Shim", ("target", "has_make"))
Shim.__doc__ = "A shim that runs a recipe line: the target, empty if unknown, and whether its make still runs."


def initial_environment(process: psutil.Process, otherwise: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that a process was started with; a copy of another one, or none, if the system hides it.

    macOS shows an empty environment for a protected program, such as its own make. A variable without a name is left
    out: Python starts no program with one.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if environ := process.environ():
            return environ
    return {name: value for name, value in (otherwise or {}).items() if name}


def is_make(process: psutil.Process, names: frozenset[str]) -> bool:
    """Whether a process's first word is one of these names; of a script called make, that is its interpreter."""
    try:
        words = without_emulator(process.cmdline())
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


def make_of_line(parent: psutil.Process, names: frozenset[str]) -> psutil.Process | None:
    """The make that runs the line whose shim, somewhere above this process, is a child of `parent`.

    That is `parent`, unless a tool that watches processes (bear) starts each program from a process of its own: the
    tool's command line ends with the words that make handed over. None if `parent` is neither.
    """
    with contextlib.suppress(psutil.Error):
        if is_make(parent, names):
            return parent
        protocol = os.fsdecode(arguments.PROTOCOL)
        shim = next((process for process in _ancestors() if process.ppid() == parent.pid), None)
        words = shim.cmdline() if shim else []
        handed = words[words.index(protocol) :] if protocol in words else []
        process: psutil.Process | None = parent
        while process is not None and handed and process.cmdline()[-len(handed) :] == handed:
            process = process.parent()
            if process is not None and is_make(process, names):
                return process
    return None


def make_among_ancestors(names: frozenset[str]) -> psutil.Process | None:
    """The nearest make above this process, None without one that can be seen."""
    return next((process for process in _ancestors() if is_make(process, names)), None)


def _ancestors() -> list[psutil.Process]:
    try:
        return psutil.Process(procfs.own_pid() or None).parents()
    except psutil.Error:
        return []


def terminal_of(process: psutil.Process) -> str:
    """The path of a process's controlling terminal; empty without one, or if the process is gone."""
    try:
        return process.terminal() or ""
    except psutil.Error:
        return ""


def shim_of(process: psutil.Process) -> Shim | None:
    """What a process that runs a recipe line shows of it, None if the process is no shim."""
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        words = [os.fsencode(word) for word in process.cmdline()]
        if words[0].startswith(arguments.TITLE):
            return Shim(_shown_target(process.pid), process.ppid() == int(words[0].removeprefix(arguments.TITLE)))
        handed = arguments.Arguments(words[words.index(arguments.PROTOCOL) :])
        parent = process.parent()
        names = frozenset({"make", "gmake", os.fsdecode(handed.make)})
        return Shim(handed.target, parent is not None and is_make(parent, names))
    return None


def _shown_target(pid: int) -> bytes:
    """The target that a launcher shows among its descriptors, empty if they cannot be read."""
    shown = b"/memfd:" + arguments.TARGET_FILE
    with contextlib.suppress(OSError, ValueError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{name}"
            file = os.fsencode(os.readlink(path)).removesuffix(b" (deleted)")
            if file == shown:
                with open(path, "rb") as content:
                    return record_format.decode(content.read())
            if file.startswith(shown):
                return record_format.decode(file.removeprefix(shown))
    return b""


def target_of(process: psutil.Process) -> str:
    """The target whose recipe a shim process runs, empty if it is unknown or the process is no shim."""
    shim = shim_of(process)
    return shim.target.decode("utf-8", "backslashreplace") if shim else ""
