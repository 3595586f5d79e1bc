"""`make-metrics erase`: ask a project's receivers to delete what they hold of your id."""

from __future__ import annotations

import argparse
import os
import time

from make_metrics import environment
from make_metrics.commands.project import opened_store, project_at, write_request
from make_metrics.commands.prose import show
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id, erase_id, read_id
from make_metrics.erasure import asking, requested
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project
from make_metrics.sender.stop import stop_sending
from make_metrics.store.outbox import Batch, Outbox

_ASK_S = 20.0


def run(given: argparse.Namespace) -> int:
    """Ask, also for ids of an earlier yes; 0 if all receivers have answered, 1 if one is asked again later.

    A yes stands, with a new id: what waits to be sent still has the old one, and is deleted. Raises UserError if no
    receiver of the project erases, or if what was asked cannot be written down.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    project = project_at(given.directory)
    warn(project.problems)
    require_erasing(project)
    with consent.lock(paths):
        count = put(paths, project)
        stands = read_id(paths, project) is not None
        if stands:
            erase_id(paths, project)
    if stands:
        warn(stop_sending(paths.send_lock))
        with opened_store(paths) as store, store.transaction():
            Outbox(store.connection).withdraw(project.path)
        with consent.lock(paths):
            if consent.status_of(paths, project, os.environ).yes_holds:
                ensure_id(paths, project)
                show("Your yes stands, with a new id. What waited with the old one is deleted.")
    if not count:
        show("Nothing is known here that was sent with an id of yours.")
    return ask(paths)


def require_erasing(project: Project) -> None:
    """Raise UserError if no receiver of the project says that it erases."""
    if not asking.hosts(project):
        collector = project.settings.collector if project.settings else "whoever collects"
        raise UserError(f"no receiver of this project says that it can delete what it holds: ask {collector}")


def put(paths: Paths, project: Project) -> int:
    """Note what is to be asked for a project, before its id is deleted; how many requests that are.

    The caller holds `consent.lock`. If the store cannot be read, only the present id is known. What cannot be
    written down is said.
    """
    sent: list[Batch] = []
    try:
        with opened_store(paths) as store:
            sent = Outbox(store.connection).sent_batches(project.path)
    except UserError as error:
        warn([str(error)])
    pairs = list(asking.receivers_with_ids(paths, project, sent))
    for host, anonymous_id in pairs:
        try:
            requested.put(paths, project.path, host, anonymous_id, now_ns=time.time_ns())
        except UserError as error:  # a no that the caller has yet to complete must not fail for it
            warn([f"{host} will not be asked to delete what it holds: {error}"])
    return len(pairs)


def ask(paths: Paths, *, timeout_s: float = _ASK_S) -> int:
    """Ask all receivers that have not answered yet, and say what they answered; 0 if all have.

    With MAKE_METRICS=log, print the requests instead.
    """
    if environment.only_prints(os.environ):
        from make_metrics.erasure.request import prepare

        for waiting in requested.read_all(paths, now_ns=time.time_ns()):
            if not waiting.is_done:
                write_request("segment", prepare(waiting.host, waiting.anonymous_id))
        return 0
    tried = asking.ask(paths, timeout_s=timeout_s)
    for request in tried:
        again = "" if request.is_done else "; make-metrics flush and erase ask again, as do later commands and senders"
        show(f"Asked {request.host} to delete what it holds of your id: {request.result}{again}")
    return 0 if all(request.is_done for request in tried) else 1
