"""Consent: what this user decided about a project, and the mode that follows.

There are two questions: about the events of a project's targets, and about reports of our own failures. Each has an
answer of its own.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from make_metrics.consent import decision_file, policy
from make_metrics.consent.decision_file import Record
from make_metrics.consent.mode import Decision, Inputs, Ruling, decide, through_sudo
from make_metrics.dataclass import dataclass
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.files.read import read_file
from make_metrics.files.write import move_aside, write_file
from make_metrics.project.project import Project
from make_metrics.project.root import project_key

_LOCK_S = 60  # many processes may each have to wait for their turn, on a slow machine


@dataclass(frozen=True, slots=True)
class Status:
    """A project's decision, its record (None if there is none that can be read), and the mode with its rule.

    `yes_holds`: the record is a yes, and `make-metrics on-this-machine` was not run since.
    """

    decision: Decision
    record: Record | None
    ruling: Ruling
    yes_holds: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the user, as functions of the user's paths and of a project.

    `directory` holds its decisions. `notice_version` is the version of the notice now; empty if there is nothing to
    agree to. `receivers` are where the data would go. `commands` are those that say yes and no.
    """

    directory: Callable[[Paths], Path]
    notice_version: Callable[[Paths, Project], str]
    receivers: Callable[[Project], tuple[str, ...]]
    commands: tuple[str, str]


def notice_version(paths: Paths, project: Project) -> str:
    """The version of a project's notice now; empty if the project asks for nothing."""
    settings = project.settings
    if settings is None or not project.sinks:
        return ""
    # Only here: most projects ask for nothing, and then no notice is made.
    from make_metrics.consent import notice
    from make_metrics.metrics import catalogue

    return notice.version(settings, catalogue.declarations(paths, settings.metrics))


EVENTS = Question(
    directory=lambda paths: paths.decisions,
    notice_version=notice_version,
    receivers=lambda project: tuple(f"{sink.type} {sink.host}".rstrip() for sink in project.sinks),
    commands=("opt-in", "opt-out"),
)


def decision_path(paths: Paths, project: Project, question: Question = EVENTS) -> Path:
    """The file of a project's decision."""
    return question.directory(paths) / f"{project_key(project.directory)}.json"


def status_of(paths: Paths, project: Project, environ: Mapping[str, str], question: Question = EVENTS) -> Status:
    """What was decided about a project, and the mode in an environment. Never raises; changes nothing."""
    decision, record = _read_decision(paths, project, question)
    taken_back = record is not None and _on_this_machine_ns(paths) >= record.decided_ns
    inputs = Inputs(
        environ=environ,
        decision=decision,
        off_file=os.path.lexists(paths.off_file),
        on_this_machine=os.path.lexists(paths.on_this_machine_file),
        on_this_machine_since=taken_back,
        root=not os.geteuid(),
        commands=question.commands,
        policy=policy.read_policy().limit(question.receivers(project)),
    )
    return Status(decision, record, decide(inputs), record is not None and record.yes and not taken_back)


def _on_this_machine_ns(paths: Paths) -> float:
    """When `make-metrics on-this-machine` was last run: before all times if never, after all times if unreadable."""
    try:
        content = read_file(paths.on_this_machine_file)
        return -math.inf if content is None else int(content)
    except (OSError, ValueError):
        return math.inf


def _read_decision(paths: Paths, project: Project, question: Question) -> tuple[Decision, Record | None]:
    state, record = decision_file.read(decision_path(paths, project, question), project.path)
    if record is None:
        return Decision(state), None
    if not record.yes:
        return Decision.NO, record
    version = question.notice_version(paths, project)
    return (Decision.YES if version and record.notice == version else Decision.OLDER), record


@contextlib.contextmanager
def lock(paths: Paths, *, patience_s: float = _LOCK_S) -> Iterator[None]:
    """The lock for changes of decisions and ids, for the length of a `with` block.

    Raises UserError if another process holds it for longer than `patience_s` seconds, or if its file cannot be used.
    """
    from make_metrics.files.lock import BusyError, FileLock

    private_directory(paths.config, whatever_is_there=True)
    move_aside(paths.consent_lock)
    try:
        with FileLock(paths.consent_lock).acquire(timeout=patience_s, poll_interval=0.02):
            yield
    except BusyError as error:
        raise UserError("another make-metrics is changing your decisions: try again") from error
    except OSError as error:
        raise UserError(f"cannot write {printable_path(paths.consent_lock)}: {error.strerror}") from error


def write_decision(paths: Paths, project: Project, *, yes: bool, now_ns: int, question: Question = EVENTS) -> Record:
    """Record a decision; the caller holds `lock`. Raises UserError if the file cannot be written."""
    on_this_machine_ns = _on_this_machine_ns(paths)
    if now_ns <= on_this_machine_ns < math.inf:  # the clock was set back
        now_ns = int(on_this_machine_ns) + 1
    record = Record(
        project=project.path,
        yes=yes,
        decided_ns=now_ns,
        notice=question.notice_version(paths, project),
        sinks=question.receivers(project),
    )
    write_file(decision_path(paths, project, question), decision_file.dump(record), whatever_is_there=not yes)
    return record


def write_on_this_machine(paths: Paths, *, now_ns: int) -> None:
    """Record that nothing leaves this machine, with a time later than any decision's; the caller holds `lock`.

    Raises UserError if the file cannot be written.
    """
    for question_directory in (paths.decisions, paths.crash_decisions):
        for record in _records(question_directory):
            # The clock may have been set back since that decision.
            now_ns = max(now_ns, record.decided_ns + 1)
    write_file(paths.on_this_machine_file, f"{now_ns}\n".encode(), whatever_is_there=True)


def standing_yeses(paths: Paths, directory: Path) -> list[Record]:
    """The records in a directory of decisions that are a yes, given after the last `make-metrics on-this-machine`."""
    since_ns = _on_this_machine_ns(paths)
    return [record for record in _records(directory) if record.yes and record.decided_ns > since_ns]


def _records(directory: Path) -> Iterator[Record]:
    """The decisions in a directory that can be read, in the order of their projects."""
    records = []
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            with contextlib.suppress(OSError, *decision_file.PARSE_ERRORS):
                records.append(decision_file.parse(read_file(path) or b""))
    return iter(sorted(records, key=lambda record: record.project))


def refuse_sudo(environ: Mapping[str, str]) -> None:
    """Raise UserError for root through sudo, which would leave root's files in the user's home."""
    if through_sudo(environ, root=not os.geteuid()):
        raise UserError("this would leave root's files in your home: run it as yourself, without sudo")
