"""Consent: what was decided about a project, by this user, and the mode that follows from it.

There are two questions, about the events of a project's targets and about reports of our own failures; each has a yes
or no of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from shim import crash_notice, notice, private_file
from shim.errors import UserError
from shim.mode import Decision, Inputs, Ruling, decide, through_sudo
from shim.paths import Paths, private, shown
from shim.settings import Project

_FORMAT = 1
_LOCK_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A recorded decision: yes or no, when (nanoseconds since the epoch), to which notice, and where the data goes."""

    project: str
    yes: bool
    decided_ns: int
    notice: str
    sinks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a project's decision: its kind, its record if there is a sound one, the mode and its rule."""

    decision: Decision
    record: Record | None
    ruling: Ruling


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the directory of its decisions, the version of its notice now (empty if there is nothing to agree
    to), where the data would go, and the commands for a yes and for a no."""

    folder: Callable[[Paths], Path]
    version: Callable[[Project], str]
    receivers: Callable[[Project], tuple[str, ...]]
    verbs: tuple[str, str]


EVENTS = Question(
    folder=lambda paths: paths.decisions,
    version=lambda project: notice.version(project.settings) if project.settings and project.sinks else "",
    receivers=lambda project: tuple(f"{sink.type} {sink.host}" for sink in project.sinks),
    verbs=("opt-in", "opt-out"),
)
CRASHES = Question(
    folder=lambda paths: paths.crash_decisions,
    version=lambda project: crash_notice.version(project.settings) if project.crash_dsn and project.settings else "",
    receivers=lambda project: (f"sentry {project.crash_dsn.host}",) if project.crash_dsn else (),
    verbs=("crash-reports on", "crash-reports off"),
)


def key(directory: Path) -> str:
    """The name of a project's files: a hash of where it is, so that no path of the user's is in a name."""
    return hashlib.sha256(os.fsencode(directory)).hexdigest()[:32]


def file_of(paths: Paths, project: Project, question: Question = EVENTS) -> Path:
    """The file of a project's decision."""
    return question.folder(paths) / f"{key(project.directory)}.json"


def known(paths: Paths, project: Project, environ: Mapping[str, str], question: Question = EVENTS) -> Known:
    """What was decided about a project, and the mode that follows in an environment. Never raises, changes nothing."""
    decision, record = _read(paths, project, question)
    given = Inputs(
        environ=environ,
        decision=decision,
        off_file=os.path.lexists(paths.off_file),
        kept_here=os.path.lexists(paths.here_file),
        root=not os.geteuid(),
        verbs=question.verbs,
    )
    return Known(decision, record, decide(given))


def _read(paths: Paths, project: Project, question: Question) -> tuple[Decision, Record | None]:
    try:
        content = private_file.read(file_of(paths, project, question))
    except OSError:
        return Decision.UNREADABLE, None
    if content is None:
        return Decision.NONE, None
    try:
        record = _parse(content)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Decision.CORRUPT, None
    if record.project != project.place:
        return Decision.CORRUPT, None  # somebody else's answer, in the wrong place
    if not record.yes:
        return Decision.NO, record
    current = question.version(project)
    return (Decision.YES if current and record.notice == current else Decision.OLDER), record


def _parse(content: bytes) -> Record:
    """A record from its file; raises ValueError, KeyError or TypeError for what `_dump` has not written."""
    given = json.loads(content)
    if given["format"] != _FORMAT or given["decision"] not in ("yes", "no"):
        raise ValueError("no decision")
    sinks = given["sinks"]
    texts = (given["project"], given["notice"], *sinks)
    if not isinstance(sinks, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("no texts")
    if type(given["decided_ns"]) is not int or given["decided_ns"] <= 0:
        raise ValueError("no time")
    return Record(
        project=given["project"],
        yes=given["decision"] == "yes",
        decided_ns=given["decided_ns"],
        notice=given["notice"],
        sinks=tuple(sinks),
    )


def _dump(record: Record) -> bytes:
    known = asdict(record)
    document = {"format": _FORMAT, "decision": "yes" if known.pop("yes") else "no", **known}
    return json.dumps(document, indent=2).encode() + b"\n"


@contextlib.contextmanager
def locked(paths: Paths) -> Iterator[None]:
    """The right to change decisions and ids; raises UserError if another process has it for long, or in a bad place."""
    from filelock import FileLock, Timeout

    private(paths.config)
    private_file.refuse_strange(paths.consent_lock)
    try:
        with FileLock(paths.consent_lock, mode=0o600).acquire(timeout=_LOCK_S, poll_interval=0.02):
            yield
    except Timeout as error:
        raise UserError("another make-metrics is at work on your decisions: try again") from error
    except OSError as error:
        raise UserError(f"cannot write {shown(paths.consent_lock)}: {error.strerror}") from error


def write(paths: Paths, project: Project, *, yes: bool, now_ns: int, question: Question = EVENTS) -> Record:
    """Write a decision down, under the lock of `locked`; raises UserError if that cannot be done."""
    record = Record(
        project=project.place,
        yes=yes,
        decided_ns=now_ns,
        notice=question.version(project),
        sinks=question.receivers(project),
    )
    private_file.write(file_of(paths, project, question), _dump(record))
    return record


def erase(paths: Paths, project: Project) -> None:
    """Remove a decision, under the lock of `locked`; raises UserError if that cannot be done."""
    private_file.remove(file_of(paths, project))


def refuse_sudo(environ: Mapping[str, str]) -> None:
    """Raise UserError for root through sudo: what it writes into a user's home would be root's."""
    if through_sudo(environ, root=not os.geteuid()):
        raise UserError("this would leave root's files in your home: run it as yourself, without sudo")
