"""The messages of receivers of traces: those that go to everybody, each with its place in the trace of its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import top
from make_metrics.deliver import trace
from make_metrics.properties.trace import check
from make_metrics.sinks.kinds import takes_traces
from make_metrics.store.outbox import Entry
from make_metrics.store.store import Store


def with_traces(run: Run, events: Sequence[Event], entries: Sequence[Entry]) -> list[Entry]:
    """A run's entries for the outbox, with those for receivers of traces as these are to have them."""
    found: list[Entry] = []
    placed: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        if takes_traces(entry.sink.partition(" ")[0]):
            placed.setdefault((entry.sink, entry.project), {})[entry.message_id] = entry.message
        else:
            found.append(entry)
    for (sink, project), made in placed.items():
        for message in trace.traced(events, made, joins=top(run).traceparent):
            if not check(message):
                found.append(Entry(sink, project, str(message["messageId"]), message))
    return found


def examples(store: Store, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages of events in the store, to be shown, as receivers of traces would have them."""
    wanted = {str(message["messageId"]): message for message in messages}
    runs: dict[str, list[Event]] = {}
    for placed in store.events():
        runs.setdefault(placed.event.run, []).append(placed.event)
    found: list[dict[str, Any]] = []
    for name, events in runs.items():
        made = {event.message_id: wanted[event.message_id] for event in events if event.message_id in wanted}
        run = store.kept(name).run if made else None
        found += trace.traced(events, made, joins=top(run).traceparent if run else "")
    return found
