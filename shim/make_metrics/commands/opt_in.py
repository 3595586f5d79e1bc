"""`make-metrics opt-in`: show the notice, ask, and record a yes."""

from __future__ import annotations

import argparse
import os
import time

from make_metrics.commands.asked_metrics import refresh_metrics
from make_metrics.commands.project import opened_store, project_at
from make_metrics.commands.prose import show
from make_metrics.commands.question import ask, require_answer, show_summary, why_not_sent
from make_metrics.commands.warn import warn
from make_metrics.consent import consent, notice, summary
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.consent.consent import Status
from make_metrics.consent.mode import Decision, Ruling
from make_metrics.deliver import choice_event
from make_metrics.deliver.permissions import ProjectCache
from make_metrics.deliver.renewed import renewed
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.project.settings import NAME, Settings
from make_metrics.sender import burst
from make_metrics.sinks.kinds import lacks
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.sweep.sweep import sweep

_SWEEP_S = 10


def run(given: argparse.Namespace) -> int:
    """Show a summary and ask, or the notice if `yes` is given; 0. Any answer but a yes changes nothing.

    Raises UserError if there is nothing to agree to, no terminal to ask in, or the yes cannot be recorded.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    warn(project.problems)
    if project.settings is None or not project.sinks:
        raise UserError(f"there is nothing to agree to: this project has no {NAME} that names a sink")
    if project.path != str(project.directory):
        raise UserError(f"{project.path} is not UTF-8: nothing can be sent from there, rename it first")
    refresh_metrics(paths, project, forget=True)
    status = consent.status_of(paths, project, os.environ)
    if _has_agreed(status):
        show(f"You have already said yes.\n{_why_not_sent(project, status.ruling)}")
        return 0
    require_answer("opt-in", yes=given.yes)
    text = _notice(paths, project.settings)
    details = text + _where_files_are(paths, project)
    if given.yes:
        show(details)
    else:
        show_summary(summary.lines(project.settings, catalogue.declarations(paths, project.settings.metrics)))
    if not given.yes and not ask("May it be sent?", details):
        show("Nothing was changed, and nothing is sent.")
        return 0
    project = project_at(given.directory)
    if project.settings is None or _notice(paths, project.settings) != text:
        raise UserError(f"{NAME} has changed meanwhile: your answer was not recorded, run opt-in again")
    # Combine what was recorded before the yes now: it stays on this machine even if the clock is set back later.
    sweep(paths, timeout=_SWEEP_S)
    _record_yes(paths, project)
    burst.end_rest(paths)  # what make does next is not kept waiting
    ruling = consent.status_of(paths, project, os.environ).ruling
    obstacle = _why_not_sent(project, ruling)
    thanks = "Your yes is recorded." if obstacle else "Thank you. What make does here from now on is sent."
    show(f"{thanks}\n{obstacle}")
    return 0


def _where_files_are(paths: Paths, project: Project) -> str:
    directory = printable_path(read_user_settings(paths)[0].directory)
    return "".join(f"{sink.host} is kept in {directory}.\n" for sink in project.sinks if sink.type == "file")


def _why_not_sent(project: Project, ruling: Ruling) -> str:
    """Lines that say why nothing is sent in spite of a yes, or not to all receivers; empty if all of it is."""
    missing = {sink.type: problem for sink in project.sinks if (problem := lacks(sink.type))}
    if {sink.type for sink in project.sinks} == missing.keys():
        return "".join(f"But nothing can be sent: {problem}\n" for problem in missing.values()) + why_not_sent(ruling)
    return why_not_sent(ruling) + "".join(f"But not to {name}: {problem}\n" for name, problem in missing.items())


def _has_agreed(status: Status) -> bool:
    return status.decision is Decision.YES and status.yes_holds


def _notice(paths: Paths, settings: Settings) -> str:
    return notice.text(settings, catalogue.declarations(paths, settings.metrics))


def _record_yes(paths: Paths, project: Project) -> None:
    """Record the yes, make the id, and leave in the outbox only what this yes allows to be sent."""
    with consent.lock(paths):
        status = consent.status_of(paths, project, os.environ)
        has_agreed = _has_agreed(status)  # another opt-in may have been faster
        anonymous_id = ensure_id(paths, project)
        now_ns = time.time_ns()
        metrics = catalogue.declarations(paths, project.settings.metrics) if project.settings else ()
        choice_events = choice_event.entries(project, choice="in", anonymous_id=anonymous_id, now_ns=now_ns)
        with opened_store(paths) as store, store.transaction():
            outbox = Outbox(store.connection)
            if status.yes_holds:
                outbox.keep_only(project.path, map(sink_id, project.sinks))
                entries = outbox.all_entries(project.path)
                outbox.rewrite(renewed(store, ProjectCache(paths), project, entries, metrics))
            else:  # what waits was recorded before this yes
                outbox.withdraw(project.path)
            if not has_agreed:
                outbox.put(choice_events, now_ns=now_ns)
        if not has_agreed:
            consent.write_decision(paths, project, yes=True, now_ns=time.time_ns())
