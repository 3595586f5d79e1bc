"""Delivery: what waits in the outbox goes to its sinks, and leaves only when they have accepted it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode
from make_metrics.deliver.time_limit import within
from make_metrics.files.paths import Paths, private_directory
from make_metrics.files.write import require_own_file
from make_metrics.project.project import project_of
from make_metrics.sinks.kinds import sink_of
from make_metrics.sinks.sink import Outcome, Prepared, Sink, SinkSettings, UnavailableError, Verdict
from make_metrics.store import database
from make_metrics.store.outbox import Attempt, Batch, Entry, Outbox, sink_id
from make_metrics.store.store import Store

_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class Delivered:
    """What a delivery did: events accepted and set aside, and a line for each sink or project that still waits."""

    accepted: int = 0
    aside: int = 0
    problems: list[str] = field(default_factory=list)


class _TimeUpError(Exception):
    """The delivery's time is over."""


def deliver(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    timeout_s: float,
    sink_for: Callable[[SinkSettings], Sink] = sink_of,
) -> Delivered:
    """Send what waits, for all projects, one sender at a time; returns within `timeout_s` seconds and what an open
    transaction takes.

    Before each request consent is read again. Raises UserError if the store cannot be used.
    """
    private_directory(paths.state)
    require_own_file(paths.send_lock)
    delivered = Delivered()
    give_up = time.monotonic() + timeout_s
    try:
        with (
            FileLock(paths.send_lock, mode=0o600).acquire(timeout=timeout_s, poll_interval=0.02),
            database.opened(paths, delivered.problems) as connection,
        ):
            _Delivery(paths, environ, connection, delivered, give_up, sink_for).all()
    except Timeout:
        delivered.problems.append("another make-metrics is sending")
    except _TimeUpError:
        delivered.problems.append(f"not all was sent within {timeout_s:g} s: the rest waits")
    return delivered


def show(paths: Paths, environ: Mapping[str, str]) -> list[tuple[str, Prepared]]:
    """The requests that `deliver` would make now, each with its kind of sink; nothing is sent, and nothing changes.

    A sink that cannot be made here makes none.
    Raises UserError if the store cannot be used.
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
                requests.append((settings.type, sink.prepare([messages[place] for place in batch])))
    return requests


class _Delivery:
    """One delivery with the store's connection."""

    def __init__(
        self,
        paths: Paths,
        environ: Mapping[str, str],
        connection: sqlite3.Connection,
        delivered: Delivered,
        give_up: float,
        sink_for: Callable[[SinkSettings], Sink],
    ) -> None:
        self._paths, self._environ, self._give_up, self._sink_for = paths, environ, give_up, sink_for
        self._outbox, self._store, self._delivered = Outbox(connection), Store(connection), delivered

    def all(self) -> None:
        """Every project for which anything waits."""
        for directory in self._outbox.projects():
            project = project_of(Path(directory))
            refusal = self._refusal(directory)
            if refusal:
                self._delivered.problems.append(f"{directory}: {refusal}")
                continue
            for settings in project.sinks:
                self._sink(directory, settings)

    def _refusal(self, directory: str, settings: SinkSettings | None = None) -> str:
        """Why nothing may be sent for a project (to a sink) at this moment; empty if it may. Read anew each time."""
        project = project_of(Path(directory))
        known = consent.status_of(self._paths, project, self._environ)
        if known.decision is Decision.NO:
            with self._store.transaction():
                self._outbox.withdraw(directory)
        if known.ruling.mode is not Mode.ON:
            return f"nothing is sent: {known.ruling.reason}"
        if project.path != directory or (settings and settings not in project.sinks):
            return "nothing is sent: its settings have changed"
        return ""

    def _sink(self, directory: str, settings: SinkSettings) -> None:
        key = sink_id(settings)
        waiting = self._outbox.waiting(directory, key)
        last = {attempt.sink: attempt for attempt in self._outbox.attempts(directory)}.get(key)
        if not waiting:
            return
        now_ns = time.time_ns()
        if last and last.tried_ns <= now_ns < last.not_before_ns:  # a clock that was set back holds nothing up
            wait_s = (last.not_before_ns - now_ns) // _SECOND_NS + 1
            self._delivered.problems.append(f"{settings.address}: {last.result}: not tried again for {wait_s} s")
            return
        try:
            sink = self._sink_for(settings)
            messages = [entry.message for entry in waiting]
            batches = sink.batches(messages)
        except UnavailableError as error:
            self._delivered.problems.append(f"{settings.address}: {error}: {self._rest([], waiting)}")
            return
        fits = {place for batch in batches for place in batch}
        self._set_aside([entry for place, entry in enumerate(waiting) if place not in fits], "too large")
        left = [[waiting[place] for place in batch] for batch in reversed(batches)]
        while left:
            refusal = self._refusal(directory, settings)
            if refusal:
                self._delivered.problems.append(f"{directory}: {refusal}")
                return
            # A no and another yes may have come meanwhile: what the no deleted is not sent from memory.
            batch = self._outbox.reload(left.pop())
            if not batch:
                continue
            verdict = self._send(sink, batch)
            self._note(directory, key, batch, verdict)
            if verdict.outcome is Outcome.REFUSED and len(batch) > 1:
                middle = len(batch) // 2
                left += [batch[middle:], batch[:middle]]
            elif verdict.outcome is Outcome.REFUSED:
                self._set_aside(batch, verdict.said)
            elif verdict.outcome is not Outcome.ACCEPTED:
                self._delivered.problems.append(f"{settings.address}: {verdict.said}: {self._rest(left, batch)}")
                return

    def _rest(self, left: Sequence[Sequence[Entry]], batch: Sequence[Entry]) -> str:
        count = len(batch) + sum(map(len, left))
        return f"{count} events wait" if count > 1 else "1 event waits"

    def _send(self, sink: Sink, batch: Sequence[Entry]) -> Verdict:
        remaining = self._give_up - time.monotonic()
        if remaining <= 0:
            raise _TimeUpError
        messages = [entry.message for entry in batch]
        try:
            return within(remaining, lambda: sink.send(messages, timeout_s=remaining))
        except TimeoutError:
            # Nothing more is sent then: what was left behind may still be using the sink's library.
            return Verdict(Outcome.LATER, f"no answer within {remaining:.1f} s", "")

    def _note(self, directory: str, key: str, batch: Sequence[Entry], verdict: Verdict) -> None:
        """Write down what came of a request, with what it means for its messages, or nothing of both."""
        now_ns = time.time_ns()
        with self._store.transaction():
            if verdict.outcome is Outcome.ACCEPTED:
                self._outbox.accept(batch, Batch(now_ns, verdict.url, len(batch), verdict.body))
            attempt = Attempt(key, now_ns, verdict.said, now_ns + verdict.after_s * _SECOND_NS)
            self._outbox.note_attempt(directory, attempt)
        if verdict.outcome is Outcome.ACCEPTED:
            self._delivered.accepted += len(batch)

    def _set_aside(self, entries: Sequence[Entry], reason: str) -> None:
        with self._store.transaction():
            for entry in entries:
                self._outbox.set_aside(entry, reason)
        self._delivered.aside += len(entries)
