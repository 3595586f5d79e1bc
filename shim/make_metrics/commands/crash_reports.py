"""`make-metrics crash-reports`: decide whether failures of make-metrics itself are reported, and see what would be."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from make_metrics import __version__
from make_metrics.commands.project import project_at
from make_metrics.commands.prose import CONTINUED, show
from make_metrics.commands.question import ask, require_answer, show_summary, why_not_sent
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode
from make_metrics.consent.notice import clear_text
from make_metrics.crashes import delivery as crash_delivery
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import notice as crash_notice
from make_metrics.crashes import summary
from make_metrics.crashes.question import CRASHES
from make_metrics.crashes.report import Failure, Frame, LogEntry
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.project.project import Project, project_of
from make_metrics.project.settings import NAME
from make_metrics.sender.stop import stop_sending
from make_metrics.sinks.sink import Prepared

_NO_DSN = f"there is nothing to agree to: this project's {NAME} has no crash-reports-dsn"


def run(given: argparse.Namespace) -> int:
    """Do the action `on`, `off`, `status` or `preview`; 0. Any answer but a yes changes nothing.

    Raises UserError if there is nothing to agree to, no terminal to ask in, a decision cannot be recorded, who
    sends cannot be stopped, or sentry-sdk is missing for a preview.
    """
    paths = Paths.from_environment()
    if given.action in ("on", "off"):
        consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    warn(project.problems)
    if given.action == "on":
        _turn_on(paths, project, yes=given.yes)
    elif given.action == "off":
        with consent.lock(paths):
            consent.write_decision(paths, project, yes=False, now_ns=time.time_ns(), question=CRASHES)
        warn(stop_sending(paths.crash_lock))
        show("No crash reports are sent from here any more. Those that were waiting are not sent either.")
    elif given.action == "status":
        show("\n".join(_status_lines(paths, project)), hanging=CONTINUED)
    else:
        for request in _preview(paths, project):
            sys.stdout.write(f"POST {request.url}\n{request.body.decode()}")
    return 0


def _turn_on(paths: Paths, project: Project, *, yes: bool) -> None:
    if project.settings is None or project.crash_dsn is None:
        raise UserError(_NO_DSN)
    if consent.status_of(paths, project, os.environ, CRASHES).decision is Decision.YES:
        show(f"You have already said yes.\n{_why_not_sent(paths, project)}")
        return
    require_answer("crash-reports on", yes=yes)
    text = crash_notice.text(project.settings)
    if yes:
        show(text)
    else:
        show_summary(summary.lines(project.settings))
    if not yes and not ask("May they be sent?", text):
        show("Nothing was changed, and no crash reports are sent.")
        return
    project = project_of(project.directory)
    if project.settings is None or project.crash_dsn is None or crash_notice.text(project.settings) != text:
        raise UserError(f"{NAME} has changed meanwhile: your answer was not recorded, run this again")
    with consent.lock(paths):
        consent.write_decision(paths, project, yes=True, now_ns=time.time_ns(), question=CRASHES)
    obstacle = _why_not_sent(paths, project)
    thanks = "Your yes is recorded." if obstacle else "Thank you. Failures of make-metrics from now on are reported."
    show(f"{thanks}\n{obstacle}")


def _why_not_sent(paths: Paths, project: Project) -> str:
    """Lines that say why nothing is sent in spite of a yes; empty if it is."""
    text = why_not_sent(consent.status_of(paths, project, os.environ, CRASHES).ruling)
    if not crash_delivery.can_send():
        text += f"But nothing can be sent until sentry-sdk is installed: pip install '{crash_delivery.EXTRA}'\n"
    return text


def _status_lines(paths: Paths, project: Project) -> list[str]:
    status = consent.status_of(paths, project, os.environ, CRASHES)
    sdk = "installed" if crash_delivery.can_send() else f"not installed: pip install {crash_delivery.EXTRA!r}"
    return [
        f"mode: {status.ruling.mode.word} ({status.ruling.reason})",
        f"project: {printable_path(project.directory)}",
        f"decision: {status.decision.value}",
        f"sent to: {project.crash_dsn.host if project.crash_dsn else 'nobody'}",
        f"waiting: {len(_waiting_events(paths, project))}",
        *(f"{entry.outcome}: {entry.id}" for entry in _entries(paths, project) if entry.outcome),
        f"failures on this machine: {len(crash_log.entries(paths))} (make-metrics doctor)",
        f"sentry-sdk: {sdk}",
        f"path of the log: {printable_path(paths.crashes)}",
        f"path of the decision: {printable_path(consent.decision_path(paths, project, CRASHES))}",
    ]


def _entries(paths: Paths, project: Project) -> list[LogEntry]:
    """The log's entries about failures in a project."""
    entries = crash_log.entries(paths)
    return [entry for entry in entries if project_of(Path(entry.directory)).path == project.path]


def _waiting_events(paths: Paths, project: Project) -> list[dict[str, object]]:
    reports = crash_delivery.waiting_reports(paths, os.environ)
    return [report.event for report in reports if report.project.path == project.path]


def _preview(paths: Paths, project: Project) -> list[Prepared]:
    """The requests of what waits; if nothing waits, of earlier failures in this project, or else of an example."""
    if project.crash_dsn is None:
        raise UserError(_NO_DSN)
    warn(clear_text([project.crash_dsn.host]))
    sink = crash_delivery.sink_of(project.crash_dsn)
    events = _waiting_events(paths, project)
    if not events:
        earlier = [crash_delivery.event_of(entry) for entry in _entries(paths, project)]
        events = [event for event in earlier if event is not None]
        warn(["nothing waits to be sent: " + ("these are earlier failures" if events else "this is an example")])
    if not events:
        example = crash_delivery.event_of(_example())
        events = [example] if example else []
    ruling = consent.status_of(paths, project, os.environ, CRASHES).ruling
    if ruling.mode is not Mode.ON:
        warn([f"nothing is sent: {ruling.reason}"])
    return [sink.prepare(event) for event in events]


def _example() -> LogEntry:
    system = os.uname()
    frames = (Frame("", 53, "Arguments.__init__", "make_metrics/hot/arguments.py"),)
    return LogEntry(
        path=Path(), id="0" * 32, first_ns=0, last_ns=0, part="shim", version=__version__,
        python=".".join(map(str, sys.version_info[:3])), system=system.sysname, machine=system.machine, make="4.3",
        directory="", allowed=False, failures=(Failure("ValueError", "", frames),), outcome="",
    )  # fmt: skip
