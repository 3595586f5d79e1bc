"""Delivery of crash reports: what is in the log and may be reported goes to its project's receiver, each at least once.

The log's entry is what waits: it was on disk before anything else was done about it, and it is marked only when the
receiver has answered for it. An entry keeps its id, by which the receiver tells that a report came twice.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from make_metrics.consent import consent
from make_metrics.consent.mode import Mode
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import report as crash_report
from make_metrics.crashes.own_message import own_text
from make_metrics.crashes.question import CRASHES
from make_metrics.crashes.report import Entry
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory
from make_metrics.files.write import require_own_file
from make_metrics.project.project import Project, project_of
from make_metrics.project.settings import Dsn
from make_metrics.sinks.sink import Outcome, Prepared, Verdict
from make_metrics.sinks.user_settings import surroundings
from make_metrics.store import database
from make_metrics.store.outbox import Attempt, Batch, Outbox
from make_metrics.store.outbox import Entry as Message
from make_metrics.store.store import Store

if TYPE_CHECKING:
    from make_metrics.crashes.sentry import SentrySink

EXTRA = "make-metrics[sentry]"
KIND = "sentry"
_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class Reported:
    """What a delivery did: reports that were accepted, or refused for good, and a line for all that still wait."""

    accepted: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report that may be sent: the log's entry, its project and receiver, and the event."""

    entry: Entry
    project: Project
    dsn: Dsn
    event: dict[str, Any]


def can_send() -> bool:
    """Whether the library that sends is there; does not load it."""
    return importlib.util.find_spec("sentry_sdk") is not None


def sink_of(dsn: Dsn) -> SentrySink:
    """The receiver of a DSN; loads its library. Raises UserError if that is not there, or for bad user's settings."""
    if not can_send():
        raise UserError(f"crash reports are sent by sentry-sdk, which is not there: pip install '{EXTRA}'")
    from make_metrics.crashes.sentry import SentrySink

    found, problems = surroundings(Paths.from_environment())
    if problems:
        raise UserError(problems[0])
    return SentrySink(dsn, found.network)


def event_of(entry: Entry) -> dict[str, Any] | None:
    """The event for an entry of the log; None if nothing of it may be reported."""
    event = crash_report.report(entry, own_text)
    return None if event is None or crash_report.check(event) else event


def waiting(paths: Paths, environ: Mapping[str, str]) -> list[Waiting]:
    """What may be sent now, the oldest first. Never raises; loads nothing large; quick where the log is empty."""
    found = []
    for entry in reversed(crash_log.entries(paths)):
        project = project_of(Path(entry.directory))
        dsn = project.crash_dsn
        if dsn is not None and _may(paths, environ, entry, project) and (event := event_of(entry)) is not None:
            found.append(Waiting(entry, project, dsn, event))
    return found


def _may(paths: Paths, environ: Mapping[str, str], entry: Entry, project: Project) -> bool:
    """Whether an entry may be sent: seen after a yes that still holds, where the environment allowed it."""
    if entry.became or not entry.allowed:
        return False
    known = consent.status_of(paths, project, environ, CRASHES)
    return known.ruling.mode is Mode.ON and known.record is not None and entry.last_ns >= known.record.decided_ns


def show(paths: Paths, environ: Mapping[str, str]) -> list[Prepared]:
    """The requests that `deliver` would make now; nothing is sent. Raises UserError if the library is not there."""
    return [sink_of(one.dsn).prepare(one.event) for one in waiting(paths, environ)]


def deliver(paths: Paths, environ: Mapping[str, str], give_up: float) -> Reported:
    """Send what waits, of all projects, until `give_up` (of the monotonic clock); with MAKE_METRICS=log nothing.

    Never raises. Not for a process that make waits for: it loads the SDK, and waits for the receiver's answers.
    """
    reported = Reported()
    try:
        crash_log.prune(paths, now_ns=time.time_ns())
        if environ.get("MAKE_METRICS") != "log":
            _deliver(paths, environ, give_up, reported)
    except UserError as error:
        reported.problems.append(str(error))
    except Timeout:
        reported.problems.append("another make-metrics is sending crash reports")
    except Exception as error:  # the reporter itself fails: that changes nothing
        crash_log.note(error, part="crash reports", paths=paths, environ=environ)
        reported.problems.append("crash reports could not be sent: see make-metrics doctor")
    return reported


def _deliver(paths: Paths, environ: Mapping[str, str], give_up: float, reported: Reported) -> None:
    if not waiting(paths, environ):
        return
    if not can_send():
        count = len(waiting(paths, environ))
        reported.problems.append(f"{_reports(count)}: pip install '{EXTRA}' to send what waits")
        return
    private_directory(paths.state)
    require_own_file(paths.crash_lock)
    patience_s = max(give_up - time.monotonic(), 0)
    with FileLock(paths.crash_lock, mode=0o600).acquire(timeout=patience_s, poll_interval=0.02):
        held: set[str] = set()
        for one in waiting(paths, environ):
            if one.project.path in held:
                continue
            problem = _one(paths, environ, give_up, one, reported)
            if problem:
                held.add(one.project.path)
                reported.problems.append(f"{one.dsn.host}: {problem}: crash reports wait")


def _one(paths: Paths, environ: Mapping[str, str], give_up: float, one: Waiting, reported: Reported) -> str:
    """Send one report; what keeps this project's from being sent, empty if nothing does."""
    again = project_of(one.project.directory)
    if again.crash_dsn != one.dsn or not _may(paths, environ, one.entry, again):
        return ""  # the yes, or the settings, are of another opinion by now
    wait_s = _patience_s(paths, one)
    if wait_s:
        return f"asked not to be tried again for {wait_s} s"
    remaining = give_up - time.monotonic()
    if remaining <= 0:
        return "the time is up"
    if wrong := crash_report.check(one.event):
        raise ValueError(f"a report with {', '.join(wrong)}")
    verdict = sink_of(one.dsn).send(one.event, timeout_s=remaining)
    problems: list[str] = []
    if verdict.outcome is Outcome.ACCEPTED:
        reported.accepted += 1
        _remember(paths, one, verdict, problems)
        crash_log.mark(one.entry, "sent")
    elif verdict.outcome is Outcome.REFUSED:
        reported.refused += 1
        _remember(paths, one, verdict, problems)
        crash_log.mark(one.entry, f"refused: {verdict.said}")
    else:
        _remember(paths, one, verdict, problems)
    reported.problems += problems
    return "" if verdict.outcome in (Outcome.ACCEPTED, Outcome.REFUSED) else verdict.said


def _sink(dsn: Dsn) -> str:
    return f"{KIND} {dsn.host}"


def _patience_s(paths: Paths, one: Waiting) -> int:
    """How many seconds the receiver asked to be left alone for; 0 also where the store cannot be asked."""
    try:
        with database.opened(paths, []) as connection:
            attempts = Outbox(connection).attempts(one.project.path)
    except UserError:
        return 0
    until_ns = next((last.not_before_ns for last in attempts if last.sink == _sink(one.dsn)), 0)
    return max(0, -((time.time_ns() - until_ns) // _SECOND_NS)) if until_ns else 0


def _remember(paths: Paths, one: Waiting, verdict: Verdict, problems: list[str]) -> None:
    """Note the attempt, and what was accepted for `make-metrics sent`; a store that cannot be used costs only that."""
    now_ns = time.time_ns()
    sink, project = _sink(one.dsn), one.project.path
    try:
        with database.opened(paths, problems) as connection, Store(connection).transaction():
            outbox = Outbox(connection)
            if verdict.outcome is Outcome.ACCEPTED:
                batch = Batch(now_ns, verdict.url, 1, verdict.body)
                outbox.accept([Message(sink, project, one.entry.id, one.event)], batch)
            outbox.note_attempt(project, Attempt(sink, now_ns, verdict.said, now_ns + verdict.after_s * _SECOND_NS))
    except UserError as error:
        problems.append(str(error))


def _reports(count: int) -> str:
    return f"{count} crash report{'s wait' if count != 1 else ' waits'}"
