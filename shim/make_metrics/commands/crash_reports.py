"""`make-metrics crash-reports`: whether failures of make-metrics itself are reported, where to, and as what."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from make_metrics import __version__
from make_metrics.commands.project import project_at, tell
from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode
from make_metrics.crashes import delivery as crash_delivery
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import notice as crash_notice
from make_metrics.crashes.question import CRASHES
from make_metrics.crashes.report import Failure, Frame, LogEntry
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.project.project import Project, project_of
from make_metrics.project.settings import NAME

_NO_DSN = f"there is nothing to agree to: this project's {NAME} has no crash-reports-dsn"


def run(given: argparse.Namespace) -> int:
    """Do what was asked for; 0. Anything but a yes changes nothing.

    Raises UserError if there is nothing to agree to, nobody to ask, a decision cannot be written down, or the library
    that makes the reports is not there to preview them.
    """
    paths = Paths.from_environment()
    if given.action in ("on", "off"):
        consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    tell(project.problems)
    return {"on": _on, "off": _off, "status": _status, "preview": _preview}[given.action](paths, project, given.yes)


def _on(paths: Paths, project: Project, yes: bool) -> int:
    if project.settings is None or project.crash_dsn is None:
        raise UserError(_NO_DSN)
    known = consent.status_of(paths, project, os.environ, CRASHES)
    if known.decision is Decision.YES:
        sys.stdout.write(f"You have said yes already.\n{_but(paths, project)}")
        return 0
    text = crash_notice.text(project.settings)
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("this asks a question, and here is no terminal: run it in one, or use --yes")
    sys.stdout.write(text)
    if not yes and not _asked():
        sys.stdout.write("Nothing was changed, and no crash reports are sent.\n")
        return 0
    again = project_of(project.directory)
    if again.settings is None or again.crash_dsn is None or crash_notice.text(again.settings) != text:
        raise UserError(f"{NAME} has changed meanwhile: nothing was written down, run this again")
    with consent.lock(paths):
        consent.write_decision(paths, again, yes=True, now_ns=time.time_ns(), question=CRASHES)
    sys.stdout.write(f"Thank you. Failures of make-metrics from now on are reported.\n{_but(paths, again)}")
    return 0


def _asked() -> bool:
    sys.stdout.write("\nMay they be sent? [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stdout.write("\n")
    return answer.strip().lower() in ("y", "yes")


def _but(paths: Paths, project: Project) -> str:
    ruling = consent.status_of(paths, project, os.environ, CRASHES).ruling
    said = "" if ruling.mode is Mode.ON else f"But nothing is sent as long as this holds: {ruling.reason}.\n"
    if not crash_delivery.can_send():
        said += f"They wait until sentry-sdk is there: pip install '{crash_delivery.EXTRA}'\n"
    return said


def _off(paths: Paths, project: Project, _: bool) -> int:
    with consent.lock(paths):
        consent.write_decision(paths, project, yes=False, now_ns=time.time_ns(), question=CRASHES)
    sys.stdout.write("No crash reports are sent from here; what waited never is.\n")
    return 0


def _status(paths: Paths, project: Project, _: bool) -> int:
    known = consent.status_of(paths, project, os.environ, CRASHES)
    entries = crash_log.entries(paths)
    waiting = [one for one in crash_delivery.waiting_reports(paths, os.environ) if one.project.path == project.path]
    here = [entry for entry in entries if project_of(Path(entry.directory)).path == project.path]
    lines = [
        f"mode: {known.ruling.mode.word} ({known.ruling.reason})",
        f"project: {printable_path(project.directory)}",
        f"decision: {known.decision.value}",
        f"sent to: {project.crash_dsn.host if project.crash_dsn else 'nobody'}",
        f"waiting: {len(waiting)}",
        *(f"{entry.outcome}: {entry.id}" for entry in here if entry.outcome),
        f"failures on this machine: {len(entries)} (make-metrics doctor)",
        f"sentry-sdk: {'there' if crash_delivery.can_send() else f'not there, pip install {crash_delivery.EXTRA!r}'}",
        f"path of the log: {printable_path(paths.crashes)}",
        f"path of the decision: {printable_path(consent.decision_path(paths, project, CRASHES))}",
    ]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _preview(paths: Paths, project: Project, _: bool) -> int:
    """Print the requests, address and body; those that wait, else what failures here would give, else an example."""
    if project.crash_dsn is None:
        raise UserError(_NO_DSN)
    sink = crash_delivery.sink_of(project.crash_dsn)
    events = [
        one.event for one in crash_delivery.waiting_reports(paths, os.environ) if one.project.path == project.path
    ]
    if not events:
        here = [one for one in crash_log.entries(paths) if project_of(Path(one.directory)).path == project.path]
        events = [event for entry in here if (event := crash_delivery.event_of(entry)) is not None]
        tell(["nothing waits to be sent: " + ("these are the failures of before" if events else "this is an example")])
    ruling = consent.status_of(paths, project, os.environ, CRASHES).ruling
    if ruling.mode is not Mode.ON:
        tell([f"nothing is sent: {ruling.reason}"])
    for event in events or filter(None, [crash_delivery.event_of(_example())]):
        prepared = sink.prepare(event)
        sys.stdout.write(f"POST {prepared.url}\n{prepared.body.decode()}")
    return 0


def _example() -> LogEntry:
    system = os.uname()
    frames = (Frame("", 53, "Arguments.__init__", "make_metrics/hot/arguments.py"),)
    return LogEntry(
        path=Path(), id="0" * 32, first_ns=0, last_ns=0, part="shim", version=__version__,
        python=".".join(map(str, sys.version_info[:3])), system=system.sysname, machine=system.machine, make="4.3",
        directory="", allowed=False, failures=(Failure("ValueError", "", frames),), outcome="",
    )  # fmt: skip
