"""`make-metrics preview`: the exact bytes that would be sent, and where to; no socket is opened."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shim import consent, identity, tracing
from shim.commands.here import project_at, tell
from shim.commands.reading import read
from shim.errors import UserError
from shim.mode import Mode
from shim.outbox import Outbox
from shim.outgoing import Projects, outgoing, sink_key
from shim.paths import Paths
from shim.settings import NAME, Project
from shim.sinks import SinkSettings, UnavailableError
from shim.sinks.kinds import readable, request_line, sink_of, traced
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
        prepared = sink.prepare([messages[place] for place in batch])
        said = readable(settings.type, prepared.url, prepared.body)
        sys.stdout.write(f"{request_line(prepared.url)}\n{said}")


def _found(store: Store, paths: Paths, project: Project) -> list[_Previewed]:
    outbox = Outbox(store.connection)
    found = []
    for settings in project.sinks:
        waiting = outbox.waiting(project.place, sink_key(settings))
        messages = [json.loads(entry.message) for entry in waiting]
        waits = bool(messages)
        if not waits:
            messages = _examples(store, paths, project)
            messages = tracing.examples(store, messages) if traced(settings.type) else messages
        found.append(_Previewed(messages, waits))
    return found


def _examples(store: Store, paths: Paths, project: Project) -> list[dict[str, Any]]:
    """The project's latest events as messages, oldest first; with an id of zeros where there is none yet."""
    anonymous_id = identity.read(paths, project) or NO_ID
    projects = Projects(paths)
    found: list[dict[str, Any]] = []
    for placed in reversed(store.events()):
        if len(found) == _EXAMPLES:
            break
        if placed.directory and projects.of(placed.directory).directory == Path(project.directory):
            beside = projects.files(placed.directory)
            text = outgoing(placed.event, project, anonymous_id=anonymous_id, beside=beside)
            if text is not None:
                found.append(json.loads(text))
    return found[::-1]
