"""Delivery of crash reports: each entry of the log that may be reported goes to its project's receiver.

The log is the queue: an entry is on disk before anything else happens to it, and is marked only when the receiver has
answered. So each report arrives at least once; a receiver recognises a second copy by the entry's id.
"""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from make_metrics.consent import consent
from make_metrics.consent.mode import Mode
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import report as crash_report
from make_metrics.crashes.own_message import own_message
from make_metrics.crashes.question import CRASHES
from make_metrics.crashes.report import LogEntry
from make_metrics.dataclass import dataclass, field
from make_metrics.errors import UserError
from make_metrics.files.lock import BusyError, FileLock
from make_metrics.files.paths import Paths, private_directory
from make_metrics.files.write import require_own_file
from make_metrics.project.project import Project, project_of
from make_metrics.project.settings import Dsn
from make_metrics.sinks import last_check
from make_metrics.sinks.sink import Outcome, Prepared, Verdict
from make_metrics.sinks.time_limit import LateError, release_after, within
from make_metrics.sinks.user_settings import user_settings_for
from make_metrics.store import database
from make_metrics.store.outbox import Attempt, Batch, Outbox
from make_metrics.store.outbox import Entry as Message
from make_metrics.store.sending.resting import Resting
from make_metrics.store.store import Store

if TYPE_CHECKING:
    from make_metrics.crashes.sentry import SentrySink

EXTRA = "make-metrics[sentry]"
KIND = "sentry"
_SECOND_NS = 1_000_000_000
_FAIR_S = 2.0  # a receiver that had less time has not failed


@dataclass(slots=True)
class Result:
    """What a delivery did: how many reports were accepted or refused for good, and a line for each problem."""

    accepted: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report that may be sent: the log's entry, its project and receiver, and the event."""

    entry: LogEntry
    project: Project
    dsn: Dsn
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What every step of a delivery uses. `give_up` is its end on the monotonic clock.

    `failed` are receivers that have failed in it, `abandoned` requests that are still under way at its end.
    """

    paths: Paths
    environ: Mapping[str, str]
    give_up: float
    patient: bool
    result: Result
    failed: set[str] = field(default_factory=set)
    abandoned: list[Future[Any]] = field(default_factory=list)


def can_send() -> bool:
    """Whether sentry-sdk is installed; does not load it."""
    return importlib.util.find_spec("sentry_sdk") is not None


def sink_of(dsn: Dsn) -> SentrySink:
    """The receiver of a DSN; loads sentry-sdk. Raises UserError if that is not installed, or for bad user settings."""
    if not can_send():
        raise UserError(f"crash reports need sentry-sdk, which is not installed: pip install '{EXTRA}'")
    from make_metrics.crashes.sentry import SentrySink

    user_settings, problems = user_settings_for(Paths.from_environment(), dsn.host)
    if problems:
        raise UserError(problems[0])
    return SentrySink(dsn, user_settings.network)


def event_of(entry: LogEntry) -> dict[str, Any] | None:
    """The event for an entry of the log; None if it may not be reported."""
    event = crash_report.report(entry, own_message)
    return None if event is None or crash_report.check(event) else event


def waiting_reports(paths: Paths, environ: Mapping[str, str]) -> list[WaitingReport]:
    """What may be sent now, the oldest first. Never raises; quick if the log is empty; does not load sentry-sdk."""
    reports = []
    for entry in reversed(crash_log.entries(paths)):
        project = project_of(Path(entry.directory))
        dsn = project.crash_dsn
        if dsn is not None and _may_send(paths, environ, entry, project) and (event := event_of(entry)) is not None:
            reports.append(WaitingReport(entry, project, dsn, event))
    return reports


def _may_send(paths: Paths, environ: Mapping[str, str], entry: LogEntry, project: Project) -> bool:
    """Whether an entry may be sent: it last happened after a yes that holds, and the environment allowed it."""
    if entry.outcome or not entry.allowed:
        return False
    status = consent.status_of(paths, project, environ, CRASHES)
    return status.ruling.mode is Mode.ON and status.record is not None and entry.last_ns >= status.record.decided_ns


def preview(paths: Paths, environ: Mapping[str, str]) -> list[Prepared]:
    """The requests that `deliver` would make now; nothing is sent. Raises UserError as `sink_of` does."""
    return [sink_of(report.dsn).prepare(report.event) for report in waiting_reports(paths, environ)]


def deliver(paths: Paths, environ: Mapping[str, str], give_up: float, *, patient: bool = False) -> Result:
    """Send the reports of all projects until `give_up` (monotonic clock, seconds); nothing with MAKE_METRICS=log.

    With `patient`, a receiver that failed rests for minutes before it is tried again. Never raises. Only for a process
    that make does not wait for: it loads sentry-sdk and waits for receivers.
    """
    result = Result()
    try:
        crash_log.prune(paths, now_ns=time.time_ns())
        if environ.get("MAKE_METRICS") != "log":
            _deliver(_Delivery(paths, environ, give_up, patient, result))
    except UserError as error:
        result.problems.append(str(error))
    except BusyError:
        result.problems.append("another make-metrics is sending crash reports")
    except Exception as error:  # a failure in here is logged like any other
        crash_log.note(error, part="crash reports", paths=paths, environ=environ)
        result.problems.append("crash reports could not be sent: see make-metrics doctor")
    return result


def _deliver(delivery: _Delivery) -> None:
    paths, environ, result = delivery.paths, delivery.environ, delivery.result
    count = len(waiting_reports(paths, environ))
    if not count:
        return
    if not can_send():
        waits = f"{count} crash report{'s wait' if count != 1 else ' waits'}"
        result.problems.append(f"{waits}: pip install '{EXTRA}' to send what waits")
        return
    private_directory(paths.state)
    require_own_file(paths.crash_lock)
    patience_s = max(delivery.give_up - time.monotonic(), 0)
    lock = FileLock(paths.crash_lock)
    with contextlib.ExitStack() as held:
        held.enter_context(lock.acquire(timeout=patience_s, poll_interval=0.02))
        try:
            held_projects: set[str] = set()
            for report in waiting_reports(paths, environ):
                if report.project.path in held_projects or delivery.abandoned:
                    continue
                if problem := _obstacle(delivery, report) or _send(delivery, report):
                    held_projects.add(report.project.path)
                    result.problems.append(f"{report.dsn.host}: {problem}: crash reports wait")
        finally:
            release_after(delivery.abandoned, held)


def _send(delivery: _Delivery, report: WaitingReport) -> str:
    """Send one report. Return why this project's reports have to wait, or an empty text."""
    paths, environ, give_up, result = delivery.paths, delivery.environ, delivery.give_up, delivery.result

    def may_send() -> bool:
        project = project_of(report.project.directory)
        return project.crash_dsn == report.dsn and _may_send(paths, environ, report.entry, project)

    if not may_send():
        return ""  # the settings or the decision have changed meanwhile
    began_s = time.monotonic()
    remaining_s = give_up - began_s
    if remaining_s <= 0:
        return "the time is up"
    if problems := crash_report.check(report.event):
        raise ValueError(f"a report with {', '.join(problems)}")
    sink = sink_of(report.dsn)
    try:
        with last_check.asking(lambda: time.monotonic() < give_up and may_send()):
            verdict = within(remaining_s, lambda: sink.send(report.event, timeout_s=remaining_s))
    except LateError as error:
        delivery.abandoned.append(error.work)
        verdict = Verdict(Outcome.LATER, f"no answer within {remaining_s:.1f} s", report.dsn.host)
    if verdict.outcome is not Outcome.ACCEPTED and not may_send():
        return ""  # taken back meanwhile: leave no trace of the attempt
    if verdict.outcome is Outcome.LATER:
        delivery.failed.add(_sink_id(report.dsn))
    is_fair = remaining_s >= _FAIR_S or time.monotonic() - began_s < remaining_s
    _record_attempt(paths, report, verdict, result.problems, is_fair=is_fair)
    if verdict.outcome is Outcome.ACCEPTED:
        result.accepted += 1
        crash_log.mark(report.entry, "sent")
    elif verdict.outcome is Outcome.REFUSED:
        result.refused += 1
        crash_log.mark(report.entry, f"refused: {verdict.said}")
    else:
        return verdict.said
    return ""


def _sink_id(dsn: Dsn) -> str:
    return f"{KIND} {dsn.host}"


def _obstacle(delivery: _Delivery, report: WaitingReport) -> str:
    """Why a receiver is not tried now; empty if it is, also if the store cannot be read."""
    sink, now_ns = _sink_id(report.dsn), time.time_ns()
    if sink in delivery.failed:
        return "it has just failed: not tried again now"
    try:
        with database.opened(delivery.paths, []) as connection:
            attempts = Outbox(connection).attempts(report.project.path)
            rest_s = Resting(connection).wait_s(sink, now_ns=now_ns) if delivery.patient else 0
    except UserError:
        return ""
    last = next((attempt for attempt in attempts if attempt.sink == sink), None)
    # An attempt in the future shows that the clock was set back: do not wait for it.
    if last and last.tried_ns <= now_ns < last.not_before_ns:
        return f"{last.result}: not tried again for {(last.not_before_ns - now_ns) // _SECOND_NS + 1} s"
    return f"it has failed: not tried again for {rest_s} s" if rest_s else ""


def _record_attempt(
    paths: Paths, report: WaitingReport, verdict: Verdict, problems: list[str], *, is_fair: bool
) -> None:
    """Store the attempt, and an accepted report for `make-metrics sent`. If the store fails, that is a problem line.

    A failure lets the receiver rest, if it was given enough time (`is_fair`).
    """
    now_ns = time.time_ns()
    sink, project = _sink_id(report.dsn), report.project.path
    try:
        with database.opened(paths, problems) as connection, Store(connection).transaction():
            outbox = Outbox(connection)
            if verdict.outcome is Outcome.ACCEPTED:
                batch = Batch(now_ns, verdict.url, 1, verdict.body)
                outbox.accept([Message(sink, project, report.entry.id, report.event)], batch)
            outbox.note_attempt(project, Attempt(sink, now_ns, verdict.said, now_ns + verdict.after_s * _SECOND_NS))
            if verdict.outcome is Outcome.LATER and is_fair:
                Resting(connection).note_failure(sink, now_ns=now_ns)
            elif verdict.outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
                Resting(connection).note_answer(sink)
    except UserError as error:
        problems.append(str(error))
