"""Delivery: messages in the outbox are sent to their sinks. A message leaves the outbox once its sink accepts it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode
from make_metrics.crashes import log as crash_log
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory
from make_metrics.files.write import require_own_file
from make_metrics.project.project import project_of
from make_metrics.sinks import last_check
from make_metrics.sinks.kinds import sink_of
from make_metrics.sinks.sink import Outcome, Prepared, Sink, SinkSettings, UnavailableError, Verdict
from make_metrics.sinks.time_limit import LateError, release_after, within
from make_metrics.store import database
from make_metrics.store.outbox import Attempt, Batch, Entry, Outbox, sink_id
from make_metrics.store.store import Store

_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class Delivered:
    """The result of a delivery: how many events were accepted and set aside, and a line for each reason to wait."""

    accepted: int = 0
    aside: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What every step of a delivery uses. `deadline_s` is its end on the monotonic clock.

    `abandoned` holds the request, if any, that was still under way then.
    """

    paths: Paths
    environ: Mapping[str, str]
    store: Store
    outbox: Outbox
    deadline_s: float
    delivered: Delivered
    abandoned: list[Future[Any]]


class _TimeUpError(Exception):
    """The delivery's time is over."""


def deliver(paths: Paths, environ: Mapping[str, str], *, timeout_s: float) -> Delivered:
    """Send the waiting messages of all projects. Only one process sends at a time.

    Consent is read again before each request, and right before its bytes. Returns within `timeout_s` seconds, plus the
    time of an open transaction. The lock is held as long as bytes may leave, also by a request that was abandoned: a
    withdrawal waits for it (`sender.stop`). Raises UserError if the store cannot be used.
    """
    private_directory(paths.state)
    require_own_file(paths.send_lock)
    delivered = Delivered()
    deadline_s = time.monotonic() + timeout_s
    abandoned: list[Future[Any]] = []
    with contextlib.ExitStack() as held:
        try:
            lock = FileLock(paths.send_lock, mode=0o600, thread_local=False)
            held.enter_context(lock.acquire(timeout=timeout_s, poll_interval=0.02))
            with database.opened(paths, delivered.problems) as connection:
                outbox = Outbox(connection)
                delivery = _Delivery(paths, environ, Store(connection), outbox, deadline_s, delivered, abandoned)
                for directory in outbox.projects():
                    with _contained(delivery, directory):
                        _deliver_project(delivery, directory)
        except Timeout:
            delivered.problems.append("another make-metrics is sending")
        except _TimeUpError:
            delivered.problems.append(f"not all was sent within {timeout_s:g} s: the rest waits")
        finally:
            release_after(abandoned, held)
    return delivered


def show(paths: Paths, environ: Mapping[str, str]) -> list[tuple[str, Prepared]]:
    """The requests that `deliver` would make now, each with its type of sink. Nothing is sent or changed.

    A sink that is unavailable here is left out. Raises UserError if the store cannot be used.
    """
    waiting: list[tuple[SinkSettings, list[Entry]]] = []
    with database.opened(paths, []) as connection:
        outbox = Outbox(connection)
        for directory in outbox.projects():
            project = project_of(Path(directory))
            if consent.status_of(paths, project, environ).ruling.mode is Mode.ON:
                waiting += [(settings, outbox.waiting(directory, sink_id(settings))) for settings in project.sinks]
    requests = []
    for settings, entries in waiting:
        messages = [entry.message for entry in entries]
        with contextlib.suppress(UnavailableError):
            sink = sink_of(settings)
            for batch in sink.batches(messages):
                requests.append((settings.type, sink.prepare([messages[index] for index in batch])))
    return requests


@contextlib.contextmanager
def _contained(delivery: _Delivery, name: str) -> Iterator[None]:
    """Let a failure of ours cost no more than the delivery to one sink, or of one project: its events wait."""
    try:
        yield
    except (_TimeUpError, UserError, sqlite3.Error, MemoryError):
        raise
    except Exception as error:
        _note_failure(delivery, error)
        delivery.delivered.problems.append(
            f"{name}: make-metrics failed with {type(error).__name__} (make-metrics doctor): its events wait"
        )


def _note_failure(delivery: _Delivery, error: BaseException) -> None:
    crash_log.note(error, part="sender", paths=delivery.paths, environ=delivery.environ)


def _deliver_project(delivery: _Delivery, directory: str) -> None:
    """Send a project's messages to each of its sinks."""
    project = project_of(Path(directory))
    if refusal := _refusal(delivery, directory):
        delivery.delivered.problems.append(f"{directory}: {refusal}")
        return
    for settings in project.sinks:
        with _contained(delivery, settings.address):
            _deliver_to_sink(delivery, directory, settings)


def _refusal(delivery: _Delivery, directory: str, settings: SinkSettings | None = None) -> str:
    """Why nothing may be sent for a project now, or to one of its sinks; empty if sending is allowed.

    After a no, the project's messages are deleted.
    """
    decision, objection = _objection(delivery, directory, settings)
    if decision is Decision.NO:
        with delivery.store.transaction():
            delivery.outbox.withdraw(directory)
    return objection


def _objection(delivery: _Delivery, directory: str, settings: SinkSettings | None) -> tuple[Decision, str]:
    """The decision about a project, and why nothing may be sent. Reads both anew, and does not use the store."""
    project = project_of(Path(directory))
    status = consent.status_of(delivery.paths, project, delivery.environ)
    if status.ruling.mode is not Mode.ON:
        return status.decision, f"nothing is sent: {status.ruling.reason}"
    if project.path != directory or (settings and settings not in project.sinks):
        return status.decision, "nothing is sent: its settings have changed"
    return status.decision, ""


def _deliver_to_sink(delivery: _Delivery, directory: str, settings: SinkSettings) -> None:
    """Send a project's messages to one sink, unless the sink's last answer asks to wait."""
    key, problems = sink_id(settings), delivery.delivered.problems
    waiting = delivery.outbox.waiting(directory, key)
    if not waiting:
        return
    last = next((attempt for attempt in delivery.outbox.attempts(directory) if attempt.sink == key), None)
    now_ns = time.time_ns()
    # An attempt in the future shows that the clock was set back: do not wait for it.
    if last and last.tried_ns <= now_ns < last.not_before_ns:
        wait_s = (last.not_before_ns - now_ns) // _SECOND_NS + 1
        problems.append(f"{settings.address}: {last.result}: not tried again for {wait_s} s")
        return
    try:
        sink = sink_of(settings, failed=partial(_note_failure, delivery))
        batches = sink.batches([entry.message for entry in waiting])
    except UnavailableError as error:
        problems.append(f"{settings.address}: {error}: {_count_waiting(waiting)}")
        return
    indexes = {index for batch in batches for index in batch}
    _set_aside(delivery, [entry for index, entry in enumerate(waiting) if index not in indexes], "too large")
    _send_batches(delivery, directory, settings, sink, [[waiting[index] for index in batch] for batch in batches])


def _send_batches(
    delivery: _Delivery, directory: str, settings: SinkSettings, sink: Sink, batches: Sequence[list[Entry]]
) -> None:
    """Send batches in order, until one has to wait. A refused batch is halved, down to the message that is refused."""
    problems = delivery.delivered.problems
    remaining = list(reversed(batches))
    while remaining:
        if refusal := _refusal(delivery, directory, settings):
            problems.append(f"{directory}: {refusal}")
            return
        # Reload: an opt-out and a new opt-in may have deleted these messages.
        batch = delivery.outbox.reload(remaining.pop())
        if not batch:
            continue
        verdict = _send(delivery, directory, settings, sink, batch)
        if verdict.outcome is not Outcome.ACCEPTED and (refusal := _refusal(delivery, directory, settings)):
            problems.append(f"{directory}: {refusal}")  # taken back meanwhile: leave no trace of the attempt
            return
        _note(delivery, directory, batch, verdict)
        if verdict.outcome is Outcome.REFUSED and len(batch) > 1:
            middle = len(batch) // 2
            remaining += [batch[middle:], batch[:middle]]
        elif verdict.outcome is Outcome.REFUSED:
            _set_aside(delivery, batch, verdict.said)
        elif verdict.outcome is not Outcome.ACCEPTED:
            problems.append(f"{settings.address}: {verdict.said}: {_count_waiting(batch, *remaining)}")
            return


def _count_waiting(*batches: Sequence[Entry]) -> str:
    count = sum(map(len, batches))
    return f"{count} events wait" if count > 1 else "1 event waits"


def _send(delivery: _Delivery, directory: str, settings: SinkSettings, sink: Sink, batch: Sequence[Entry]) -> Verdict:
    """Send a batch. Raises _TimeUpError if the deadline is over before."""
    remaining_s = delivery.deadline_s - time.monotonic()
    if remaining_s <= 0:
        raise _TimeUpError
    messages = [entry.message for entry in batch]

    def may_send() -> bool:
        return time.monotonic() < delivery.deadline_s and not _objection(delivery, directory, settings)[1]

    try:
        with last_check.asking(may_send):
            return within(remaining_s, lambda: sink.send(messages, timeout_s=remaining_s))
    except LateError as error:
        # The deadline is over, so nothing more is sent: the abandoned thread may still be using the sink's library.
        delivery.abandoned.append(error.work)
        return Verdict(Outcome.LATER, f"no answer within {remaining_s:.1f} s", "")


def _note(delivery: _Delivery, directory: str, batch: Sequence[Entry], verdict: Verdict) -> None:
    """Store the attempt and, if the batch was accepted, move its messages to the ledger; both in one transaction."""
    now_ns, is_accepted = time.time_ns(), verdict.outcome is Outcome.ACCEPTED
    with delivery.store.transaction():
        if is_accepted:
            delivery.outbox.accept(batch, Batch(now_ns, verdict.url, len(batch), verdict.body))
        attempt = Attempt(batch[0].sink, now_ns, verdict.said, now_ns + verdict.after_s * _SECOND_NS)
        delivery.outbox.note_attempt(directory, attempt)
    if is_accepted:
        delivery.delivered.accepted += len(batch)


def _set_aside(delivery: _Delivery, entries: Sequence[Entry], reason: str) -> None:
    """Set messages aside that their sink will never take."""
    with delivery.store.transaction():
        for entry in entries:
            delivery.outbox.set_aside(entry, reason)
    delivery.delivered.aside += len(entries)
