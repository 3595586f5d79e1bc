"""`make-metrics status`: print the mode and its reason, what was agreed to, what waits, and all paths."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

from make_metrics import environment
from make_metrics.combine.event import timestamp
from make_metrics.commands.history import history
from make_metrics.commands.project import combine_records, project_at
from make_metrics.commands.prose import CONTINUED, show
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import id_file, read_id
from make_metrics.consent.consent import Status
from make_metrics.consent.decision_file import Record
from make_metrics.consent.mode import Mode, through_sudo
from make_metrics.consent.policy import PATH, read_policy
from make_metrics.crashes import log as crash_log
from make_metrics.crashes.question import CRASHES
from make_metrics.dataclass import asdict
from make_metrics.erasure import requested
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project
from make_metrics.project.root import project_key
from make_metrics.project.settings import NAME
from make_metrics.properties import is_test
from make_metrics.report import status_text
from make_metrics.sender import burst, reaper
from make_metrics.sinks.user_settings import is_clear_text, read_user_settings
from make_metrics.store import database
from make_metrics.store.outbox import Outbox
from make_metrics.store.troubles import Troubles

_SWEEP_S = 10
VERSION = 1  # changes if a field changes its meaning or goes away


def run(given: argparse.Namespace) -> int:
    """Print the status of a project as text or as JSON; 0, whatever is wrong.

    Raises UserError only for a bad directory or home.
    """
    document = _document(Paths.from_environment(), project_at(given.directory))
    if given.json:
        sys.stdout.write(f"{json.dumps({'version': VERSION, **document}, indent=2)}\n")
    else:
        show("\n".join(status_text.lines(document)), hanging=CONTINUED)
    return 0


def _document(paths: Paths, project: Project) -> dict[str, Any]:
    status = consent.status_of(paths, project, os.environ)
    problems = [*project.problems, *read_user_settings(paths)[1]]
    problems += read_policy().problems
    problems += filter(None, [is_test.problem(os.environ)])
    return {
        "mode": status.ruling.mode.word,
        "rule": status.ruling.rule,
        "reason": status.ruling.reason,
        "decision": status.decision.name.lower(),
        "prints": environment.only_prints(os.environ),
        "project": project.path,
        "sinks": [
            {
                "type": sink.type,
                "host": sink.address,
                "clear_text": is_clear_text(sink.host),
                "erases": sink.erases,
            }
            for sink in project.sinks
        ],
        "labels": dict(project.settings.labels) if project.settings else {},
        "notice": consent.notice_version(paths, project) or None,
        "consent": _consent(status.record),
        "id": read_id(paths, project),
        "metrics": _metrics(paths, project),
        **_deliveries(paths, project, problems),
        "sender": _sender(paths, status),
        "crash_reports": _crash_reports(paths, project),
        "erasures": _erasures(paths, project),
        "paths": _paths(paths, project),
        "problems": problems,
    }


def _metrics(paths: Paths, project: Project) -> list[str]:
    """The names of the optional metrics that the project's notice lists."""
    if project.settings is None or not project.settings.metrics:
        return []
    from make_metrics.metrics import catalogue  # takes a while to load

    return [entry.name for entry in catalogue.declarations(paths, project.settings.metrics)]


def _consent(record: Record | None) -> dict[str, Any] | None:
    return record and {**record._asdict(), "decided": timestamp(record.decided_ns)}


def _deliveries(paths: Paths, project: Project, problems: list[str]) -> dict[str, Any]:
    """What waits, and the results of the last attempts. If the store cannot be used, that is a problem."""
    unknown: dict[str, Any] = {"waiting": None, "set_aside": {}, "dropped": {}, "attempts": [], "sent_batches": None,
                               "metric_troubles": [], "history": None}  # fmt: skip
    if through_sudo(os.environ, root=not os.geteuid()):
        return unknown
    try:
        problems += combine_records(paths, timeout_s=_SWEEP_S)
        with database.opened(paths, problems) as connection:
            outbox = Outbox(connection)
            return {
                "waiting": asdict(outbox.count(project.path)),
                "set_aside": outbox.refused(project.path),
                "dropped": outbox.dropped(project.path),
                "attempts": [
                    {"sink": attempt.sink, "time": timestamp(attempt.tried_ns), "result": attempt.result}
                    for attempt in outbox.attempts(project.path)
                ],
                "sent_batches": len(outbox.sent_batches(project.path)),
                "metric_troubles": [asdict(count) for count in Troubles(connection).all()],
                "history": history(paths, connection),
            }
    except UserError as error:
        if str(error) not in problems:  # the sweep may have said it
            problems.append(str(error))
    except Exception as error:
        crash_log.note(error, part="command", paths=paths)
        problems.append(f"what waits is unknown: make-metrics failed with {type(error).__name__} (make-metrics doctor)")
    return unknown


def _sender(paths: Paths, status: Status) -> dict[str, Any]:
    """Whether a make that is started here leaves a sender behind, and why not; when the one that waits will send."""
    mode = status.ruling.mode
    reason = reaper.obstacle(os.environ) if mode is Mode.ON else f"the mode is {mode.word}"
    due_s = burst.next_turn(paths)
    return {"detached": not reason, "reason": reason, "due": timestamp(int(due_s * 1e9)) if due_s else None}


def _crash_reports(paths: Paths, project: Project) -> dict[str, Any]:
    """Whether failures of make-metrics itself are reported, why, and to whom."""
    status = consent.status_of(paths, project, os.environ, CRASHES)
    return {
        "mode": status.ruling.mode.word,
        "reason": status.ruling.reason,
        "decision": status.decision.name.lower(),
        "receiver": project.crash_dsn.host if project.crash_dsn else None,
        "clear_text": bool(project.crash_dsn and is_clear_text(project.crash_dsn.host)),
    }


def _erasures(paths: Paths, project: Project) -> list[dict[str, Any]]:
    """What the project's receivers were asked to delete, and what they have answered."""
    if requested.any_wait(paths):
        from make_metrics.erasure import asking

        asking.ask_again(paths, os.environ)
    return [
        {
            "receiver": erasure.host,
            "asked": timestamp(erasure.asked_ns),
            "answered": erasure.is_done,
            "tried": timestamp(erasure.tried_ns) if erasure.tried_ns else None,
            "result": erasure.result,
        }
        for erasure in requested.read_all(paths, now_ns=time.time_ns())
        if erasure.project == project.path
    ]


def _paths(paths: Paths, project: Project) -> dict[str, str]:
    """All paths in use, by name; an empty text for a path that this project does not use."""
    has_file_sink = any(sink.type == "file" for sink in project.sinks)
    return {
        "settings": str(project.directory / NAME) if project.settings else "",
        "decision": str(consent.decision_path(paths, project)),
        "id": str(id_file(paths, project)),
        "store": str(paths.store),
        "records": str(paths.records),
        "failures": str(paths.crashes),
        "crash-reports": str(consent.decision_path(paths, project, CRASHES)),
        "fragment": str(paths.fragment),
        "off": str(paths.off_file),
        "policy": PATH if os.path.lexists(PATH) else "",
        "on-this-machine": str(paths.on_this_machine_file),
        "invitation": str(paths.invitations / project_key(project.directory)),
        "files": str(read_user_settings(paths)[0].directory) if has_file_sink else "",
        "set aside": str(paths.set_aside),
        "data": str(paths.data),
        "config": str(paths.config),
        "state": str(paths.state),
    }
