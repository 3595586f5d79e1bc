"""Which events of a run may go out, and as what: what the outbox is given when a run is combined.

Only of a make whose environment allowed it, in a project with a yes to the notice as it is now, of a run whose first
line was recorded after that yes; and only messages that the registry allows. Everything else stays on this machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.record import Make
from make_metrics.combine.run import Run
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import read_id
from make_metrics.consent.mode import Mode
from make_metrics.deliver import trace_messages
from make_metrics.deliver.message import is_file, message
from make_metrics.files.paths import Paths
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project, project_of
from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, PROPERTIES, check
from make_metrics.sinks.sink import SinkSettings
from make_metrics.store.outbox import Entry


def sink_key(sink: SinkSettings) -> str:
    """What a sink is called in the store: its type and host, and a hash of its key and whatever else it has."""
    rest = "".join(f"\n{name}={value!r}" for name, value in sink.more)
    return f"{sink.type} {sink.host} {hashlib.sha256(f'{sink.key}{rest}'.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Agreed:
    """A make whose events may go out: its project, the person's id there, and the metrics they agreed to besides."""

    project: Project
    directory: str
    anonymous_id: str
    metrics: tuple[Property, ...]


class Projects:
    """What is known of the projects of directories, each looked up once: for the time of one sweep."""

    def __init__(self, paths: Paths) -> None:
        """Look projects up for the user with these paths."""
        self._paths = paths
        self._projects: dict[str, Project] = {}
        self._known: dict[Path, consent.Known] = {}
        self._files: dict[str, frozenset[str]] = {}

    def of(self, directory: str) -> Project:
        """The project of a make's directory; one without settings for an empty directory."""
        if directory not in self._projects:
            self._projects[directory] = project_of(Path(directory)) if directory else Project(Path("/"))
        return self._projects[directory]

    def known(self, project: Project) -> consent.Known:
        """What was decided about a project. What the environment says is the make's business, not the sweep's."""
        if project.directory not in self._known:
            self._known[project.directory] = consent.known(self._paths, project, {})
        return self._known[project.directory]

    def stands(self, to: Agreed) -> bool:
        """Whether the decision and the id that an agreement rests on are still the same; if not, they are forgotten."""
        before = self._known.pop(to.project.directory, None)
        return self.known(to.project) == before and self.anonymous_id(to.project) == to.anonymous_id

    def metrics(self, project: Project) -> tuple[Property, ...]:
        """What a project's notice lists, besides what every event has."""
        return catalogue.asked(self._paths, project.settings.metrics) if project.settings else ()

    def default_branch(self, directory: str) -> str:
        """What a directory's project calls its default branch; empty if it does not say."""
        settings = self.of(directory).settings
        return settings.default_branch if settings else ""

    def anonymous_id(self, project: Project) -> str | None:
        """A project's pseudonymous id, None if there is none."""
        return read_id(self._paths, project)

    def files(self, directory: str) -> frozenset[str]:
        """The names of the files in a make's directory."""
        if directory not in self._files:
            self._files[directory] = frozenset()
            with contextlib.suppress(OSError), os.scandir(directory) as entries:
                self._files[directory] = frozenset(entry.name for entry in entries if entry.is_file())
        return self._files[directory]


def agreed(projects: Projects, run: Run) -> dict[str, Agreed]:
    """The make processes of a run whose events may go out, by their key."""
    began_ns = min((work.wall_ns for work in run.work.values()), default=0)
    found = {}
    for key, make in run.makes.items():
        if _allowed(run, make):
            project = projects.of(make.directory)
            anonymous_id = _id(projects, project, began_ns)
            if anonymous_id:
                found[key] = Agreed(project, make.directory, anonymous_id, projects.metrics(project))
    return found


def entries(projects: Projects, run: Run, events: Iterable[Event], going: Mapping[str, Agreed]) -> list[Entry]:
    """The messages of a run's events for the sinks of their projects, where they were `agreed` to."""
    events = list(events)
    found: list[Entry] = []
    for event in events:
        to = going.get(event.make)
        if to is None:
            continue
        beside = projects.files(to.directory)
        made = outgoing(event, to.project, anonymous_id=to.anonymous_id, beside=beside, metrics=to.metrics)
        if made is not None:
            found += [Entry(sink_key(sink), to.project.path, event.message_id, made) for sink in to.project.sinks]
    return trace_messages.with_traces(run, events, found)


def _allowed(run: Run, make: Make) -> bool:
    """Whether the environment of a make, and of all makes above it, allowed everything; not if that is not known."""
    seen = set()
    above: Make | None = make
    while above is not None and above.key not in seen:
        if above.ceiling != Mode.ON.word:
            return False
        if not above.parent:
            return True
        seen.add(above.key)
        above = run.makes.get(above.parent)
    return False


def _id(projects: Projects, project: Project, began_ns: int) -> str | None:
    """The person's id in a project, None where they have not agreed, or only after the run began."""
    if not project.sinks:
        return None
    known = projects.known(project)
    if known.ruling.mode is not Mode.ON or known.record is None or began_ns < known.record.decided_ns:
        return None
    return projects.anonymous_id(project)


def outgoing(
    event: Event, project: Project, *, anonymous_id: str, beside: frozenset[str], metrics: Iterable[Property] = ()
) -> dict[str, Any] | None:
    """An event as a message for a project's sinks; None if it is kept here.

    `beside` names the files beside its makefile, `metrics` are those that its notice lists besides.
    """
    settings = project.settings
    if settings is None or (not settings.file_targets and is_file(event.target, beside)):
        return None
    metrics = tuple(metrics)
    made = message(event, name=settings.event, anonymous_id=anonymous_id, metrics=metrics)
    return None if check(made, paths=settings.file_targets, metrics=metrics) else made


def narrowed(message: dict[str, Any], metrics: Iterable[Property]) -> dict[str, Any]:
    """A message that waits, without the metrics that a later notice does not list any more."""
    listed = {entry.name for entry in (*PROPERTIES, *CHOICE, *metrics)}
    kept = {name: value for name, value in message["properties"].items() if name in listed}
    return {**message, "properties": kept}
