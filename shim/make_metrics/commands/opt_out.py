"""`make-metrics opt-out`: write a no down, then remove what waits and the id."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from make_metrics import environment
from make_metrics.commands.project import opened_store, project_at, tell, write_request
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import erase_id, read_id
from make_metrics.consent.mode import Decision, Mode
from make_metrics.crashes.question import CRASHES
from make_metrics.deliver import choice_event
from make_metrics.deliver.time_limit import within
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project
from make_metrics.sinks.sink import Outcome, UnavailableError, Verdict
from make_metrics.store.database import ReplacedError
from make_metrics.store.outbox import Batch, Entry, Outbox, sink_id
from make_metrics.sweep.sweep import sweep

_SWEEP_S = 10
_EVENT_S = 3.0


def run(given: argparse.Namespace) -> int:
    """Withdraw; 0. Raises UserError if the no cannot be written down, or what waits not be removed."""
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    tell(project.problems)
    with consent.lock(paths):
        before = consent.status_of(paths, project, os.environ).ruling.mode
        anonymous_id = read_id(paths, project)
        now_ns = time.time_ns()
        places = [project, *_decided_before(paths, project, Path(given.directory or "."))]
        for place in places:
            consent.write_decision(paths, place, yes=False, now_ns=now_ns)
            erase_id(paths, place)
            # Whoever wants nothing to be sent from here does not want crash reports to be either.
            if consent.status_of(paths, place, os.environ, CRASHES).decision is not Decision.NONE:
                consent.write_decision(paths, place, yes=False, now_ns=now_ns, question=CRASHES)
    try:
        sweep(paths, timeout=_SWEEP_S)  # what is combined later finds the no
    finally:
        gone = _withdraw(paths, places)
    sys.stdout.write(f"Nothing is sent any more from here. {_count(gone)}, and your id is deleted.\n")
    if before is Mode.ON and anonymous_id and project.settings and project.settings.opt_out_event:
        _say_so(paths, project, choice_event.entries(project, choice="out", anonymous_id=anonymous_id, now_ns=now_ns))
    return 0


def _decided_before(paths: Paths, project: Project, directory: Path) -> list[Project]:
    """What else was decided about a directory or one above it, in the same repository.

    Their settings file may be away, as it is on another branch: once it is back, that decision holds again.
    """
    found = []
    for folder in (directory.resolve(), *directory.resolve().parents):
        other = Project(folder)
        files = (consent.decision_path(paths, other, question) for question in (consent.EVENTS, CRASHES))
        if folder != project.directory and any(map(os.path.lexists, files)):
            found.append(other)
        if os.path.lexists(folder / ".git"):
            return found
    return [other for other in found if other.directory == directory.resolve()]


def _withdraw(paths: Paths, projects: Sequence[Project]) -> int:
    """Delete what waits for these projects; how many messages that were."""
    try:
        with opened_store(paths) as store, store.transaction():
            return sum(Outbox(store.connection).withdraw(project.path) for project in projects)
    except ReplacedError as error:
        tell([error.line])  # what waited is gone with the damaged store
        return 0


def _count(gone: int) -> str:
    if not gone:
        return "Nothing was waiting"
    return f"{gone} event{' that was' if gone == 1 else 's that were'} waiting {'is' if gone == 1 else 'are'} deleted"


def _say_so(paths: Paths, project: Project, entries: Sequence[Entry]) -> None:
    """The one event that the notice announced for this case: tried once, and never kept for later."""
    from make_metrics.sinks.kinds import sink_of

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
        said = "was told" if verdict.outcome is Outcome.ACCEPTED else f"could not be told ({verdict.said})"
        sys.stdout.write(f"As the notice said, {settings.address} {said} that you opted out.\n")
