"""`make-metrics status`: the mode and why, what was agreed to, what waits, and every path in use."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import Any

from make_metrics import environment
from make_metrics.combine.event import timestamp
from make_metrics.commands.project import project_at
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import id_file, read_id
from make_metrics.consent.consent import Status
from make_metrics.consent.mode import Mode, through_sudo
from make_metrics.crashes.question import CRASHES
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.project.root import project_key
from make_metrics.project.settings import NAME
from make_metrics.sender import reaper
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store import database
from make_metrics.store.outbox import Outbox
from make_metrics.store.troubles import Count, Troubles
from make_metrics.sweep.sweep import sweep

_PATIENCE_S = 10


def run(given: argparse.Namespace) -> int:
    """Print how things stand for a project; 0, whatever is wrong. Raises UserError only for a bad directory or home."""
    paths = Paths.from_environment()
    project = project_at(given.directory)
    known = consent.status_of(paths, project, os.environ)
    problems = [*project.problems, *read_user_settings(paths)[1]]
    found = {
        "mode": known.ruling.mode.word,
        "rule": known.ruling.rule,
        "reason": known.ruling.reason,
        "decision": known.decision.name.lower(),
        "prints": environment.only_prints(os.environ),
        **_agreed(paths, project, known),
        **_waiting(paths, project, problems),
        "sender": _sender(known),
        "crash_reports": _crashes(paths, project),
        "paths": _paths(paths, project),
        "problems": problems,
    }
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(found)))
    return 0


def _agreed(paths: Paths, project: Project, known: Status) -> dict[str, Any]:
    record = known.record
    return {
        "project": project.path,
        "sinks": [{"type": sink.type, "host": sink.address} for sink in project.sinks],
        "notice": consent.notice_version(paths, project) if project.sinks else None,
        "consent": record and {**record._asdict(), "decided": timestamp(record.decided_ns)},
        "id": read_id(paths, project),
        "metrics": [entry.name for entry in catalogue.declarations(paths, project.settings.metrics)]
        if project.settings
        else [],
    }


def _sender(known: Status) -> dict[str, Any]:
    """Whether a make that is started here leaves a sender behind, and why not."""
    reason = reaper.obstacle(os.environ)
    if known.ruling.mode is not Mode.ON:
        reason = f"the mode is {known.ruling.mode.word}"
    return {"detached": not reason, "reason": reason}


def _crashes(paths: Paths, project: Project) -> dict[str, Any]:
    """Whether failures of make-metrics itself are reported, where to, and which rule decided that."""
    known = consent.status_of(paths, project, os.environ, CRASHES)
    return {
        "mode": known.ruling.mode.word,
        "reason": known.ruling.reason,
        "decision": known.decision.name.lower(),
        "receiver": project.crash_dsn.host if project.crash_dsn else None,
    }


def _waiting(paths: Paths, project: Project, problems: list[str]) -> dict[str, Any]:
    """How much waits, and what came of the last attempts; nothing of it where the store cannot be used."""
    unknown: dict[str, Any] = {"waiting": None, "set_aside": {}, "dropped": {}, "attempts": [], "sent_batches": None,
                               "metric_troubles": []}  # fmt: skip
    if through_sudo(os.environ, root=not os.geteuid()):
        return unknown

    try:
        problems += sweep(paths, timeout=_PATIENCE_S).problems
        with database.opened(paths, problems) as connection:
            outbox, name = Outbox(connection), project.path
            return {
                "waiting": asdict(outbox.count(name)),
                "set_aside": outbox.refused(name),
                "dropped": outbox.dropped(name),
                "attempts": [
                    {"sink": attempt.sink, "time": timestamp(attempt.tried_ns), "result": attempt.result}
                    for attempt in outbox.attempts(name)
                ],
                "sent_batches": len(outbox.sent_batches(name)),
                "metric_troubles": [asdict(count) for count in Troubles(connection).all()],
            }
    except UserError as error:
        problems.append(str(error))
        return unknown


def _paths(paths: Paths, project: Project) -> dict[str, str]:
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
        "on-this-machine": str(paths.on_this_machine_file),
        "invitation": str(paths.invitations / project_key(project.directory)),
        "files": str(read_user_settings(paths)[0].directory)
        if any(sink.type == "file" for sink in project.sinks)
        else "",
        "set aside": str(paths.set_aside),
        "data": str(paths.data),
        "config": str(paths.config),
        "state": str(paths.state),
    }


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"mode: {found['mode']} ({found['reason']})", f"project: {_plain(found['project'])}"]
    if found["prints"]:
        lines.append("MAKE_METRICS is log: what would be sent is printed instead")
    given = found["consent"]
    if given:
        lines.append(
            f"decision: {'yes' if given['yes'] else 'no'}, {given['decided']}, notice {given['notice'] or '-'}"
        )
    else:
        lines.append(f"decision: {found['decision']}")
    if found["notice"]:
        accepted = "accepted" if given and given["yes"] and given["notice"] == found["notice"] else "not accepted"
        lines.append(f"notice: {found['notice']} ({accepted})")
    lines.append(f"id: {found['id'] or 'none'}")
    lines += [f"sink: {sink['host']} ({sink['type']})" for sink in found["sinks"]] or ["sink: none"]
    if found["waiting"]:
        events = found["waiting"]["events"]
        size = f"{events} event{'s' * (events > 1)}, {found['waiting']['bytes']} bytes"
        lines.append(f"waiting: {size if events else 'nothing'}")
        batches = found["sent_batches"]
        lines.append(f"sent: {batches} batch{'es' * (batches != 1)} (make-metrics sent)")
    sender = found["sender"]
    if sender["detached"]:
        lines.append("sender: sends when make has ended")
    elif found["mode"] == Mode.ON.word:
        lines.append(f"sender: none ({sender['reason']}): make-metrics flush sends what waits")
    lines += [f"set aside: {count} ({reason})" for reason, count in found["set_aside"].items()]
    lines += [f"dropped: {count} ({reason})" for reason, count in found["dropped"].items()]
    lines += [f"last attempt: {one['time']}, {one['sink']}: {one['result']}" for one in found["attempts"]]
    lines += [f"metrics: {', '.join(found['metrics'])}"] if found["metrics"] else []
    lines += [f"metric in trouble: {Count(**one).text}" for one in found["metric_troubles"]]
    crashes = found["crash_reports"]
    if crashes["receiver"]:
        lines.append(f"crash reports: {crashes['mode']} ({crashes['reason']}), to {crashes['receiver']}")
    lines += [f"{name}: {_plain(path)}" for name, path in _labelled(found["paths"]) if path]
    lines += [f"problem: {problem}" for problem in found["problems"]]
    if (
        found["mode"] != Mode.ON.word
        and found["sinks"]
        and (found["decision"] in ("none", "older") or found["rule"] == "on-this-machine")
    ):
        lines.append("make-metrics opt-in shows what would be collected, and asks")
    return lines


def _labelled(paths: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"path of {name}", path) for name, path in paths.items()]


def _plain(path: str) -> str:
    from pathlib import Path

    return printable_path(Path(path)) if path else ""
