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
from collections import namedtuple

import psutil

from shim import ceiling, detached, goals, head, places, process, service, standing, traceparent
from shim.hot import append, book, handover, wire

_LIFETIME_S = 20
_TURNED = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm5678901234",
)


Facts = dict[str, "str | int | bool | tuple[str, ...]"]  # of one make process: the fields of `shim.record.Make`
Above = namedtuple("Above", ("process", "key", "target"))
Above.__doc__ = "A make process above another one, with the target whose recipe leads down to it (empty if not known)."


def is_make(candidate: psutil.Process, names: frozenset[str]) -> bool:
    """Whether a process is a make: a script that is called make shows its interpreter in front."""
    try:
        words = candidate.cmdline()
        return bool(words) and os.path.basename(words[0]) in names
    except psutil.Error:
        return False


def makes_above(start: psutil.Process, names: frozenset[str]) -> list[Above]:
    """The make processes above one, nearest first."""
    found: list[Above] = []
    below = start
    with contextlib.suppress(psutil.Error):
        while (above := below.parent()) is not None:
            if is_make(above, names):
                found.append(Above(above, process.key(above.pid) or "", handed_target(below)))
            below = above
    return [above for above in found if above.key]


def turned(word: bytes) -> bytes:
    """A word as a running launcher shows it to whoever looks at processes, or back: letters by 13, digits by 5."""
    return word.translate(_TURNED)


def handed(shim: psutil.Process) -> handover.Handover | None:
    """What a shim process was handed, None if the process is no shim."""
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        words = [os.fsencode(word) for word in shim.cmdline()]
        if turned(handover.PROTOCOL) in words:
            words = [turned(word) for word in words]
        return handover.Handover(words[words.index(handover.PROTOCOL) :])
    return None


def handed_target(shim: psutil.Process) -> str:
    """The target that a shim process was handed, empty if the process is no shim."""
    found = handed(shim)
    return found.target.decode("utf-8", "backslashreplace") if found else ""


def _given(makeflags: str) -> tuple[str, list[str]]:
    """The options in MAKEFLAGS (GNU make manual, 5.7.3): the single letters that come first, and all other words."""
    words = makeflags.split(" -- ")[0].split()
    first = words[0] if words and not words[0].startswith("-") and "=" not in words[0] else ""
    return first, words


def flags(makeflags: str) -> dict[str, bool]:
    """What MAKEFLAGS says of jobs, -k and -i."""
    letters, words = _given(makeflags)
    return {
        "parallel": any(word.startswith("-j") and word != "-j1" for word in words),
        "keep_going": "k" in letters or "--keep-going" in words,
        "ignore_errors": "i" in letters or "--ignore-errors" in words,
    }


def jobs(makeflags: str, command: list[str]) -> int:
    """How many jobs make runs at once: 0 for no limit, -1 where it is not known.

    Make before 4.2 tells recipes that there is a job server, and not of how many: then its command line may say it.
    """
    words = _given(makeflags)[1]
    given = [word[2:] for word in words if word.startswith("-j")]
    if not given:
        return 1
    if given[-1].isdecimal():
        return int(given[-1])
    return goals.jobs(command) if any(word.startswith("--jobserver") for word in words) else 0


def builds_nothing(makeflags: str) -> bool:
    """Whether make only says or asks what it would do (-n, -q, -t): what it runs even so is no target's work."""
    return bool(set("nqt") & set(_given(makeflags)[0]))


def environment(found: psutil.Process) -> dict[str, str]:
    """A make's environment as it was started; if that cannot be told, what it hands to recipes.

    It is empty for a program that macOS protects, such as its own make.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if began := found.environ():
            return began
    return dict(os.environ)


def allowed(began: dict[str, str]) -> str:
    """The most that a make's environment allows to be done with its events.

    Its own, as it was started, and what it hands to recipes: a makefile cannot lift what the developer has set, nor
    lead to decisions that lie elsewhere than the developer's.
    """
    if any(began.get(name) != os.environ.get(name) for name in places.VARIABLES):
        return ceiling.lowest("local", ceiling.of(os.environ), ceiling.of(began))
    return ceiling.lowest(ceiling.of(os.environ), ceiling.of(began))


def _invitation(began: dict[str, str], directory: str, project: standing.Root) -> bytes:
    """The line that invites whoever sits in front to decide about a project, after a newline; most often nothing."""
    with contextlib.suppress(Exception):  # whatever is wrong with it costs the invitation, not the run
        if standing.may_invite(project, began, now_ns=time.time_ns()):
            from shim import invitation

            return b"\n" + invitation.line(began, directory, now_ns=time.time_ns())
    return b""


def describe(
    found: psutil.Process,
    key: str,
    above: list[Above],
    *,
    default_goal: str = "",
    makeflags: str = "",
    version: str = "",
) -> Facts:
    """What the record's header says of a make process."""
    directory, words = "", list[str]()
    with contextlib.suppress(psutil.Error):
        words = found.cmdline()
        directory = found.cwd()
    named, began = goals.from_command_line(words), environment(found)
    checked_out = head.read(directory) if directory else head.Head()
    return dict(
        key=key,
        parent=above[0].key if above else "",
        parent_target=above[0].target if above else "",
        level=len(above),
        goals=named or ((default_goal,) if default_goal else ()),
        wall_ns=int(found.create_time() * 1_000_000_000),
        directory=directory,
        version=version,
        is_test=os.environ.get("MAKE_METRICS_IS_TEST") or "no",
        repository=checked_out.repository,
        head=checked_out.commit,
        branch=checked_out.branch,
        boot=process.boot(),
        ceiling=allowed(began),
        ci=service.ci(os.environ),
        jobs=jobs(makeflags, words) if version else -1,
        traceparent="" if above else traceparent.valid(began.get("TRACEPARENT", "")),
        **flags(makeflags),
    )


def _header(records: bytes, run: str, facts: Facts) -> None:
    append.entry(records, run.encode(), wire.make(facts))


def walk(pid: int, state: bytes, *, name: str, goal: str, version: str, seen: bool) -> tuple[bytes, bool]:
    """Find the make `pid` and those above it, and write what the record lacks.

    Gives the marker's text, `<run> <make>` or a verdict, and whether this is the make that the developer started. For
    that one, if `seen` says that somebody would see it, an invitation may follow on a second line.
    """
    makeflags = os.environ.get("MAKEFLAGS", "")
    if builds_nothing(makeflags):
        return book.NOT_A_MAKE, False
    names = frozenset({"make", "gmake", name})
    found = psutil.Process(pid)
    above = makes_above(found, names)
    if not is_make(found, names):
        return (book.NOT_A_MAKE if above else book.NO_MAKE_ABOVE), False
    key = process.key(pid) or ""
    run = above[-1].key if above else key
    records = state + b"/records"
    made = describe(found, key, above, default_goal=goal, makeflags=makeflags, version=version)
    directory, began = str(made["directory"]), environment(above[-1].process if above else found)
    project = standing.root(directory)
    if standing.off(project, began):
        return book.NOT_A_MAKE, False
    _header(records, run, made)
    for at, one in enumerate(above):
        if not os.path.lexists(state + b"/makes/" + one.key.encode()):  # a make that does not include the fragment
            _header(records, run, describe(one.process, one.key, above[at + 1 :]))
    text = f"{run} {key}".encode()
    if seen and not above and made["ceiling"] == "on":
        text += _invitation(began, directory, project)
    return text, not above


def _combine_if_due(pid: int, state: bytes) -> None:
    """Combine old records when many wait, so that they are bounded also for those who never look at a report."""
    try:
        from shim import backlog

        if backlog.due(state + b"/records"):
            backlog.combine(pid, state)
    except Exception as error:
        _write_down(error, "sweep")


def _walk_once(pid: int, state: bytes, *, name: str, goal: str, version: str, seen: bool) -> tuple[bytes, bool]:
    """Walk where /proc did not name the make: the line could not tell whether another line of it has walked."""
    marker = state + b"/makes/" + (process.key(pid) or "").encode()
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
        from shim.hot import crash

        crash.of_walk(failure, part)


def _start_sender(pid: int, text: bytes, state: bytes) -> None:
    try:
        detached.start(pid, os.fsdecode(text.split()[1]), state)
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
        text, developers = find(pid, state, name=name, goal=goal, version=version, seen=words[6] == book.SEEN)
    except Exception as error:
        # The make has ended, or shows nothing: a run of its own; without even a key, each of its lines is.
        text, developers = book.NO_MAKE_ABOVE if key == b"-" else key + b" " + key, False
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
