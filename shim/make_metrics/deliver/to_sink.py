"""The steps that send a project's messages to one sink, each allowed anew right before its bytes leave."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode
from make_metrics.crashes import log as crash_log
from make_metrics.dataclass import dataclass, field
from make_metrics.deliver.at_once import Result, Steps, TimeUpError
from make_metrics.deliver.waiting import count_waiting, pages
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.project.project import project_of
from make_metrics.sinks import last_check
from make_metrics.sinks.apart.making import sink_of
from make_metrics.sinks.kinds import BUILT_IN
from make_metrics.sinks.sink import Outcome, Sink, SinkSettings, UnavailableError, Verdict
from make_metrics.sinks.time_limit import LateError
from make_metrics.store.outbox import Attempt, Batch, Entry, Outbox, sink_id
from make_metrics.store.sending.resting import Resting
from make_metrics.store.store import Store

_SECOND_NS = 1_000_000_000
_FAIR_S = 2.0  # a receiver that had less time has not failed
_PASSED = 3  # messages that are passed over before a receiver has taken another
TOO_LARGE = "a server on the way takes no event of this size"
_SLOW_S = 1.0  # a receiver that fails after so long is not tried for other projects in the same delivery


@dataclass(slots=True)
class Delivered:
    """The result of a delivery: how many events were accepted and set aside, and a line for each reason to wait."""

    accepted: int = 0
    aside: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What every step of a delivery uses. `deadline_s` is its end on the monotonic clock, `ended` says that it is over.

    With `patient`, receivers that failed lately are left alone. `held` are the descriptors of the lock that is held as
    long as bytes may leave; the processes of sinks hold them too. `slow` holds the receivers that failed slowly in this
    delivery.
    """

    paths: Paths
    environ: Mapping[str, str]
    store: Store
    deadline_s: float
    delivered: Delivered
    patient: bool
    held: tuple[int, ...] = ()
    ended: threading.Event = field(default_factory=threading.Event)
    slow: set[str] = field(default_factory=set)

    @property
    def outbox(self) -> Outbox:
        """The store's outbox."""
        return Outbox(self.store.connection)

    @property
    def resting(self) -> Resting:
        """The receivers that failed lately."""
        return Resting(self.store.connection)


@contextlib.contextmanager
def contained(delivery: Delivery, name: str) -> Iterator[None]:
    """Let a failure of ours cost no more than the delivery to one sink, or of one project: its events wait."""
    try:
        yield
    except (TimeUpError, UserError, sqlite3.Error, MemoryError):
        raise
    except Exception as error:
        _note_failure(delivery, error)
        delivery.delivered.problems.append(
            f"{name}: make-metrics failed with {type(error).__name__} (make-metrics doctor): its events wait"
        )


def _note_failure(delivery: Delivery, error: BaseException) -> None:
    crash_log.note(error, part="sender", paths=delivery.paths, environ=delivery.environ)


def refusal_of(delivery: Delivery, directory: str, settings: SinkSettings | None = None) -> str:
    """Why nothing may be sent for a project now, or to one of its sinks; empty if sending is allowed.

    After a no, the project's messages are deleted.
    """
    decision, objection = _objection(delivery, directory, settings)
    if decision is Decision.NO:
        with delivery.store.transaction():
            delivery.outbox.withdraw(directory)
    return objection


def _objection(delivery: Delivery, directory: str, settings: SinkSettings | None) -> tuple[Decision, str]:
    """The decision about a project, and why nothing may be sent. Reads both anew, and does not use the store."""
    project = project_of(Path(directory))
    status = consent.status_of(delivery.paths, project, delivery.environ)
    if status.ruling.mode is not Mode.ON:
        return status.decision, f"nothing is sent: {status.ruling.reason}"
    if project.path != directory or (settings and settings not in project.sinks):
        return status.decision, "nothing is sent: its settings have changed"
    return status.decision, ""


def deliver_to_sink(delivery: Delivery, directory: str, settings: SinkSettings, receiver: str) -> Steps[Any]:
    """Send a project's messages to one sink, unless the sink's last answer asks to wait, or its receiver rests."""
    key, connection = sink_id(settings), delivery.store.connection
    count = count_waiting(connection, directory, key)
    if not count:
        return
    if obstacle := _obstacle(delivery, directory, key, receiver):
        delivery.delivered.problems.append(f"{settings.address}: {obstacle}")
        return
    try:
        failed = partial(_note_failure, delivery)
        make = partial(sink_of, settings, failed=failed, held=delivery.held)
        way = _Way((yield from _of_sink(settings, make)), receiver)
        for page in pages(connection, directory, key):
            messages = [entry.message for entry in page]
            batches = yield from _of_sink(settings, partial(way.sink.batches, messages))
            indexes = {index for batch in batches for index in batch}
            _set_aside(delivery, [entry for index, entry in enumerate(page) if index not in indexes], "too large")
            parts = [[page[index] for index in batch] for batch in batches]
            if not (yield from _send_batches(delivery, directory, settings, way, parts)):
                break
        _settle_passed(delivery, settings, way)
    except UnavailableError as error:
        delivery.delivered.problems.append(f"{settings.address}: {error}: {_are_waiting(count)}")


def _of_sink(settings: SinkSettings, work: Callable[[], Result]) -> Generator[Callable[[], Any], Any, Result]:
    """What a sink's work gives. Other packages' sinks work beside the others, which do not wait for them.

    Raises UnavailableError if the delivery's time is over before.
    """
    if settings.type in BUILT_IN:
        return work()
    try:
        result: Result = yield work
    except LateError as error:
        raise UnavailableError(f'sink "{settings.type}" does not answer') from error
    return result


def _obstacle(delivery: Delivery, directory: str, sink: str, receiver: str) -> str:
    """Why a sink is not tried now; empty if it is."""
    now_ns = time.time_ns()
    last = next((attempt for attempt in delivery.outbox.attempts(directory) if attempt.sink == sink), None)
    # An attempt in the future shows that the clock was set back: do not wait for it.
    if last and last.tried_ns <= now_ns < last.not_before_ns:
        wait_s = (last.not_before_ns - now_ns) // _SECOND_NS + 1
        return f"{last.result}: not tried again for {wait_s} s"
    if receiver in delivery.slow:
        return f"{receiver} has just failed: not tried again now"
    if delivery.patient and (wait_s := delivery.resting.wait_s(receiver, now_ns=now_ns)):
        return f"{receiver} has failed: not tried again for {wait_s} s"
    return ""


@dataclass(slots=True)
class _Way:
    """A sink, and the name of the receiver that it leads to.

    `passed` are messages that may be at fault themselves, with what the receiver said of them; `took_any` is whether it
    has taken others.
    """

    sink: Sink
    receiver: str
    passed: list[tuple[Entry, str]] = field(default_factory=list)
    took_any: bool = False


def _settle_passed(delivery: Delivery, settings: SinkSettings, way: _Way) -> None:
    """Set passed messages aside if the receiver has taken others: then it was the receiver who refused these."""
    waiting = delivery.outbox.reload([entry for entry, _ in way.passed])
    if waiting and way.took_any:
        _set_aside(delivery, waiting, TOO_LARGE)
    elif waiting:
        said = way.passed[0][1]
        delivery.delivered.problems.append(f"{settings.address}: {said}: {_are_waiting(len(waiting))}")


def _send_batches(
    delivery: Delivery, directory: str, settings: SinkSettings, way: _Way, batches: Sequence[list[Entry]]
) -> Generator[Callable[[], Any], Any, bool]:
    """Send batches in order, until one has to wait; whether none had to.

    A refused batch is halved, down to the message that is refused.
    """
    problems = delivery.delivered.problems
    remaining = list(reversed(batches))
    while remaining:
        if refusal := refusal_of(delivery, directory, settings):
            problems.append(f"{directory}: {refusal}")
            return False
        # Reload: an opt-out and a new opt-in may have deleted these messages.
        batch = delivery.outbox.reload(remaining.pop())
        if not batch:
            continue
        verdict, is_fair = yield from _send(delivery, directory, settings, way, batch)
        if verdict.outcome is not Outcome.ACCEPTED and (refusal := refusal_of(delivery, directory, settings)):
            problems.append(f"{directory}: {refusal}")  # taken back meanwhile: leave no trace of the attempt
            return False
        is_passed = verdict.outcome is Outcome.LATER and verdict.only_this and len(batch) == 1
        _note(delivery, directory, batch, verdict, way.receiver if is_fair and not is_passed else "")
        way.took_any = way.took_any or verdict.outcome is Outcome.ACCEPTED
        if verdict.outcome is Outcome.REFUSED and len(batch) > 1:
            middle = len(batch) // 2
            remaining += [batch[middle:], batch[:middle]]
        elif verdict.outcome is Outcome.REFUSED:
            _set_aside(delivery, batch, verdict.said)
        elif is_passed and (way.took_any or len(way.passed) < _PASSED):
            way.passed.append((batch[0], verdict.said))
        elif verdict.outcome is not Outcome.ACCEPTED:
            count = count_waiting(delivery.store.connection, directory, batch[0].sink)
            problems.append(f"{settings.address}: {verdict.said}: {_are_waiting(count)}")
            return False
    return True


def _are_waiting(count: int) -> str:
    return f"{count} events wait" if count > 1 else "1 event waits"


def _send(
    delivery: Delivery, directory: str, settings: SinkSettings, way: _Way, batch: Sequence[Entry]
) -> Generator[Callable[[], Verdict], Verdict, tuple[Verdict, bool]]:
    """Send a batch; the verdict, and whether a failure is the receiver's: it is not if there was hardly any time.

    Raises TimeUpError if the deadline is over before.
    """
    began_s = time.monotonic()
    remaining_s = delivery.deadline_s - began_s
    if remaining_s <= 0:
        raise TimeUpError
    messages = [entry.message for entry in batch]

    def may_send() -> bool:
        over = delivery.ended.is_set() or time.monotonic() >= delivery.deadline_s
        return not over and not _objection(delivery, directory, settings)[1]

    def send() -> Verdict:
        with last_check.asking(may_send):
            return way.sink.send(messages, timeout_s=remaining_s)

    try:
        verdict = yield send
    except LateError:
        verdict = Verdict(Outcome.LATER, f"no answer within {remaining_s:.1f} s", "")
    took_s = time.monotonic() - began_s
    if verdict.outcome is Outcome.LATER and took_s >= _SLOW_S:
        delivery.slow.add(way.receiver)
    return verdict, remaining_s >= _FAIR_S or took_s < remaining_s


def _note(delivery: Delivery, directory: str, batch: Sequence[Entry], verdict: Verdict, receiver: str) -> None:
    """Store the attempt and, if the batch was accepted, move its messages to the ledger; both in one transaction.

    A failure lets the receiver rest; with an empty `receiver` none does.
    """
    now_ns, is_accepted = time.time_ns(), verdict.outcome is Outcome.ACCEPTED
    with delivery.store.transaction():
        if is_accepted:
            delivery.outbox.accept(batch, Batch(now_ns, verdict.url, len(batch), verdict.body))
        attempt = Attempt(batch[0].sink, now_ns, verdict.said, now_ns + verdict.after_s * _SECOND_NS)
        delivery.outbox.note_attempt(directory, attempt)
        if verdict.outcome is Outcome.LATER and receiver:
            delivery.resting.note_failure(receiver, now_ns=now_ns)
        elif verdict.outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
            delivery.resting.note_answer(receiver)
    if is_accepted:
        delivery.delivered.accepted += len(batch)


def _set_aside(delivery: Delivery, entries: Sequence[Entry], reason: str) -> None:
    """Set messages aside that their sink will never take."""
    with delivery.store.transaction():
        for entry in entries:
            delivery.outbox.set_aside(entry, reason)
    delivery.delivered.aside += len(entries)
