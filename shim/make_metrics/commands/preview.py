"""`make-metrics preview`: print the exact bytes that would be sent, and where to; no connection is opened."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import StoredEvent
from make_metrics.commands.project import project_at, write_request
from make_metrics.commands.reading import combined_store
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import read_id
from make_metrics.consent.mode import Mode
from make_metrics.consent.notice import clear_text
from make_metrics.deliver import trace_messages
from make_metrics.deliver.outgoing import sendable_message, typed_names, with_parents
from make_metrics.deliver.permissions import ProjectCache
from make_metrics.deliver.renewed import renewed
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.metrics import catalogue
from make_metrics.metrics.collector import Collector
from make_metrics.project.project import Project
from make_metrics.project.settings import NAME
from make_metrics.properties.property import Property
from make_metrics.sinks.kinds import readable, sink_of, takes_traces
from make_metrics.sinks.sink import SinkSettings, UnavailableError
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.store.store import Store

NO_ID = "00000000-0000-4000-8000-000000000000"
_EXAMPLES = 100


@dataclass(frozen=True, slots=True)
class _Preview:
    """What to show for a sink: its messages, and whether they wait to be sent; if not, they are examples."""

    sink: SinkSettings
    messages: list[dict[str, Any]]
    waits: bool


def run(given: argparse.Namespace) -> int:
    """Print each request, its address and its body on a line each, or all as JSON; 0.

    Raises UserError if the project has no sink.
    """
    paths = Paths.from_environment()
    project = project_at(given.directory)
    warn(project.problems)
    if not project.sinks:
        raise UserError(f"nothing can be sent from here: this project has no {NAME} that names a sink")
    if project.settings:
        catalogue.refresh(paths, project.settings.metrics)
    with combined_store() as store:
        previews = _previews(store, paths, project)
    ruling = consent.status_of(paths, project, os.environ).ruling
    if not any(preview.messages for preview in previews):
        warn(["no events of this project yet: run make, then look again"])
    elif examples := [preview.sink.address for preview in previews if not preview.waits]:
        addresses = ", ".join(examples)
        warn([f"nothing waits for {addresses}: this shows the project's latest events as they would be sent"])
    warn(clear_text(sink.host for sink in project.sinks))
    if ruling.mode is not Mode.ON:
        warn([f"nothing is sent: {ruling.reason}"])
    requests: list[dict[str, object]] = []
    for preview in previews:
        try:
            requests += _show(preview, as_text=not given.json)
        except UnavailableError as error:
            warn([f"{preview.sink.address}: {error}"])
    if given.json:
        sys.stdout.write(json.dumps(requests, indent=2) + "\n")
    return 0


def _show(preview: _Preview, *, as_text: bool) -> list[dict[str, object]]:
    """The requests to a sink, each for a JSON document in the words of `sent --json`; printed if asked for text."""
    kind, sink = preview.sink.type, sink_of(preview.sink)
    requests: list[dict[str, object]] = []
    for batch in sink.batches(preview.messages):
        request = sink.prepare([preview.messages[index] for index in batch])
        if as_text:
            write_request(kind, request)
        body = readable(kind, request.url, request.body)
        requests.append(
            {"address": request.url, "sink": kind, "events": len(batch), "waits": preview.waits, "body": body}
        )
    return requests


def _previews(store: Store, paths: Paths, project: Project) -> list[_Preview]:
    outbox = Outbox(store.connection)
    projects = ProjectCache(paths)
    metrics = projects.metrics(project)
    previews = []
    examples: list[dict[str, Any]] | None = None
    for settings in project.sinks:
        waiting = outbox.waiting(project.path, sink_id(settings))
        messages = [entry.message for entry in renewed(store, projects, project, waiting, metrics)]
        waits = bool(messages)
        if not waits:
            if examples is None:
                examples = _examples(store, projects, project, read_id(paths, project) or NO_ID)
            messages = trace_messages.examples(store, examples) if takes_traces(settings.type) else examples
        previews.append(_Preview(settings, messages, waits))
    return previews


def _examples(store: Store, projects: ProjectCache, project: Project, anonymous_id: str) -> list[dict[str, Any]]:
    """The project's latest events as messages, oldest first."""
    metrics = projects.metrics(project)
    latest: list[StoredEvent] = []
    all_events = store.events()
    for stored in reversed(all_events):
        if len(latest) == _EXAMPLES:
            break
        if (
            stored.make_directory
            and projects.project_of(stored.make_directory).path == project.path
            and _message(projects, project, stored, (), None, anonymous_id) is not None
        ):
            latest.append(stored)
    by_id = {stored.event.message_id: stored for stored in latest}
    runs = {run: store.load_run(run).run for run in {stored.event.run for stored in latest}}
    messages = {}
    for event in _with_metrics(store, projects, latest[::-1], metrics):
        stored = replace(by_id[event.message_id], event=event)
        if message := _message(projects, project, stored, metrics, runs[event.run], anonymous_id):
            messages[event.message_id] = message
    return [*with_parents([stored.event for stored in all_events], messages).values()]


def _message(
    projects: ProjectCache,
    project: Project,
    stored: StoredEvent,
    metrics: Sequence[Property],
    run: Run | None,
    anonymous_id: str,
) -> dict[str, Any] | None:
    """A stored event as a message; None if it would stay here. `run` is None if it need not be known."""
    event = stored.event
    make = run.makes.get(event.make) if run else None
    return sendable_message(
        event,
        project,
        anonymous_id=anonymous_id,
        file_names=projects.file_names(stored.make_directory),
        names=projects.target_names(project, stored.make_directory, make.makefiles if make else ()),
        metrics=metrics,
        typed=typed_names(run) if run else (),
    )


def _with_metrics(
    store: Store, projects: ProjectCache, latest: Sequence[StoredEvent], metrics: Sequence[Property]
) -> Iterator[Event]:
    """Events with the metrics that a yes would have added: computed now, and not stored."""
    with Collector() as collector:
        for run_id in dict.fromkeys(stored.event.run for stored in latest):
            events = [stored.event for stored in latest if stored.event.run == run_id]
            run = store.load_run(run_id).run
            if run and metrics:
                asked = dict.fromkeys(run.makes, metrics)
                events = collector.collect_run(
                    run, events, store.metrics(run_id), default_branch=projects.default_branch, metrics=asked
                )
            yield from events
        warn(
            dict.fromkeys(
                f"the metric {trouble.metric} {trouble.kind}: {trouble.said}" for trouble in collector.troubles
            )
        )
