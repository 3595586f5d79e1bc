"""The event of a yes or a no, as messages for the project's sinks."""

from __future__ import annotations

import os
import uuid

from make_metrics.combine.event import timestamp
from make_metrics.project import git_command, git_head
from make_metrics.project.project import Project
from make_metrics.properties import is_test
from make_metrics.properties.labels import labels, values
from make_metrics.properties.registry import check
from make_metrics.sinks.kinds import takes_choices
from make_metrics.store.outbox import Entry, sink_id

_NAMESPACE = uuid.UUID("0b8f2c56-94a0-5d3c-8d0e-5a3c6f2f7e11")


def entries(project: Project, *, choice: str, anonymous_id: str, now_ns: int) -> list[Entry]:
    """A choice ("in" or "out") as a message for each of a project's sinks that takes choices. Asks git for its facts.

    Empty if the registry does not allow the message.
    """
    settings = project.settings
    if settings is None:
        return []
    facts = git_command.facts(git_head.read_head(project.path), settings.default_branch)
    properties = {
        "command": f"metrics-opt-{choice}",
        "command_type": "make",
        "choice": choice,
        "start_time": timestamp(now_ns),
        "is_test": is_test.marker(os.environ.get(is_test.VARIABLE, "")),
        "git_checked_out_master": facts.checked_out_master,
        "git_commit_time": facts.commit_time,
    }
    message = {
        "type": "track",
        "event": settings.event,
        "anonymousId": anonymous_id,
        "messageId": str(uuid.uuid5(_NAMESPACE, f"{anonymous_id}/{choice}/{now_ns}")),
        "timestamp": timestamp(now_ns),
        "properties": {name: value for name, value in properties.items() if value is not None} | values(settings),
    }
    if check(message, labels=labels(settings)):
        return []
    return [
        Entry(sink_id(sink), project.path, str(message["messageId"]), message)
        for sink in project.sinks
        if takes_choices(sink)
    ]
