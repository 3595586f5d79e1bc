"""The collector: computes the metrics of a run's events, each within a boundary of its own.

Those that are built in are computed here, and bound themselves (git is given a second); those of other distributions in
a process each, all at once. A metric that raises, takes too long, or gives what its declaration does not allow has no
value, and a trouble is noted; one that took too long is not asked again in the same sweep.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import top_make
from make_metrics.metrics.child import Child, FailedError, SlowError, request, talk
from make_metrics.metrics.trouble import FAILED, OUTSIDE, SLOW, Trouble
from make_metrics.metrics.worker import START_S, VALUE_S
from make_metrics.processes.keys import boot_id
from make_metrics.properties.facts import RunFacts, TargetFacts
from make_metrics.properties.metric import Metric
from make_metrics.properties.property import Property, Value
from make_metrics.properties.registry import ALWAYS, BUILT_IN

_ALWAYS = tuple(metric.declaration() for metric in ALWAYS)
_KINDS = {"failed": FAILED, "outside": OUTSIDE}
Values = dict[str, Value]  # by the metric's name


@dataclass(frozen=True, slots=True)
class Measured:
    """The events of one make process of a run, what is known of it, and the metrics that they are to have besides."""

    run: RunFacts
    events: Sequence[Event]
    asked: Sequence[Property] = ()


@dataclass(slots=True)
class Collector:
    """Collects for one sweep; `troubles` are those it has met since they were last taken."""

    troubles: list[Trouble] = field(default_factory=list)
    _built_in: dict[str, Metric] = field(default_factory=dict)
    _children: dict[str, Child] = field(default_factory=dict)
    _given_up: set[tuple[str, str]] = field(default_factory=set)

    def __enter__(self) -> Collector:
        """Nothing is started before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes of metrics."""
        for name in list(self._children):
            self._end(name)

    def collect_run(
        self,
        run: Run,
        events: Sequence[Event],
        known: Mapping[str, Values],
        *,
        default_branch: Callable[[str], str],
        asked: Mapping[str, Sequence[Property]],
    ) -> list[Event]:
        """The events of a run with their metrics, see `collect`.

        `default_branch` is asked with a make's directory; `asked` are the metrics that a make's events have besides.
        """
        boot = boot_id()
        found: dict[str, Event] = {}
        for key in dict.fromkeys(event.make for event in events):
            own = [event for event in events if event.make == key]
            make = run.makes.get(key)
            default = default_branch((make if make and make.head else top_make(run)).directory)
            facts = run_facts(run, key, own, default_branch=default, boot=boot)
            found |= {one.message_id: one for one in self.collect(Measured(facts, own, asked.get(key, ())), known)}
        return [found[event.message_id] for event in events]

    def collect(self, measured: Measured, known: Mapping[str, Values]) -> list[Event]:
        """The events with their metrics. `known` are the values that they have already, by message id.

        What was known of a run stays as it was, and so does what cannot be computed any more: nothing is lost when a
        run is combined again.
        """
        found = {event.message_id: dict(known.get(event.message_id, {})) for event in measured.events}
        entries = (*_ALWAYS, *measured.asked)
        earlier = {
            entry.name: next((values[entry.name] for values in found.values() if entry.name in values), None)
            for entry in entries
            if entry.scope == "run"
        }
        told = self._told([entry for entry in entries if earlier.get(entry.name) is None], measured)
        for entry in entries:
            new: Sequence[Value | None] = told.get(entry.name, ())
            if entry.scope == "run":
                new = [earlier[entry.name] if earlier[entry.name] is not None else next(iter(new), None)] * len(found)
            for values, value in zip(found.values(), new or [None] * len(found), strict=True):
                if value is not None:
                    values[entry.name] = value
        return [_with(event, found[event.message_id]) for event in measured.events]

    def _told(self, entries: Sequence[Property], measured: Measured) -> dict[str, list[Value | None]]:
        """What metrics say: one value for a run, one for each event of a target's; nothing of one in trouble."""
        targets = [_facts(measured.run, event) for event in measured.events]
        # What is slow of those that are built in is git, in one work tree.
        bounds = {entry.name: (entry.name, "" if entry.provider else measured.run.repository) for entry in entries}
        asked = [entry for entry in entries if bounds[entry.name] not in self._given_up]
        given = self._of_others([entry for entry in asked if entry.provider], measured.run, targets)
        for entry in asked:
            if not entry.provider:
                given[entry.name] = self._of_ours(entry, measured.run, targets)
        told = {}
        for entry in asked:
            values = given[entry.name]
            if isinstance(values, list) and len(values) == (len(targets) if entry.scope == "target" else 1):
                told[entry.name] = [self._allowed(entry, value) for value in values]
                continue
            self._end(entry.name)
            if isinstance(values, SlowError | subprocess.TimeoutExpired):
                self._given_up.add(bounds[entry.name])
                self._trouble(entry, SLOW, str(values) if entry.provider else "git took more than a second")
            else:
                self._trouble(entry, FAILED, str(values) if isinstance(values, FailedError) else _said(values))
        return told

    def _of_ours(self, entry: Property, run: RunFacts, targets: list[TargetFacts]) -> list[Any] | Exception:
        metric = self._built_in.setdefault(entry.name, BUILT_IN[entry.name]())
        try:
            return [metric.value(one) for one in targets] if entry.scope == "target" else [metric.value(run)]
        except Exception as error:
            return error

    def _of_others(self, entries: Sequence[Property], run: RunFacts, targets: list[TargetFacts]) -> dict[str, Any]:
        """What the processes of metrics say, by name, or an exception: all at once, so that none waits for another."""
        said: dict[str, Any] = {}
        new: dict[str, Child] = {}
        for name in (entry.name for entry in entries if entry.name not in self._children):
            try:
                new[name] = self._children[name] = Child(name)
            except OSError as error:
                said[name] = error
        started = talk(new, "declaration", {}, START_S)
        said |= {name: answer for name, answer in started.items() if isinstance(answer, Exception)}
        requests = {
            entry.name: request(run, targets if entry.scope == "target" else [])
            for entry in entries
            if entry.name not in said
        }
        return said | talk({name: self._children[name] for name in requests}, "values", requests, VALUE_S)

    def _allowed(self, entry: Property, value: object) -> Value | None:
        if isinstance(value, list) and len(value) == 2 and entry.provider:  # see `metrics.worker`
            self._trouble(entry, _KINDS.get(str(value[0]), OUTSIDE), str(value[1]))
        elif isinstance(value, Value) and entry.allows(value):
            return value
        elif value is not None:  # what may not be sent is not written down either
            self._trouble(entry, OUTSIDE, f"not {entry.shape}")
        return None

    def _trouble(self, entry: Property, kind: str, said: str) -> None:
        self.troubles.append(Trouble(entry.name, kind, said))

    def _end(self, name: str) -> None:
        child = self._children.pop(name, None)
        if child is not None:
            child.close()


def _said(answer: object) -> str:
    return f"{type(answer).__name__}: {answer}" if isinstance(answer, Exception) else "its process said nonsense"


def _facts(run: RunFacts, event: Event) -> TargetFacts:
    return TargetFacts(
        run=run,
        target=event.target,
        goal=event.goal,
        start_ns=event.start_wall_ns,
        duration_ms=event.duration_ms,
        exit_status=event.exit_status,
        recipe_ms=event.recipe_ms,
        recipe_lines=event.recipe_lines,
        cpu_us=event.cpu_us,
        peak_kib=event.peak_kib,
    )


def _with(event: Event, values: Values) -> Event:
    """An event with its metrics: those of git have a place of their own in it."""
    master, time = values.pop("git_checked_out_master", None), values.pop("git_commit_time", None)
    return replace(
        event,
        git_checked_out_master=master if isinstance(master, bool) else None,
        git_commit_time=time if isinstance(time, str) else None,
        metrics=values,
    )


def run_facts(run: Run, key: str, events: Sequence[Event], *, default_branch: str, boot: str) -> RunFacts:
    """What is known of the make process `key` of a run. What a make's own header lacks of git, the top make's says.

    `boot` is this machine and its boot (see `processes.keys.boot`).
    """
    make = run.makes.get(key) or top_make(run)
    checked_out = make if make.head else top_make(run)
    return RunFacts(
        goals=make.goals,
        directory=make.directory,
        level=make.level,
        started_ns=min(event.start_wall_ns for event in events),
        ended_ns=max(event.start_wall_ns + event.duration_ms * 1_000_000 for event in events),
        make_version=make.version,
        jobs=None if make.jobs < 0 else make.jobs,
        ci=make.ci,
        repository=checked_out.repository,
        commit=checked_out.head,
        branch=checked_out.branch,
        default_branch=default_branch,
        here=make.boot in ("", boot),
    )
