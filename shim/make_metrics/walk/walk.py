"""The walk: which make runs a line, what it was asked for, and which makes are above it.

Started by the first line of each make process, while that line's recipe runs. Writes the make's header to the record,
then the run's name to the make's marker, and releases the marker's lock: from then on every line of this make knows
its record without walking. What is left of the recipe's time may go into combining old records; the line ends that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time

import psutil

from make_metrics.consent import gate
from make_metrics.hot import append, recorder
from make_metrics.processes.command_line import builds_nothing
from make_metrics.processes.keys import process_key
from make_metrics.processes.tree import is_make, makes_above
from make_metrics.project.root import Root, find_root
from make_metrics.sender.start import start_sender
from make_metrics.walk.header import describe, initial_environment, write_header

_LIFETIME_S = 20


def _invitation(began: dict[str, str], directory: str, project: Root) -> bytes:
    """The line that invites whoever sits in front to decide about a project, after a newline; most often nothing."""
    with contextlib.suppress(Exception):  # whatever is wrong with it costs the invitation, not the run
        if gate.may_invite(project, began, now_ns=time.time_ns()):
            from make_metrics.consent import invitation

            return b"\n" + invitation.line(began, directory, now_ns=time.time_ns())
    return b""


def walk(pid: int, state: bytes, *, name: str, goal: str, version: str, seen: bool) -> tuple[bytes, bool]:
    """Find the make `pid` and those above it, and write what the record lacks.

    Gives the marker's text, `<run> <make>` or a verdict, and whether this is the make that the developer started. For
    that one, if `seen` says that somebody would see it, an invitation may follow on a second line.
    """
    makeflags = os.environ.get("MAKEFLAGS", "")
    if builds_nothing(makeflags):
        return recorder.NOT_A_MAKE, False
    names = frozenset({"make", "gmake", name})
    found = psutil.Process(pid)
    above = makes_above(found, names)
    if not is_make(found, names):
        return (recorder.NOT_A_MAKE if above else recorder.NO_MAKE_ABOVE), False
    key = process_key(pid) or ""
    run = above[-1].key if above else key
    records = state + b"/records"
    made = describe(found, key, above, default_goal=goal, makeflags=makeflags, version=version)
    directory, began = str(made["directory"]), initial_environment(above[-1].process if above else found)
    project = find_root(directory)
    if gate.off(project, began):
        return recorder.NOT_A_MAKE, False
    write_header(records, run, made)
    for at, one in enumerate(above):
        if not os.path.lexists(state + b"/makes/" + one.key.encode()):  # a make that does not include the fragment
            write_header(records, run, describe(one.process, one.key, above[at + 1 :]))
    text = f"{run} {key}".encode()
    if seen and not above and made["ceiling"] == "on":
        text += _invitation(began, directory, project)
    return text, not above


def _combine_if_due(pid: int, state: bytes) -> None:
    """Combine old records when many wait, so that they are bounded also for those who never look at a report."""
    try:
        from make_metrics.sweep import backlog

        if backlog.due(state + b"/records"):
            backlog.combine(pid, state)
    except Exception as error:
        _write_down(error, "sweep")


def _walk_once(pid: int, state: bytes, *, name: str, goal: str, version: str, seen: bool) -> tuple[bytes, bool]:
    """Walk where /proc did not name the make: the line could not tell whether another line of it has walked."""
    marker = state + b"/makes/" + (process_key(pid) or "").encode()
    held = append.lock(marker, patience_ns=_LIFETIME_S * 1_000_000_000)
    known = os.pread(held, 4096, 0)
    if known:
        return known, False
    text, developers = walk(pid, state, name=name, goal=goal, version=version, seen=seen)
    os.write(held, text.partition(b"\n")[0])
    os.close(held)
    return text, developers


def _write_down(failure: Exception, part: str = "walk") -> None:
    """Leave a note for `make-metrics doctor`, if that can be done."""
    with contextlib.suppress(Exception):
        from make_metrics.hot import failure_log

        failure_log.write_walk_failure(failure, part)


def _start_sender(pid: int, text: bytes, state: bytes) -> None:
    try:
        start_sender(pid, os.fsdecode(text.split()[1]), state)
    except (psutil.Error, OSError):
        pass
    except Exception as error:
        _write_down(error, "sender")


def main(words: list[bytes]) -> None:
    """Walk for the line that started us; standard output is the locked marker of its make."""
    signal.alarm(_LIFETIME_S)
    os.closerange(3, 65536)  # make's job server, and whatever else the recipe may use
    pid, key, state = int(words[0]), words[1], words[2]
    name, version = os.fsdecode(words[3]), words[4].decode("ascii")
    goal = words[5].decode("utf-8", "backslashreplace")
    find = _walk_once if key == b"-" else walk
    try:
        text, developers = find(pid, state, name=name, goal=goal, version=version, seen=words[6] == recorder.ATTENDED)
    except Exception as error:
        # The make has ended, or shows nothing: a run of its own; without even a key, each of its lines is.
        text, developers = recorder.NO_MAKE_ABOVE if key == b"-" else key + b" " + key, False
        if not isinstance(error, psutil.Error):
            _write_down(error)  # at once: a line that has the marker ends us
    if developers:
        # Before the first line goes on: it may end this process at once, and then no other line starts one.
        _start_sender(pid, text, state)
    os.write(1, text)
    with contextlib.suppress(OSError):  # where there are no locks
        fcntl.flock(1, fcntl.LOCK_UN)
    os.dup2(0, 1)
    if developers:
        _combine_if_due(pid, state)
