"""`make-metrics opt-in`: show the notice, ask, and write a yes down."""

from __future__ import annotations

import os
import sqlite3
import sys
import time

from shim import choice, consent, identity, notice
from shim.commands.here import project_at, tell, use
from shim.errors import UserError
from shim.mode import Decision, Mode
from shim.outbox import Outbox
from shim.outgoing import sink_key
from shim.paths import Paths
from shim.paths import shown as path_shown
from shim.settings import NAME, Project
from shim.sinks.surroundings import surroundings
from shim.store import Store

_STILL_YES = (Decision.YES, Decision.OLDER)


def run(*, directory: str | None, yes: bool) -> int:
    """Ask, unless `yes` says that this was done; 0. Anything but a yes changes nothing.

    Raises UserError if there is nothing to agree to, nobody to ask, or the yes cannot be written down.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = project_at(directory)
    tell(project.problems)
    if project.settings is None or not project.sinks:
        raise UserError(f"there is nothing to agree to: this project has no {NAME} that names a sink")
    if project.place != str(project.directory):
        raise UserError(f"{project.place} is not UTF-8: nothing can be sent from there, rename it first")
    known = consent.known(paths, project, os.environ)
    if known.decision is Decision.YES:
        sys.stdout.write(f"You have said yes already.\n{_but(known.ruling.mode, known.ruling.reason)}")
        return 0
    shown = notice.text(project.settings)
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("opt-in asks a question, and this is no terminal: run it in one, or use --yes")
    sys.stdout.write(shown)
    for sink in project.sinks:
        if sink.type == "file":
            sys.stdout.write(f"{sink.host} is kept in {path_shown(surroundings(paths)[0].directory)}.\n")
    if not yes and not _asked():
        sys.stdout.write("Nothing was changed, and nothing is sent.\n")
        return 0
    again = project_at(directory)
    if again.settings is None or notice.text(again.settings) != shown:
        raise UserError(f"{NAME} has changed meanwhile: nothing was written down, run opt-in again")
    _agree(paths, again)
    ruling = consent.known(paths, again, os.environ).ruling
    sys.stdout.write(f"Thank you. What make does here from now on is sent.\n{_but(ruling.mode, ruling.reason)}")
    return 0


def _asked() -> bool:
    sys.stdout.write("\nMay it be sent? [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stdout.write("\n")
    return answer.strip().lower() in ("y", "yes")


def _agree(paths: Paths, project: Project) -> None:
    with consent.locked(paths):
        before = consent.known(paths, project, os.environ).decision
        anonymous_id = identity.ensure(paths, project)
        now_ns = time.time_ns()
        events = choice.entries(project, choice="in", anonymous_id=anonymous_id, now_ns=now_ns)

        def clear(connection: sqlite3.Connection) -> None:
            store, outbox = Store(connection), Outbox(connection)
            with store.transaction():
                if before in _STILL_YES:
                    outbox.keep_only(project.place, map(sink_key, project.sinks))
                else:  # whatever is left was recorded before this yes
                    outbox.withdraw(project.place)
                if before is not Decision.YES:
                    outbox.put(events, now_ns=now_ns)

        use(paths, clear)
        if before is not Decision.YES:  # somebody else may just have said it
            consent.write(paths, project, yes=True, now_ns=time.time_ns())


def _but(mode: Mode, reason: str) -> str:
    return "" if mode is Mode.ON else f"But nothing is sent as long as this holds: {reason}.\n"
