"""The messages of a run's events for the outbox.

An event becomes a message only if its make has a permission (see `deliver.permissions`), and if the registry allows the
message. Every other event stays on this machine, and so does every name of a target that the project's makefiles do not
spell (see `project.target_names`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.dataclass import replace
from make_metrics.deliver import trace_messages
from make_metrics.deliver.message import looks_like_file, message
from make_metrics.deliver.permissions import Permission, ProjectCache
from make_metrics.deliver.trace import sent_ancestor
from make_metrics.deliver.trace_messages import reason
from make_metrics.project.project import Project
from make_metrics.project.settings import Settings
from make_metrics.project.target_names import TargetNames
from make_metrics.properties.is_test import marker
from make_metrics.properties.labels import labels
from make_metrics.properties.labels import values as label_values
from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, PROPERTIES, check
from make_metrics.store.outbox import Entry, sink_id


def entries(
    projects: ProjectCache, run: Run, events: Iterable[Event], permitted: Mapping[str, Permission]
) -> list[Entry]:
    """The outbox entries of a run's events: one for each sink of the project, where there is a permission.

    What the registry does not allow is among them, with the reason.
    """
    events = list(events)
    refused: list[Entry] = []
    # A run may have a hundred thousand names, and is written in many slices.
    typed = typed_names(run) if any(_foreign(each.metrics) for each in permitted.values()) else frozenset[str]()
    by_project: dict[Project, dict[str, dict[str, Any]]] = {}
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
            names=projects.target_names(project, permission.directory, permission.makefiles),
            metrics=permission.metrics,
            typed=typed,
            refused=partial(_note_refusal, refused, project),
        )
        if sendable is not None:
            by_project.setdefault(project, {})[event.message_id] = sendable
    untraced = [
        Entry(sink_id(sink), project.path, name, sendable)
        for project, messages in by_project.items()
        for name, sendable in with_parents(events, messages).items()
        for sink in project.sinks
    ]
    labels_by_project = {project.path: labels(project.settings) for project in by_project}
    return refused + trace_messages.add_traces(run, events, untraced, labels_by_project)


def _note_refusal(refused: list[Entry], project: Project, message: dict[str, Any], problems: Sequence[str]) -> None:
    name, why = str(message["messageId"]), reason(problems)
    refused += [Entry(sink_id(sink), project.path, name, message, why) for sink in project.sinks]


def typed_names(run: Run) -> frozenset[str]:
    """All names of targets in a run: any of them may be one that a person typed."""
    return frozenset({target for _, target in run.work} | {goal for make in run.makes.values() for goal in make.goals})


def sendable_message(
    event: Event,
    project: Project,
    *,
    anonymous_id: str,
    file_names: frozenset[str],
    names: TargetNames,
    metrics: Iterable[Property] = (),
    typed: Iterable[str] = (),
    refused: Callable[[dict[str, Any], Sequence[str]], object] = lambda *_: None,
) -> dict[str, Any] | None:
    """An event as a message for a project's sinks, without its parent; None if it must stay here.

    `file_names` are the files in its make's directory, `names` those that its makefiles spell, `metrics` the optional
    metrics that the notice lists. `typed` are other names of targets in its run: the text of no metric may hold one
    that the makefiles do not spell. `refused` is told of a message that the registry does not allow, and why.
    """
    settings = project.settings
    if settings is None or (not settings.file_targets and looks_like_file(event.target, file_names)):
        return None
    metrics = tuple(metrics)
    foreign = _foreign(metrics)
    # Only then: a run may have a hundred thousand names, and this is asked for each event.
    private = {name for name in {event.target, *typed} if names.public(name) != name} if foreign else frozenset[str]()
    kept = {
        name: value
        for name, value in event.metrics.items()
        if name not in foreign or not any(_holds(str(value), each) for each in private)
    }
    public = replace(
        event, target=names.public(event.target), parent_id="", metrics=kept, is_test=marker(event.is_test)
    )
    candidate = message(public, name=settings.event, anonymous_id=anonymous_id, metrics=metrics)
    candidate["properties"] |= label_values(settings)
    if problems := check(candidate, paths=settings.file_targets, metrics=metrics, labels=labels(settings)):
        refused(candidate, problems)
        return None
    return candidate


def _foreign(metrics: Iterable[Property]) -> set[str]:
    """The names of the metrics whose text may hold anything: those of plug-ins."""
    return {declaration.name for declaration in metrics if declaration.provider and declaration.pattern}


def _holds(text: str, name: str) -> bool:
    """Whether a text holds a name; a very short name must be the whole text, since most texts hold it by chance."""
    return name in text if len(name) > 2 else name == text


def with_parents(events: Sequence[Event], messages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """A project's messages of one run, by id, each with the nearest target above its make that is sent to it too.

    `events` are all events of the run. The id of an event of another project would tell its receiver what ran there.
    """
    above = {event.message_id: event.parent_id for event in events}
    linked = {}
    for name, each in messages.items():
        parent = sent_ancestor(name, above, messages)
        properties = {**each["properties"], **({"parent_id": parent} if parent else {})}
        linked[name] = {**each, "properties": properties}
    return linked


def as_listed(message: dict[str, Any], settings: Settings | None, metrics: Iterable[Property]) -> dict[str, Any]:
    """A copy of a message without the metrics that a later notice no longer lists, and with the labels that it lists.

    `settings` are the project's, `metrics` the metrics that the notice lists.
    """
    names = {declaration.name for declaration in (*PROPERTIES, *CHOICE, *metrics)}
    properties = {name: value for name, value in message["properties"].items() if name in names}
    return {**message, "properties": properties | label_values(settings)}
