"""`make-metrics preview`: print the exact bytes that would be sent, and where to; no connection is opened."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
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
from make_metrics.dataclass import dataclass, replace
from make_metrics.deliver import trace_messages
from make_metrics.deliver.outgoing import sendable_message, typed_names, with_parents
from make_metrics.deliver.permissions import ProjectCache
from make_metrics.deliver.renewed import renewed
from make_metrics.deliver.waiting import count_waiting, pages
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.metrics import catalogue
from make_metrics.metrics.collector import Collector
from make_metrics.project.project import Project
from make_metrics.project.settings import NAME
from make_metrics.properties.property import Property
from make_metrics.sinks.apart.making import sink_of
from make_metrics.sinks.kinds import readable, takes_traces
from make_metrics.sinks.sink import Prepared, SinkSettings, UnavailableError
from make_metrics.store.outbox import sink_id
from make_metrics.store.store import Store

NO_ID = "00000000-0000-4000-8000-000000000000"
_EXAMPLES = 100
VERSION = 1  # of each object: changes if a field changes its meaning or goes away
_RUNS = 30


@dataclass(frozen=True, slots=True)
class _Preview:
    """What to show for a sink: its messages, some at a time while the store is open, and whether they wait to be sent.

    If not, they are examples. `is_empty` says that there are neither.
    """

    sink: SinkSettings
    pages: Iterable[list[dict[str, Any]]]
    waits: bool
    is_empty: bool = False


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
        if all(preview.is_empty for preview in previews):
            warn(["no events of this project yet: run make, then look again"])
        elif examples := [preview.sink.address for preview in previews if not preview.waits]:
            addresses = ", ".join(examples)
            warn([f"nothing waits for {addresses}: this shows the project's latest events as they would be sent"])
        warn(clear_text(sink.host for sink in project.sinks))
        if ruling.mode is not Mode.ON:
            warn([f"nothing is sent: {ruling.reason}"])
        if given.json:
            _write_documents(document for preview in previews for _, _, document in _requests(preview))
        else:
            for preview in previews:
                for kind, request, _ in _requests(preview):
                    write_request(kind, request)
    return 0


def _requests(preview: _Preview) -> Iterator[tuple[str, Prepared, dict[str, object]]]:
    """The requests to a sink: its type, the request, and the same for a JSON document in the words of `sent --json`."""
    kind = preview.sink.type
    try:
        sink = sink_of(preview.sink)
        for messages in preview.pages:
            for batch in sink.batches(messages):
                request = sink.prepare([messages[index] for index in batch])
                body = readable(kind, request.url, request.body)
                document = {"version": VERSION, "address": request.url, "sink": kind, "events": len(batch)}
                yield kind, request, {**document, "waits": preview.waits, "body": body}
    except UnavailableError as error:
        warn([f"{preview.sink.address}: {error}"])


def _write_documents(documents: Iterable[dict[str, object]]) -> None:
    """Write a JSON array as `json.dumps(..., indent=2)` does, one document in memory at a time."""
    before = "[\n"
    for document in documents:
        sys.stdout.write(before + textwrap.indent(json.dumps(document, indent=2), "  "))
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def _previews(store: Store, paths: Paths, project: Project) -> list[_Preview]:
    projects = ProjectCache(paths)
    metrics = projects.metrics(project)
    previews = []
    examples: list[dict[str, Any]] | None = None
    for settings in project.sinks:
        key = sink_id(settings)
        if count_waiting(store.connection, project.path, key):
            waiting = (
                [entry.message for entry in renewed(store, projects, project, page, metrics)]
                for page in pages(store.connection, project.path, key)
            )
            previews.append(_Preview(settings, waiting, waits=True))
            continue
        if examples is None:
            examples = _examples(store, projects, project, read_id(paths, project) or NO_ID)
        messages = trace_messages.examples(store, examples) if takes_traces(settings.type) else examples
        previews.append(_Preview(settings, [messages], waits=False, is_empty=not messages))
    return previews


def _examples(store: Store, projects: ProjectCache, project: Project, anonymous_id: str) -> list[dict[str, Any]]:
    """The project's latest events as messages, oldest first."""
    metrics = projects.metrics(project)
    latest: list[StoredEvent] = []
    all_events = _events_of_latest_runs(store)
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


def _events_of_latest_runs(store: Store) -> list[StoredEvent]:
    """The events of the latest runs, oldest first: of some, or of all if there are not enough events for examples."""
    for newest in (_RUNS, _RUNS**2):
        runs = store.runs(newest=newest)
        events = store.events(since_ns=min((run.started_ns for run in runs), default=0))
        if len(events) >= _EXAMPLES * _RUNS or len(runs) < newest:
            return events
    return store.events()


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
