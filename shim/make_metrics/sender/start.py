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

from make_metrics import environment
from make_metrics.consent import gate
from make_metrics.files import user_dirs
from make_metrics.project.root import Root, find_root
from make_metrics.sender import protocol, reaper
from make_metrics.sender.protocol import notice_state

_YES = b'"decision": "yes"'
_LIMIT_BYTES = 65_536


def start_sender(pid: int, key: str, state: bytes) -> bool:
    """Start the sender for the make that a developer has started, unless there is nothing for it to do.

    It gets the environment that make was started with: what a makefile exports, a proxy perhaps, is not the
    developer's. Gives whether it was started. Raises psutil.Error or OSError where that cannot be told or done.
    """
    make = psutil.Process(pid)
    environ = _environ_of(make)
    project = find_root(make.cwd())
    if not project.settings or not all(map(_allowed, (environ, os.environ))):
        return False
    if not agreed(project, environ, os.fsdecode(state)) or below_another(make):
        return False
    about = {protocol.MAKE: key, protocol.GROUP: str(os.getpgid(pid)), protocol.PROJECT: project.directory}
    _leave({**environ, reaper.VARIABLE: reaper.NONE, **about, protocol.STATE: os.fsdecode(state)})
    return True


def _environ_of(make: psutil.Process) -> dict[str, str]:
    """What make was started with; what it hands on where the system does not tell."""
    try:
        return make.environ() or dict(os.environ)
    except psutil.AccessDenied:
        return dict(os.environ)


def agreed(project: Root, environ: Mapping[str, str], state: str) -> bool:
    """Whether a yes is on file for a project, and nobody has found yet that it is one to an older notice.

    To find that takes too long here: the first sender after a change does, and leaves a note.
    """
    decision = gate.decision_path(project, environ)
    if _YES not in _read(decision) or _taken_back(decision, environ):
        return False
    return _read(os.path.join(state, "paused", os.path.basename(decision))) != notice_state(project.directory, decision)


def _taken_back(decision: str, environ: Mapping[str, str]) -> bool:
    """Whether `make-metrics on-this-machine` was said after a yes, going by the files' times; the sender reads them."""
    try:
        kept = os.stat(os.path.join(user_dirs.find_user_dirs(environ).data, user_dirs.ON_THIS_MACHINE))
        return kept.st_mtime_ns >= os.stat(decision).st_mtime_ns
    except OSError:
        return False


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT_BYTES)
    except OSError:
        return b""


def _allowed(environ: Mapping[str, str]) -> bool:
    allowed = environment.ceiling(environ) == "on" and environ.get("MAKE_METRICS") != "log"
    return allowed and not reaper.obstacle(environ)


def below_another(make: psutil.Process) -> bool:
    """Whether a process runs below a sender, which runs git, which may run anything."""
    return any(protocol.PROGRAM in above.cmdline() for above in make.parents())


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
        os.execve(sys.executable, [sys.executable, "-I", protocol.PROGRAM], environ)  # noqa: S606
    finally:
        os._exit(127)
