"""The walk: which make runs a line, what it was asked for, and which makes are above it.

The first line of each make process starts it, while that line's recipe runs. It writes the make's header to the record,
then the run's name to the make's marker, and unlocks the marker: from then on every line of this make knows its record
without a walk. The rest of the recipe's time may go into combining old records, until the line ends this process.
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
from make_metrics.processes.tree import initial_environment, is_make, make_of_line, makes_above
from make_metrics.project.root import Root, find_root, project_key
from make_metrics.sender.start import become_sender, start_sender
from make_metrics.walk.header import describe, write_header

LIFETIME_S = 20
COMBINE = b"combine"


def _invitation(initial: dict[str, str], directory: str, project: Root) -> bytes:
    """The line that invites the developer to decide about a project, after a newline; empty in most cases."""
    with contextlib.suppress(Exception):  # a failure costs the invitation, not the run
        if gate.may_invite(project, initial, now_ns=time.time_ns()):
            from make_metrics.consent import invitation

            return b"\n" + invitation.line(initial, directory, now_ns=time.time_ns())
    return b""


def _trace(run: str, project: Root, initial: dict[str, str]) -> str:
    """The run's trace and the person's id in the project, and a blank; empty if they cannot be found out."""
    try:
        from pathlib import Path

        from make_metrics.consent.anonymous_id import read_id_file
        from make_metrics.deliver import trace, traceparent
        from make_metrics.files import user_dirs

        identities = Path(user_dirs.find_user_dirs(initial).config) / user_dirs.IDENTITIES
        anonymous_id = read_id_file(identities / project_key(project.directory)) or ""
        joined = traceparent.parse(initial.get("TRACEPARENT", ""))
        return f"{joined[0] if joined else trace.trace_id(run, anonymous_id)}/{anonymous_id} "
    except Exception as error:
        _note(error)
        return ""


def walk(
    pid: int, state: bytes, *, name: str, goal: str, version: str, attended: bool, traced: bool
) -> tuple[bytes, bool]:
    """Find the make `pid` and the makes above it, and write the headers that the record lacks.

    Returns the marker's text (`<run> <make>` or a verdict), and whether the developer started this make directly. If so
    and somebody can read it (`attended`), the text may have an invitation on a second line. With `traced` what
    `hot.traceparent` needs stands between run and make.
    """
    makeflags = os.environ.get("MAKEFLAGS", "")
    if builds_nothing(makeflags):
        return recorder.NOT_A_MAKE, False
    names = frozenset({"make", "gmake", name})
    make = psutil.Process(pid)
    above = makes_above(make, names)
    if not is_make(make, names):
        return (recorder.NOT_A_MAKE if above else recorder.NO_MAKE_ABOVE), False
    key = process_key(pid) or ""
    run = above[-1].key if above else key
    records = state + b"/records"
    facts = describe(make, key, above, default_goal=goal, makeflags=makeflags, version=version)
    directory, initial = str(facts["directory"]), initial_environment(above[-1].process if above else make, os.environ)
    project = find_root(directory)
    if gate.recording_forbidden(project, initial):
        return recorder.NOT_A_MAKE, False
    write_header(records, run, facts)
    for at, other in enumerate(above):
        if not os.path.lexists(state + b"/makes/" + other.key.encode()):  # it does not include the fragment
            write_header(records, run, describe(other.process, other.key, above[at + 1 :]))
    text = f"{run} {_trace(run, project, initial)}{key}".encode() if traced else f"{run} {key}".encode()
    if attended and not above and facts["ceiling"] == "on":
        text += _invitation(initial, directory, project)
    return text, not above


def _combine_if_due(pid: int, state: bytes) -> None:
    """Combine old records if many wait: this bounds their number for developers who never look at a report."""
    try:
        from make_metrics.sweep import backlog

        if backlog.due(state + b"/records"):
            backlog.combine(pid, state)
    except Exception as error:
        _note(error, "sweep")


def _walk_once(
    pid: int, state: bytes, *, name: str, goal: str, version: str, attended: bool, traced: bool
) -> tuple[bytes, bool]:
    """Walk where a line cannot tell whether another line of its make has already walked.

    That is so without /proc, and where another process stands between make and the line.
    """
    marker = state + b"/makes/" + (process_key(pid) or "").encode()
    descriptor = append.lock(marker, patience_ns=LIFETIME_S * 1_000_000_000)
    text = os.pread(descriptor, 4096, 0)
    if text:
        return text, False
    text, direct = walk(pid, state, name=name, goal=goal, version=version, attended=attended, traced=traced)
    os.write(descriptor, text.partition(b"\n")[0])
    os.close(descriptor)
    return text, direct


def _note(failure: Exception, part: str = "walk") -> None:
    """Leave a note for `make-metrics doctor`; never raises."""
    with contextlib.suppress(Exception):
        from make_metrics.hot import failure_log

        failure_log.write_walk_failure(failure, part)


def _start_sender(pid: int, text: bytes, state: bytes) -> dict[str, str] | None:
    """What `sender.start.start_sender` returns; None also if it fails."""
    try:
        return start_sender(pid, os.fsdecode(text.partition(b"\n")[0].split()[-1]), state)
    except (psutil.Error, OSError):
        pass
    except Exception as error:
        _note(error, "sender")
    return None


def main(words: list[bytes]) -> None:
    """Walk for the line that started us; standard output is the locked marker of its make.

    The launcher's own walk (hot/in_c/walk.c) starts this one only to combine: then the words are COMBINE, pid, state.
    """
    signal.alarm(LIFETIME_S)
    os.closerange(3, 65536)  # make's job server, and whatever else the recipe may use
    if words[0] == COMBINE:
        _combine_if_due(int(words[1]), words[2])
        return
    pid, key, state = int(words[0]), words[1], words[2]
    name, version = os.fsdecode(words[3]), words[4].decode("ascii")
    traced = recorder.TRACED in words[7:]
    goal, attended = words[5].decode("utf-8", "backslashreplace"), words[6] == recorder.ATTENDED
    find = _walk_once if key == b"-" else walk
    try:
        make = make_of_line(psutil.Process(pid), frozenset({"make", "gmake", name}))
        if make is not None and make.pid != pid:
            pid, find = make.pid, _walk_once
        text, direct = find(pid, state, name=name, goal=goal, version=version, attended=attended, traced=traced)
    except Exception as error:
        # make is gone or hidden: treat it as a run of its own; without a key, treat each line so.
        text, direct = recorder.NO_MAKE_ABOVE if key == b"-" else key + b" " + key, False
        if not isinstance(error, psutil.Error):
            _note(error)  # before the marker is unlocked: a line that reads it ends this process
    # Before the marker is unlocked, too: only this walk starts the make's sender, and a line may end the walk then.
    beside = _start_sender(pid, text, state) if direct else None
    os.write(1, text)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(1, fcntl.LOCK_UN)
    os.dup2(0, 1)
    if beside:
        become_sender(beside)
    elif direct:
        _combine_if_due(pid, state)
