"""Start the sender beside a make, if this make gets one.

The walk does this while a recipe line may be waiting. It takes a millisecond or two for a project with a yes, next to
nothing for others. The line may end the walk: by then the sender is a process of a session of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

import psutil

from make_metrics import environment
from make_metrics.consent import gate
from make_metrics.consent.policy import read_policy
from make_metrics.files import user_dirs
from make_metrics.files.read import read_file
from make_metrics.processes.tree import initial_environment
from make_metrics.project.root import Root, find_root
from make_metrics.sender import protocol, reaper
from make_metrics.sender.protocol import notice_state

_YES = b'"decision": "yes"'
_NICE = 10


def start_sender(pid: int, key: str, state: bytes) -> dict[str, str] | None:
    """Start the sender for the make `pid`, unless there is nothing for it to do.

    Where no process may outlive make, return the environment for `become_sender` instead; else None.

    The sender gets the environment that make was started with: a variable that a makefile exports, such as a proxy, is
    not the developer's. Where the system hides that, it gets the one that make hands to recipes. Raises psutil.Error or
    OSError.
    """
    make = psutil.Process(pid)
    environ = initial_environment(make, os.environ)
    project = find_root(make.cwd())
    if not project.settings or read_policy().most != "on" or not all(map(_allows_sending, (environ, os.environ))):
        return None
    if not yes_on_file(project, environ, os.fsdecode(state)) or below_sender(make):
        return None
    outlives = not any(map(reaper.obstacle, (environ, os.environ)))
    task = {
        reaper.VARIABLE: reaper.NONE,
        protocol.MAKE: key if outlives else protocol.BESIDE,
        protocol.GROUP: str(os.getpgid(pid)) if outlives else "0",
        protocol.PROJECT: project.directory,
        protocol.STATE: os.fsdecode(state),
        protocol.HELD: "",
    }
    if not outlives:
        return {**environ, **task}
    _detach({**environ, **task})
    return None


def become_sender(environ: Mapping[str, str]) -> None:
    """Replace this process by a sender that does not outlive its line, which ends it; does not return."""
    signal.alarm(0)  # the walk's: a sender limits its life itself
    os.nice(_NICE)
    os.dup2(0, 1)
    os.dup2(0, 2)
    os.execve(sys.executable, [sys.executable, "-I", protocol.PROGRAM], environ)  # noqa: S606


def yes_on_file(project: Root, environ: Mapping[str, str], state: str) -> bool:
    """Whether a project's decision is a yes, and no sender has noted that it is a yes to an older notice.

    Comparing the notices takes too long here: the first sender after a change does it, and leaves that note.
    """
    decision = gate.decision_path(project, environ)
    if _YES not in _read(decision) or _taken_back(decision, environ):
        return False
    return _read(os.path.join(state, "paused", os.path.basename(decision))) != notice_state(project.directory, decision)


def _taken_back(decision: str, environ: Mapping[str, str]) -> bool:
    """Whether `make-metrics on-this-machine` came after the yes, by the files' times; the sender reads the files."""
    try:
        path = os.path.join(user_dirs.find_user_dirs(environ).data, user_dirs.ON_THIS_MACHINE)
        return os.stat(path).st_mtime_ns >= os.stat(decision).st_mtime_ns
    except OSError:
        return False


def _read(path: str) -> bytes:
    try:
        return read_file(path, any_owner=True) or b""
    except OSError:
        return b""


def _allows_sending(environ: Mapping[str, str]) -> bool:
    sends = environment.ceiling(environ) == "on" and not environment.only_prints(environ)
    return sends and not reaper.prohibition(environ)


def below_sender(make: psutil.Process) -> bool:
    """Whether a make runs below a sender: a sender runs git, which may run anything, also make."""
    return any(protocol.PROGRAM in parent.cmdline() for parent in make.parents())


def _detach(environ: Mapping[str, str]) -> None:
    """Start the sender in a session of its own, holding nothing of make's. Our standard input is /dev/null already.

    Wait until it has that session: the line ends our process group as soon as it knows its run.
    """
    ready, started = os.pipe()
    if os.fork():
        os.close(started)
        os.read(ready, 1)  # the end: a session began, or no program could
        os.close(ready)
        return
    try:
        os.setsid()
        os.close(started)
        os.chdir("/")
        os.dup2(0, 1)
        os.dup2(0, 2)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execve(sys.executable, [sys.executable, "-I", protocol.PROGRAM], environ)  # noqa: S606
    finally:
        os._exit(127)
