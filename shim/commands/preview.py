"""`make-metrics preview`: the exact bytes that would be sent, and where to; no socket is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shim import consent, identity
from shim.commands.here import project_at, tell, write_request
from shim.commands.reading import read
from shim.errors import UserError
from shim.event import Event
from shim.history import Placed, top
from shim.metrics import catalogue
from shim.metrics.collector import Collector
from shim.mode import Mode
from shim.outbox import Outbox
from shim.outgoing import Projects, outgoing, sink_key, with_traces
from shim.paths import Paths
from shim.property import Property
from shim.settings import NAME, Project
from shim.sinks import SinkSettings, UnavailableError
from shim.sinks.kinds import sink_of, traced
from shim.store import Store

NO_ID = "00000000-0000-4000-8000-000000000000"
_EXAMPLES = 100


@dataclass(frozen=True, slots=True)
class _Previewed:
    """What to show for a sink: messages, and whether they really wait."""

    messages: list[dict[str, Any]]
    waits: bool


def run(*, directory: str | None) -> int:
    """Print the requests, address and body on a line each; 0. Raises UserError if nothing can be sent at all."""
    paths = Paths.from_environment()
    project = project_at(directory)
    tell(project.problems)
    if not project.sinks:
        raise UserError(f"nothing can be sent from here: this project has no {NAME} that names a sink")
    if project.settings:
        catalogue.refresh(paths, project.settings.metrics)
    found = read(lambda store: _found(store, paths, project))
    agreed = consent.known(paths, project, os.environ).ruling
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
    waiting = [
        [json.loads(entry.message) for entry in outbox.waiting(project.place, sink_key(settings))]
        for settings in project.sinks
    ]
    examples = None if all(waiting) else _Examples(store, paths, project)
    return [
        _Previewed(messages, waits=True)
        if examples is None or messages
        else _Previewed(examples.messages(traces=traced(settings)), waits=False)
        for settings, messages in zip(project.sinks, waiting, strict=True)
    ]


class _Examples:
    """The project's latest events as messages, oldest first; with an id of zeros where there is none yet."""

    def __init__(self, store: Store, paths: Paths, project: Project) -> None:
        """Find the events, and compute the metrics that they would have had with a yes: to be shown, not kept."""
        self._store, self._project = store, project
        self._anonymous_id = identity.read(paths, project) or NO_ID
        projects = Projects(paths)
        self._metrics = projects.metrics(project)
        latest, going = self._latest(projects)
        self._events = list(_measured(store, projects, latest, self._metrics))
        self._made = {
            event.message_id: text
            for event in self._events
            if event.message_id in going
            if (text := self._outgoing(event, frozenset(), self._metrics)) is not None
        }

    def messages(self, *, traces: bool) -> list[dict[str, Any]]:
        """The messages, as receivers of traces or others are given them."""
        made = self._with_traces() if traces else self._made
        return [json.loads(text) for text in made.values()]

    def _latest(self, projects: Projects) -> tuple[list[Placed], set[str]]:
        """The latest events of runs of which any may go out, and the ids of those that may."""
        seen: list[Placed] = []
        going: set[str] = set()
        runs: set[str] = set()
        for placed in reversed(self._store.events()):
            if len(going) == _EXAMPLES:
                break
            if placed.directory and projects.of(placed.directory).place == self._project.place:
                seen.append(placed)
                if self._outgoing(placed.event, projects.files(placed.directory)) is not None:
                    going.add(placed.event.message_id)
                    runs.add(placed.event.run)
        return [placed for placed in reversed(seen) if placed.event.run in runs], going

    def _outgoing(self, event: Event, beside: frozenset[str], metrics: Sequence[Property] = ()) -> str | None:
        return outgoing(event, self._project, anonymous_id=self._anonymous_id, beside=beside, metrics=metrics)

    def _with_traces(self) -> Mapping[str, str]:
        """The messages as a receiver of traces is given them, run by run."""
        found: dict[str, str] = {}
        for name in dict.fromkeys(event.run for event in self._events):
            own = [event for event in self._events if event.run == name]
            made = {event.message_id: self._made[event.message_id] for event in own if event.message_id in self._made}
            run = self._store.kept(name).run
            found |= with_traces(
                own,
                made,
                self._project,
                anonymous_id=self._anonymous_id,
                joins=top(run).traceparent if run else "",
                metrics=self._metrics,
            )
        return found


def _measured(
    store: Store, projects: Projects, latest: Sequence[Placed], metrics: Sequence[Property]
) -> Iterator[Event]:
    """Events with the metrics that they would have had with a yes: computed now, to be shown, and not kept."""
    with Collector() as collector:
        for name in dict.fromkeys(one.event.run for one in latest):
            events = [one.event for one in latest if one.event.run == name]
            run = store.kept(name).run
            if run and metrics:
                asked = dict.fromkeys(run.makes, metrics)
                events = collector.collect_run(
                    run, events, store.metrics(name), default_branch=projects.default_branch, asked=asked
                )
            yield from events
        tell(dict.fromkeys(f"the metric {one.metric} {one.kind}: {one.said}" for one in collector.troubles))
