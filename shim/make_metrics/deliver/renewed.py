"""What waits since a yes to an earlier notice, as the notice of today allows it.

Messages of event version 1 hold the name of every target. The events that they were made from are still in the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from make_metrics.combine.event import COMMAND_LIMIT, VERSION, run_id
from make_metrics.combine.summary import StoredEvent
from make_metrics.dataclass import replace
from make_metrics.deliver.outgoing import as_listed
from make_metrics.deliver.permissions import ProjectCache
from make_metrics.project.project import Project
from make_metrics.project.target_names import OTHER
from make_metrics.properties.property import Property
from make_metrics.store.outbox import Entry
from make_metrics.store.store import Store


def renewed(
    store: Store, projects: ProjectCache, project: Project, waiting: Sequence[Entry], metrics: Iterable[Property]
) -> list[Entry]:
    """Waiting messages without the properties and the names that the present notice does not list, with its labels.

    `metrics` are the optional metrics that it lists.
    """
    metrics = tuple(metrics)
    old = [entry.message_id for entry in waiting if _is_old(entry.message)]
    events = {stored.event.message_id: stored for stored in store.events()} if old else {}
    entries = []
    for entry in waiting:
        message = as_listed(entry.message, project.settings, metrics)
        if _is_old(entry.message):
            message = _of_this_version(message, events.get(entry.message_id), projects, project)
        entries.append(replace(entry, message=message))
    return entries


def _is_old(message: dict[str, Any]) -> bool:
    return bool(message["properties"].get("event_version", VERSION) < VERSION)


def _of_this_version(
    message: dict[str, Any], stored: StoredEvent | None, projects: ProjectCache, project: Project
) -> dict[str, Any]:
    """A message of an earlier version; without its event nothing is known of its run, and no name may be sent."""
    properties = {**message["properties"], "event_version": VERSION}
    if "command" in properties:
        run, command = message["messageId"], OTHER
        if stored is not None:
            run = stored.event.run
            names = projects.target_names(project, stored.make_directory)
            command = names.public(stored.event.target)[:COMMAND_LIMIT]
        properties |= {"command": command, "run_id": run_id(run, message["anonymousId"])}
    return {**message, "properties": properties}
