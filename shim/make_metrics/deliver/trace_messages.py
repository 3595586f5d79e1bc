"""Messages for receivers of traces: the same as for all other sinks, each with its place in its run's trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import top_make
from make_metrics.deliver import trace
from make_metrics.properties.property import Property
from make_metrics.properties.trace import check
from make_metrics.sinks.kinds import takes_traces
from make_metrics.store.outbox import Entry, sink_type
from make_metrics.store.store import Store


def add_traces(
    run: Run, events: Sequence[Event], entries: Sequence[Entry], labels: Mapping[str, Sequence[Property]]
) -> list[Entry]:
    """A run's outbox entries, with traces in those for receivers of traces.

    `events` are all events of the run. `labels` are those of each project, by its path. What may not be sent has the
    reason.
    """
    done: list[Entry] = []
    untraced: dict[tuple[str, str], dict[str, Any]] = {}  # messages by id, for each sink of each project
    for entry in entries:
        if takes_traces(sink_type(entry.sink)):
            untraced.setdefault((entry.sink, entry.project), {})[entry.message_id] = entry.message
        else:
            done.append(entry)
    for (sink, project), messages in untraced.items():
        for message in trace.with_trace(events, messages, inherited=top_make(run).traceparent):
            problems = check(message, labels[project])
            done.append(Entry(sink, project, str(message["messageId"]), message, reason(problems)))
    return done


def reason(problems: Sequence[str]) -> str:
    """Why a message is not sent, by the registry's first problem, empty if there is none: the property's name only."""
    return f"not allowed to be sent: its {problems[0].partition(':')[0]}" if problems else ""


def examples(store: Store, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages of stored events as receivers of traces would get them, for a preview."""
    by_id = {str(message["messageId"]): message for message in messages}
    events_by_run: dict[str, list[Event]] = {}
    for stored in store.events():
        events_by_run.setdefault(stored.event.run, []).append(stored.event)
    traced: list[dict[str, Any]] = []
    for name, events in events_by_run.items():
        own_messages = {event.message_id: by_id[event.message_id] for event in events if event.message_id in by_id}
        run = store.load_run(name).run if own_messages else None
        traced += trace.with_trace(events, own_messages, inherited=top_make(run).traceparent if run else "")
    return traced
