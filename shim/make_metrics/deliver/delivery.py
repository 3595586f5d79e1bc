"""Delivery: messages in the outbox are sent to their sinks. A message leaves the outbox once its sink accepts it.

`deliver.to_sink` has the steps for one sink. Several receivers are sent to at once, each of them one request at a time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from make_metrics.consent import consent
from make_metrics.consent.mode import Mode
from make_metrics.deliver.at_once import Steps, TimeUpError, run_at_once
from make_metrics.deliver.to_sink import Delivered, Delivery, contained, deliver_to_sink, refusal_of
from make_metrics.deliver.waiting import pages
from make_metrics.files.lock import BusyError, FileLock
from make_metrics.files.paths import Paths, private_directory
from make_metrics.files.write import require_own_file
from make_metrics.processes.children import may_start
from make_metrics.project.project import project_of
from make_metrics.sinks.apart.making import sink_of
from make_metrics.sinks.kinds import BUILT_IN
from make_metrics.sinks.sink import Prepared, SinkSettings, UnavailableError
from make_metrics.sinks.time_limit import release_after
from make_metrics.store import database
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.store.store import Store

_Work = list[tuple[str, SinkSettings]]
"""The sinks of one receiver, each with its project's directory."""


def deliver(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    timeout_s: float,
    first: Path | None = None,
    patient: bool = False,
) -> Delivered:
    """Send the waiting messages of all projects: those of the project `first` first, and files before networks.

    With `patient`, a receiver that failed rests for minutes before it is tried again (`deliver.waiting`). Other
    packages' sinks work in processes of their own; where none may be started, in this one, after all others.

    Only one process sends at a time. Consent is read again before each request, and right before its bytes. Returns
    within `timeout_s` seconds, plus the time of an open transaction. The lock is held as long as bytes may leave, also
    by requests that were abandoned: a withdrawal waits for it (`sender.stop`). Raises UserError if the store cannot be
    used.
    """
    private_directory(paths.state)
    require_own_file(paths.send_lock)
    delivered = Delivered()
    deadline_s = time.monotonic() + timeout_s
    abandoned: list[Future[Any]] = []
    with contextlib.ExitStack() as held:
        try:
            lock = FileLock(paths.send_lock)
            held.enter_context(lock.acquire(timeout=timeout_s, poll_interval=0.02))
            with database.opened(paths, delivered.problems) as connection:
                delivery = Delivery(
                    paths,
                    environ,
                    Store(connection),
                    deadline_s,
                    delivered,
                    patient,
                    held=lock.descriptors,
                )
                try:
                    for group in _groups(_by_receiver(delivery, first)):
                        receivers = [_deliver_to_receiver(delivery, work) for work in group]
                        run_at_once(receivers, deadline_s=deadline_s, abandoned=abandoned)
                finally:
                    delivery.ended.set()
        except BusyError:
            delivered.problems.append("another make-metrics is sending")
        except TimeUpError:
            delivered.problems.append(f"not all was sent within {timeout_s:g} s: the rest waits")
        finally:
            release_after(abandoned, held)
    return delivered


def _groups(receivers: list[_Work]) -> list[list[_Work]]:
    """The receivers that are sent to at once: one whose sink may end this process comes after the others."""
    if may_start():
        return [receivers]
    theirs = [work for work in receivers if work[0][1].type not in BUILT_IN]
    return [[work for work in receivers if work not in theirs], *([work] for work in theirs)]


def _by_receiver(delivery: Delivery, first: Path | None) -> list[_Work]:
    """The sinks that messages wait for, each with its project's directory, in a list for each receiver; in order.

    A file takes no time. Of the others, those that failed last come last.
    """
    work: dict[str, _Work] = {}
    own = str(first or "")
    for directory in sorted(delivery.outbox.projects(), key=lambda directory: directory != own):
        with contained(delivery, directory):
            project = project_of(Path(directory))
            if refusal := refusal_of(delivery, directory):
                delivery.delivered.problems.append(f"{directory}: {refusal}")
                continue
            for settings in project.sinks:
                work.setdefault(_receiver(settings), []).append((directory, settings))
    failures = delivery.resting.failures()

    def rank(receiver: str) -> tuple[bool, bool, int]:
        directory, settings = work[receiver][0]
        return settings.type != "file", directory != own, failures.get(receiver, 0)

    return [work[receiver] for receiver in sorted(work, key=rank)]


def _receiver(settings: SinkSettings) -> str:
    """The name of what a sink sends to: a server, a file, or another package's code, which may not be run twice."""
    if settings.type not in BUILT_IN:
        return settings.type
    url = urlsplit(settings.host)
    return f"{url.scheme}://{url.netloc}" if url.netloc else f"{settings.type} {settings.host}"


def _deliver_to_receiver(delivery: Delivery, work: _Work) -> Steps[Any]:
    """Send to the sinks of one receiver, one after the other."""
    for directory, settings in work:
        with contained(delivery, settings.address):
            yield from deliver_to_sink(delivery, directory, settings, _receiver(settings))


def show(paths: Paths, environ: Mapping[str, str]) -> Iterator[tuple[str, Prepared]]:
    """The requests that `deliver` would make now, each with its type of sink. Nothing is sent or changed.

    A sink that is unavailable here is left out. Raises UserError if the store cannot be used.
    """
    with database.opened(paths, []) as connection:
        for directory in Outbox(connection).projects():
            project = project_of(Path(directory))
            if consent.status_of(paths, project, environ).ruling.mode is not Mode.ON:
                continue
            for settings in project.sinks:
                with contextlib.suppress(UnavailableError):
                    sink = sink_of(settings)
                    for page in pages(connection, directory, sink_id(settings)):
                        messages = [entry.message for entry in page]
                        for batch in sink.batches(messages):
                            yield settings.type, sink.prepare([messages[index] for index in batch])
