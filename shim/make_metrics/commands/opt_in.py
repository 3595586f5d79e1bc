"""`make-metrics opt-in`: show the notice, ask, and write a yes down."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from make_metrics.commands.project import opened_store, project_at, tell
from make_metrics.consent import consent, notice
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.consent.mode import Decision, Mode
from make_metrics.deliver import choice_event
from make_metrics.deliver.outgoing import drop_unlisted
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.project.settings import NAME, Settings
from make_metrics.properties.property import Property
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store.outbox import Entry, Outbox, sink_id
from make_metrics.sweep.sweep import sweep

_SWEEP_S = 10


def run(given: argparse.Namespace) -> int:
    """Ask, unless `yes` says that this was done; 0. Anything but a yes changes nothing.

    Raises UserError if there is nothing to agree to, nobody to ask, or the yes cannot be written down.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    tell(project.problems)
    if project.settings is None or not project.sinks:
        raise UserError(f"there is nothing to agree to: this project has no {NAME} that names a sink")
    if project.path != str(project.directory):
        raise UserError(f"{project.path} is not UTF-8: nothing can be sent from there, rename it first")
    for name, found in catalogue.refresh(paths, project.settings.metrics, forget=True).items():
        tell([f"the metric {name} {found.problem}"] if found.problem else [])
    known = consent.status_of(paths, project, os.environ)
    if known.decision is Decision.YES and known.yes_holds:
        sys.stdout.write(f"You have said yes already.\n{_but(known.ruling.mode, known.ruling.reason)}")
        return 0
    shown = _notice(paths, project.settings)
    if not given.yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("opt-in asks a question, and this is no terminal: run it in one, or use --yes")
    sys.stdout.write(shown)
    for sink in project.sinks:
        if sink.type == "file":
            sys.stdout.write(f"{sink.host} is kept in {printable_path(read_user_settings(paths)[0].directory)}.\n")
    if not given.yes and not _asked():
        sys.stdout.write("Nothing was changed, and nothing is sent.\n")
        return 0
    again = project_at(given.directory)
    if again.settings is None or _notice(paths, again.settings) != shown:
        raise UserError(f"{NAME} has changed meanwhile: nothing was written down, run opt-in again")
    sweep(paths, timeout=_SWEEP_S)  # what was recorded until now stays here, whatever becomes of the clock
    _agree(paths, again)
    ruling = consent.status_of(paths, again, os.environ).ruling
    sys.stdout.write(f"Thank you. What make does here from now on is sent.\n{_but(ruling.mode, ruling.reason)}")
    return 0


def _notice(paths: Paths, settings: Settings) -> str:
    return notice.text(settings, catalogue.declarations(paths, settings.metrics))


def _asked() -> bool:
    sys.stdout.write("\nMay it be sent? [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stdout.write("\n")
        return False  # the terminal is gone: nobody has confirmed it
    return answer.strip().lower() in ("y", "yes")


def _agree(paths: Paths, project: Project) -> None:
    with consent.lock(paths):
        before = consent.status_of(paths, project, os.environ)
        agreed = before.decision is Decision.YES and before.yes_holds  # somebody else may just have said it
        anonymous_id = ensure_id(paths, project)
        now_ns = time.time_ns()
        metrics = catalogue.declarations(paths, project.settings.metrics) if project.settings else ()
        events = choice_event.entries(project, choice="in", anonymous_id=anonymous_id, now_ns=now_ns)
        with opened_store(paths) as store, store.transaction():
            outbox = Outbox(store.connection)
            if before.yes_holds:
                outbox.keep_only(project.path, map(sink_id, project.sinks))
                outbox.put(_narrowed(outbox, project, metrics), now_ns=now_ns)
            else:  # whatever is left was recorded before this yes
                outbox.withdraw(project.path)
            if not agreed:
                outbox.put(events, now_ns=now_ns)
        if not agreed:
            consent.write_decision(paths, project, yes=True, now_ns=time.time_ns())


def _narrowed(outbox: Outbox, project: Project, metrics: Sequence[Property]) -> list[Entry]:
    """What waits, with nothing that the notice of this yes does not list."""
    waiting = [entry for sink in project.sinks for entry in outbox.waiting(project.path, sink_id(sink))]
    return [replace(entry, message=drop_unlisted(entry.message, metrics)) for entry in waiting]


def _but(mode: Mode, reason: str) -> str:
    return "" if mode is Mode.ON else f"But nothing is sent as long as this holds: {reason}.\n"
