"""`make-metrics preview`: the exact bytes that would be sent, and where to; no socket is opened."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.summary import StoredEvent
from make_metrics.commands.project import project_at, tell, write_request
from make_metrics.commands.reading import combined_store
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import read_id
from make_metrics.consent.mode import Mode
from make_metrics.deliver import trace_messages
from make_metrics.deliver.outgoing import ProjectCache, sendable_message
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.metrics import catalogue
from make_metrics.metrics.collector import Collector
from make_metrics.project.project import Project
from make_metrics.project.settings import NAME
from make_metrics.properties.property import Property
from make_metrics.sinks.kinds import sink_of, takes_traces
from make_metrics.sinks.sink import SinkSettings, UnavailableError
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.store.store import Store

NO_ID = "00000000-0000-4000-8000-000000000000"
_EXAMPLES = 100


@dataclass(frozen=True, slots=True)
class _Previewed:
    """What to show for a sink: messages, and whether they really wait."""

    messages: list[dict[str, Any]]
    waits: bool


def run(given: argparse.Namespace) -> int:
    """Print the requests, address and body on a line each; 0. Raises UserError if nothing can be sent at all."""
    paths = Paths.from_environment()
    project = project_at(given.directory)
    tell(project.problems)
    if not project.sinks:
        raise UserError(f"nothing can be sent from here: this project has no {NAME} that names a sink")
    if project.settings:
        catalogue.refresh(paths, project.settings.metrics)
    with combined_store() as store:
        found = _found(store, paths, project)
    agreed = consent.status_of(paths, project, os.environ).ruling
    if not any(previewed.messages for previewed in found):
        tell(["no events of this project yet: run make, then look again"])
    elif not all(previewed.waits for previewed in found):
        tell(["nothing of this waits to be sent: these are this project's latest events, as they would be sent"])
    if agreed.mode is not Mode.ON:
        tell([f"nothing is sent: {agreed.reason}"])
    for settings, previewed in zip(project.sinks, found, strict=True):
        try:
            _show(settings, previewed.messages)
        except UnavailableError as error:
            tell([f"{settings.address}: {error}"])
    return 0


def _show(settings: SinkSettings, messages: Sequence[dict[str, Any]]) -> None:
    sink = sink_of(settings)
    for batch in sink.batches(messages):
        write_request(settings.type, sink.prepare([messages[place] for place in batch]))


def _found(store: Store, paths: Paths, project: Project) -> list[_Previewed]:
    outbox = Outbox(store.connection)
    found = []
    examples: list[dict[str, Any]] | None = None
    for settings in project.sinks:
        waiting = outbox.waiting(project.path, sink_id(settings))
        messages = [entry.message for entry in waiting]
        if not waiting:
            examples = _examples(store, paths, project) if examples is None else examples
            messages = trace_messages.examples(store, examples) if takes_traces(settings.type) else examples
        found.append(_Previewed(messages, bool(waiting)))
    return found


def _examples(store: Store, paths: Paths, project: Project) -> list[dict[str, Any]]:
    """The project's latest events as messages, oldest first; with an id of zeros where there is none yet."""
    anonymous_id = read_id(paths, project) or NO_ID
    projects = ProjectCache(paths)
    metrics = projects.metrics(project)
    latest: list[StoredEvent] = []
    for stored in reversed(store.events()):
        if len(latest) == _EXAMPLES:
            break
        if stored.make_directory and projects.project_of(stored.make_directory).path == project.path:
            file_names = projects.file_names(stored.make_directory)
            if sendable_message(stored.event, project, anonymous_id=anonymous_id, file_names=file_names) is not None:
                latest.append(stored)
    messages = [
        sendable_message(event, project, anonymous_id=anonymous_id, file_names=frozenset(), metrics=metrics)
        for event in _measured(store, projects, latest[::-1], metrics)
    ]
    return [message for message in messages if message is not None]


def _measured(
    store: Store, projects: ProjectCache, latest: Sequence[StoredEvent], metrics: Sequence[Property]
) -> Iterator[Event]:
    """Events with the metrics that they would have had with a yes: computed now, to be shown, and not kept."""
    with Collector() as collector:
        for name in dict.fromkeys(one.event.run for one in latest):
            events = [one.event for one in latest if one.event.run == name]
            run = store.load_run(name).run
            if run and metrics:
                asked = dict.fromkeys(run.makes, metrics)
                events = collector.collect_run(
                    run, events, store.metrics(name), default_branch=projects.default_branch, asked=asked
                )
            yield from events
        tell(dict.fromkeys(f"the metric {one.metric} {one.kind}: {one.said}" for one in collector.troubles))
