"""The messages of a run's events for the outbox.

An event becomes a message only if its make has a permission (see `deliver.permissions`), and if the registry allows the
message. Every other event stays on this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.deliver import trace_messages
from make_metrics.deliver.message import looks_like_file, message
from make_metrics.deliver.permissions import Permission, ProjectCache
from make_metrics.project.project import Project
from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, PROPERTIES, check
from make_metrics.store.outbox import Entry, sink_id


def entries(
    projects: ProjectCache, run: Run, events: Iterable[Event], permitted: Mapping[str, Permission]
) -> list[Entry]:
    """The outbox entries of a run's events: one for each sink of the project, where there is a permission."""
    events = list(events)
    untraced: list[Entry] = []
    for event in events:
        permission = permitted.get(event.make)
        if permission is None:
            continue
        project = permission.project
        sendable = sendable_message(
            event,
            project,
            anonymous_id=permission.anonymous_id,
            file_names=projects.file_names(permission.directory),
            metrics=permission.metrics,
        )
        if sendable is not None:
            untraced += [Entry(sink_id(sink), project.path, event.message_id, sendable) for sink in project.sinks]
    return trace_messages.add_traces(run, events, untraced)


def sendable_message(
    event: Event, project: Project, *, anonymous_id: str, file_names: frozenset[str], metrics: Iterable[Property] = ()
) -> dict[str, Any] | None:
    """An event as a message for a project's sinks; None if it must stay here.

    `file_names` are the files in its make's directory, `metrics` the optional metrics that the notice lists.
    """
    settings = project.settings
    if settings is None or (not settings.file_targets and looks_like_file(event.target, file_names)):
        return None
    metrics = tuple(metrics)
    candidate = message(event, name=settings.event, anonymous_id=anonymous_id, metrics=metrics)
    return None if check(candidate, paths=settings.file_targets, metrics=metrics) else candidate


def drop_unlisted(message: dict[str, Any], metrics: Iterable[Property]) -> dict[str, Any]:
    """A copy of a message without the metrics that a later notice no longer lists. `metrics` are those it does."""
    names = {declaration.name for declaration in (*PROPERTIES, *CHOICE, *metrics)}
    properties = {name: value for name, value in message["properties"].items() if name in names}
    return {**message, "properties": properties}
