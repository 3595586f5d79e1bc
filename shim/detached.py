"""Starting the sender beside a make: whether this make gets one, and the start itself.

The walk does it while a recipe's first line may be waiting, and that line ends the walk: it takes a millisecond or
two where there is a yes, next to nothing where there is none, and the sender belongs to nobody when it is over.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

import psutil

from shim import ceiling, reaping, sender
from shim.hot import home

SETTINGS = "make-metrics.toml"
_YES = b'"decision": "yes"'
_LIMIT_BYTES = 65_536


def start(pid: int, key: str, state: bytes) -> bool:
    """Start the sender for the make that a developer has started, unless there is nothing for it to do.

    It gets the environment that make was started with: what a makefile exports, a proxy perhaps, is not the
    developer's. Gives whether it was started. Raises psutil.Error or OSError where that cannot be told or done.
    """
    make = psutil.Process(pid)
    environ = make.environ() or dict(os.environ)
    if not agreed(make.cwd(), environ) or not all(map(_allowed, (environ, os.environ))) or below_another(make):
        return False
    _leave({**environ, reaping.VARIABLE: reaping.NONE, sender.MAKE: key, sender.STATE: os.fsdecode(state)})
    return True


def agreed(directory: str, environ: Mapping[str, str]) -> bool:
    """Whether a yes is on file for the project of a directory. To which notice, the sender looks itself."""
    project = project_of(directory)
    if not project:
        return False
    given = {os.fsencode(name): os.fsencode(value) for name, value in environ.items()}
    try:
        with open(home.decision(given, os.fsencode(project)), "rb") as file:
            return _YES in file.read(_LIMIT_BYTES)
    except OSError:
        return False


def project_of(directory: str) -> str:
    """The folder of the settings file that holds for a directory, as `shim.settings` finds it; empty for none."""
    folder, below, found = directory, "", ""
    while folder != below:
        if not found and os.path.lexists(os.path.join(folder, SETTINGS)):
            found = folder
        if os.path.lexists(os.path.join(folder, ".git")):
            return found
        folder, below = os.path.dirname(folder), folder
    return found if found == directory else ""


def _allowed(environ: Mapping[str, str]) -> bool:
    allowed = ceiling.of(environ) == "on" and environ.get("MAKE_METRICS") != "log"
    return allowed and not reaping.obstacle(environ)


def below_another(make: psutil.Process) -> bool:
    """Whether a process runs below a sender, which runs git, which may run anything."""
    return any(sender.PROGRAM in above.cmdline() for above in make.parents())


def _leave(environ: Mapping[str, str]) -> None:
    """Start the program in a session of its own, with nothing of make's; standard input is /dev/null already."""
    if os.fork():
        return
    try:
        os.setsid()
        os.chdir("/")
        os.dup2(0, 1)
        os.dup2(0, 2)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execve(sys.executable, [sys.executable, "-I", sender.PROGRAM], environ)  # noqa: S606
    finally:
        os._exit(127)
