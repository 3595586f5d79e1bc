"""Consent: what was decided about a project, by this user, and the mode that follows from it.

There are two questions, about the events of a project's targets and about reports of our own failures; each has a yes
or no of its own.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from make_metrics.consent import decision_file, notice
from make_metrics.consent.decision_file import Record
from make_metrics.consent.mode import Decision, Inputs, Ruling, decide, through_sudo
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.files.read import read_file
from make_metrics.files.write import require_own_file, write_file
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.project.root import project_key

_LOCK_S = 60  # many at once, on a slow machine, each with its turn


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a project's decision: its kind, its record if there is a sound one, the mode and its rule.

    `holds` is whether it is a yes that was not taken back since by `make-metrics on-this-machine`.
    """

    decision: Decision
    record: Record | None
    ruling: Ruling
    holds: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the directory of its decisions, the version of its notice now (empty if there is nothing to agree
    to), where the data would go, and the commands for a yes and for a no."""

    folder: Callable[[Paths], Path]
    version: Callable[[Paths, Project], str]
    receivers: Callable[[Project], tuple[str, ...]]
    verbs: tuple[str, str]


def notice_version(paths: Paths, project: Project) -> str:
    """The version of the notice that a project has now; empty if it asks for nothing."""
    settings = project.settings
    if settings is None or not project.sinks:
        return ""
    return notice.version(settings, catalogue.declarations(paths, settings.metrics))


EVENTS = Question(
    folder=lambda paths: paths.decisions,
    version=notice_version,
    receivers=lambda project: tuple(f"{sink.type} {sink.host}".rstrip() for sink in project.sinks),
    verbs=("opt-in", "opt-out"),
)


def file_of(paths: Paths, project: Project, question: Question = EVENTS) -> Path:
    """The file of a project's decision."""
    return question.folder(paths) / f"{project_key(project.directory)}.json"


def known(paths: Paths, project: Project, environ: Mapping[str, str], question: Question = EVENTS) -> Known:
    """What was decided about a project, and the mode that follows in an environment. Never raises, changes nothing."""
    found, record = _read(paths, project, question)
    kept_since = record is not None and _kept_ns(paths) >= record.decided_ns
    given = Inputs(
        environ=environ,
        decision=found,
        off_file=os.path.lexists(paths.off_file),
        kept_here=os.path.lexists(paths.on_this_machine_file),
        kept_since=kept_since,
        root=not os.geteuid(),
        verbs=question.verbs,
    )
    return Known(found, record, decide(given), record is not None and record.yes and not kept_since)


def _kept_ns(paths: Paths) -> float:
    """When `on-this-machine` was last said, before all times if it never was, after all if that cannot be told."""
    try:
        content = read_file(paths.on_this_machine_file)
        return -math.inf if content is None else int(content)
    except (OSError, ValueError):
        return math.inf


def _read(paths: Paths, project: Project, question: Question) -> tuple[Decision, Record | None]:
    kind, record = decision_file.read(file_of(paths, project, question), project.path)
    if record is None:
        return Decision(kind), None
    if not record.yes:
        return Decision.NO, record
    current = question.version(paths, project)
    return (Decision.YES if current and record.notice == current else Decision.OLDER), record


@contextlib.contextmanager
def locked(paths: Paths, *, patience_s: float = _LOCK_S) -> Iterator[None]:
    """The right to change decisions and ids; raises UserError if another process has it for long, or in a bad place."""
    from filelock import FileLock, Timeout

    private_directory(paths.config)
    require_own_file(paths.consent_lock)
    try:
        with FileLock(paths.consent_lock, mode=0o600).acquire(timeout=patience_s, poll_interval=0.02):
            yield
    except Timeout as error:
        raise UserError("another make-metrics is at work on your decisions: try again") from error
    except OSError as error:
        raise UserError(f"cannot write {printable_path(paths.consent_lock)}: {error.strerror}") from error


def write(paths: Paths, project: Project, *, yes: bool, now_ns: int, question: Question = EVENTS) -> Record:
    """Write a decision down, under the lock of `locked`; raises UserError if that cannot be done."""
    kept_ns = _kept_ns(paths)
    if now_ns <= kept_ns < math.inf:  # the clock was set back
        now_ns = int(kept_ns) + 1
    record = Record(
        project=project.path,
        yes=yes,
        decided_ns=now_ns,
        notice=question.version(paths, project),
        sinks=question.receivers(project),
    )
    write_file(file_of(paths, project, question), decision_file.dump(record))
    return record


def keep_here(paths: Paths, *, now_ns: int) -> None:
    """Write down that everything stays on this machine, later than any yes so far, under the lock of `locked`.

    Raises UserError if that cannot be done.
    """
    with contextlib.suppress(OSError):
        for path in paths.decisions.iterdir():
            with contextlib.suppress(OSError, *decision_file.DAMAGE):
                # The clock may have been set back since.
                now_ns = max(now_ns, decision_file.parse(read_file(path) or b"").decided_ns + 1)
    write_file(paths.on_this_machine_file, f"{now_ns}\n".encode())


def refuse_sudo(environ: Mapping[str, str]) -> None:
    """Raise UserError for root through sudo: what it writes into a user's home would be root's."""
    if through_sudo(environ, root=not os.geteuid()):
        raise UserError("this would leave root's files in your home: run it as yourself, without sudo")
