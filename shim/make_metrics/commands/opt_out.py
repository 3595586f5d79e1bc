"""`make-metrics opt-out`: record a no, then delete what waits and the id."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from make_metrics import environment
from make_metrics.commands import erase
from make_metrics.commands.project import combine_records, opened_store, project_at, write_request
from make_metrics.commands.prose import show
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import erase_id, read_id
from make_metrics.consent.mode import Decision, Mode
from make_metrics.crashes.question import CRASHES
from make_metrics.deliver import choice_event
from make_metrics.erasure import asking
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, true_path
from make_metrics.sender.stop import stop_sending
from make_metrics.sinks.sink import Outcome, UnavailableError, Verdict
from make_metrics.sinks.time_limit import within
from make_metrics.store.database import ReplacedError
from make_metrics.store.outbox import Batch, Entry, Outbox, sink_id

_SWEEP_S = 10
_EVENT_S = 3.0


def run(given: argparse.Namespace) -> int:
    """Withdraw; 0. When it returns, nothing leaves any more, but for what the user asks for with `given.erase`.

    Raises UserError if the no cannot be recorded, what waits cannot be deleted, or who sends cannot be stopped; after
    all that also if `given.erase` was asked for and no receiver erases.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    warn(project.problems)
    with consent.lock(paths):
        mode = consent.status_of(paths, project, os.environ).ruling.mode
        anonymous_id = read_id(paths, project)
        now_ns = time.time_ns()
        projects = [project, *_other_decided_projects(paths, project, Path(given.directory or "."))]
        had_id = any(read_id(paths, withdrawn) for withdrawn in projects)
        for withdrawn in projects:
            consent.write_decision(paths, withdrawn, yes=False, now_ns=now_ns)
            if given.erase:
                erase.put(paths, withdrawn)  # before the id is gone
            erase_id(paths, withdrawn)
            # This no is for crash reports too, if they were decided about.
            if consent.status_of(paths, withdrawn, os.environ, CRASHES).decision is not Decision.NONE:
                consent.write_decision(paths, withdrawn, yes=False, now_ns=now_ns, question=CRASHES)
    try:
        warn(stop_sending(paths.send_lock, paths.crash_lock))
    finally:
        warn(combine_records(paths, timeout_s=_SWEEP_S))  # a record that is combined later finds the no
        count = _delete_waiting(paths, projects)
    show(f"Nothing is sent any more from here. {_deleted(count)}{', and your id is deleted' if had_id else ''}.")
    if mode is Mode.ON and anonymous_id and project.settings and project.settings.opt_out_event:
        entries = choice_event.entries(project, choice="out", anonymous_id=anonymous_id, now_ns=now_ns)
        _send_last_event(paths, project, entries)
    if given.erase:
        erase.ask(paths)
        erase.require_erasing(project)
    elif anonymous_id and asking.hosts(project):
        show(f"make-metrics erase asks {', '.join(asking.hosts(project))} to delete what was sent.")
    return 0


def _other_decided_projects(paths: Paths, project: Project, directory: Path) -> list[Project]:
    """The projects at a directory or above it, in the same repository, about which something was decided.

    Their settings file may be missing at present, for instance on another branch. When it is back, so is that project.
    """
    directory = true_path(directory)
    decided = []
    for folder in (directory, *directory.parents):
        other = Project(folder)
        files = (consent.decision_path(paths, other, question) for question in (consent.EVENTS, CRASHES))
        if folder != project.directory and any(map(os.path.lexists, files)):
            decided.append(other)
        if os.path.lexists(folder / ".git"):
            return decided
    return [other for other in decided if other.directory == directory]  # there is no repository


def _delete_waiting(paths: Paths, projects: Sequence[Project]) -> int:
    """Delete the messages that wait for these projects; return how many there were."""
    try:
        return _withdraw(paths, projects)
    except ReplacedError as error:
        warn([error.line])  # the store was damaged: what could be read of it is in a new one
        return _withdraw(paths, projects)


def _withdraw(paths: Paths, projects: Sequence[Project]) -> int:
    with opened_store(paths) as store, store.transaction():
        return sum(Outbox(store.connection).withdraw(project.path) for project in projects)


def _deleted(count: int) -> str:
    if not count:
        return "Nothing was waiting"
    return (
        f"{count} event{' that was' if count == 1 else 's that were'} waiting {'is' if count == 1 else 'are'} deleted"
    )


def _send_last_event(paths: Paths, project: Project, entries: Sequence[Entry]) -> None:
    """Send the event of the no, which the notice announced: once to each sink; it is not kept for another attempt."""
    from make_metrics.sinks.apart.making import sink_of

    sinks = {sink_id(settings): settings for settings in project.sinks}
    for entry in entries:
        settings, messages = sinks[entry.sink], [entry.message]
        try:
            sink = sink_of(settings)
            if environment.only_prints(os.environ):
                write_request(settings.type, sink.prepare(messages))
                continue
            verdict = within(_EVENT_S, partial(sink.send, messages, timeout_s=_EVENT_S))
        except TimeoutError:
            verdict = Verdict(Outcome.LATER, f"no answer within {_EVENT_S:g} s", settings.address)
        except UnavailableError as error:
            verdict = Verdict(Outcome.HELD, str(error), settings.address)
        if verdict.outcome is Outcome.ACCEPTED:
            with opened_store(paths) as store, store.transaction():
                batch = Batch(time.time_ns(), verdict.url, 1, verdict.body)
                Outbox(store.connection).accept([entry], batch)
        result = "was told" if verdict.outcome is Outcome.ACCEPTED else f"could not be told ({verdict.said})"
        show(f"As the notice said, {settings.address} {result} that you opted out.")
