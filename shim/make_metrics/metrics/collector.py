"""The collector: computes the metrics of a run's events. A metric in trouble affects no other.

Built-in metrics are computed here, and limit themselves (git has a second). Each metric of another distribution has its
own process, and all of these work at once. A metric that raises, takes too long, or returns a forbidden value has no
value, and its trouble is noted. One that took too long is not asked again in the same sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.combine.summary import top_make
from make_metrics.dataclass import dataclass, field, replace
from make_metrics.metrics.trouble import FAILED, OUTSIDE, SLOW, NoProcessError, Trouble
from make_metrics.metrics.worker import START_S, VALUE_S
from make_metrics.processes.keys import boot_id
from make_metrics.properties.facts import RunFacts, TargetFacts
from make_metrics.properties.metric import Metric
from make_metrics.properties.property import Property, Value
from make_metrics.properties.registry import ALWAYS, BUILT_IN

TYPE_CHECKING = False
if TYPE_CHECKING:  # takes a while to load: only another distribution's metric has a process
    from make_metrics.metrics.child import Child

_ALWAYS = tuple(metric.declaration() for metric in ALWAYS)
_KINDS = {"failed": FAILED, "outside": OUTSIDE}  # the words of `metrics.worker`
Values = dict[str, Value]  # by the metric's name


@dataclass(slots=True)
class Collector:
    """Collects metrics for one sweep. `troubles` are those it met; its user may empty the list at any time.

    `_given_up` holds the metrics that took too long. A built-in one is slow because of git, and in one work tree only:
    it is given up for that work tree.
    """

    troubles: list[Trouble] = field(default_factory=list)
    _built_in: dict[str, Metric] = field(default_factory=dict)
    _children: dict[str, Child] = field(default_factory=dict)
    _given_up: set[tuple[str, str]] = field(default_factory=set)

    def __enter__(self) -> Collector:
        """Start no process yet: each starts when its metric is first asked."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes of metrics."""
        for name in list(self._children):
            self._end(name)

    def collect_run(
        self,
        run: Run,
        events: Sequence[Event],
        stored: Mapping[str, Values],
        *,
        default_branch: Callable[[str], str],
        metrics: Mapping[str, Sequence[Property]],
    ) -> list[Event]:
        """The events of a run with their metrics.

        `stored` are the values that the events already have, by message id. `default_branch` returns the default branch
        for a make's directory. `metrics` are the optional metrics for the events of each make, by its key.
        """
        boot = boot_id()
        by_id: dict[str, Event] = {}
        events_by_make: dict[str, list[Event]] = {}
        for event in events:
            events_by_make.setdefault(event.make, []).append(event)
        for key, own_events in events_by_make.items():
            make = run.makes.get(key)
            branch = default_branch((make if make and make.head else top_make(run)).directory)
            facts = run_facts(run, key, own_events, default_branch=branch, boot=boot)
            collected = self.collect(facts, own_events, stored, metrics.get(key, ()))
            by_id |= {event.message_id: event for event in collected}
        return [by_id[event.message_id] for event in events]

    def collect(
        self, run: RunFacts, events: Sequence[Event], stored: Mapping[str, Values], metrics: Sequence[Property] = ()
    ) -> list[Event]:
        """The events of one make process with their metrics: git's, and these optional `metrics`.

        `stored` are the values that the events already have, by message id. A stored value for the run is not computed
        again, and a stored value stays if it cannot be computed again. So combining a run again loses nothing.
        """
        values_of = {event.message_id: dict(stored.get(event.message_id, {})) for event in events}
        declarations = (*_ALWAYS, *metrics)
        run_values: Values = {}
        for name in (declaration.name for declaration in declarations if declaration.scope == "run"):
            for values in values_of.values():
                if name in values:
                    run_values.setdefault(name, values[name])
        columns = self._compute([each for each in declarations if each.name not in run_values], run, events)
        for declaration in declarations:
            name = declaration.name
            column = [run_values[name]] if name in run_values else columns.get(name, [None])
            if len(column) == 1:  # one value for all events
                column = column * len(events)
            for values, value in zip(values_of.values(), column, strict=True):
                if value is not None:
                    values[name] = value
        return [_with_metrics(event, values_of[event.message_id]) for event in events]

    def _compute(
        self, declarations: Sequence[Property], run: RunFacts, events: Sequence[Event]
    ) -> dict[str, list[Value | None]]:
        """The values of metrics, by name: one value for the run, or one for each event. None where a value is missing.

        A metric in trouble is left out.
        """
        targets = [_target_facts(run, event) for event in events]
        keys = {each.name: (each.name, "" if each.provider else run.repository) for each in declarations}
        asked = [each for each in declarations if keys[each.name] not in self._given_up]
        answers = self._ask_children([each for each in asked if each.provider], run, targets)
        answers |= {each.name: self._ask_built_in(each, run, targets) for each in asked if not each.provider}
        columns = {}
        for declaration in asked:
            name, answer = declaration.name, answers[declaration.name]
            if isinstance(answer, list) and len(answer) == (len(targets) if declaration.scope == "target" else 1):
                columns[name] = [self._checked(declaration, value) for value in answer]
                continue
            self._end(name)
            if _is_slow(answer):
                self._given_up.add(keys[name])
                self._note(declaration, SLOW, str(answer) if declaration.provider else "git took more than a second")
            else:
                self._note(declaration, FAILED, _failure_text(answer))
        return columns

    def _ask_built_in(self, declaration: Property, run: RunFacts, targets: list[TargetFacts]) -> list[Any] | Exception:
        """The values of a built-in metric, unchecked, or its exception."""
        metric = self._built_in.setdefault(declaration.name, BUILT_IN[declaration.name]())
        try:
            if declaration.scope == "target":
                return [metric.value(target) for target in targets]
            return [metric.value(run)]
        except Exception as error:
            return error

    def _ask_children(
        self, declarations: Sequence[Property], run: RunFacts, targets: list[TargetFacts]
    ) -> dict[str, Any]:
        """The answers of metrics' processes, unchecked, or their exceptions, by name. None waits for another."""
        if not declarations:
            return {}
        from make_metrics.metrics.child import Child, ask_all, request

        answers: dict[str, Any] = {}
        new: dict[str, Child] = {}
        for name in (declaration.name for declaration in declarations if declaration.name not in self._children):
            try:
                new[name] = self._children[name] = Child(name)
            except NoProcessError:
                raise  # the run waits for somebody who may start one
            except OSError as error:
                answers[name] = error
        started = ask_all(new, "declaration", {}, START_S)
        answers |= {name: answer for name, answer in started.items() if isinstance(answer, Exception)}
        requests = {
            declaration.name: request(run, targets if declaration.scope == "target" else [])
            for declaration in declarations
            if declaration.name not in answers
        }
        return answers | ask_all({name: self._children[name] for name in requests}, "values", requests, VALUE_S)

    def _checked(self, declaration: Property, value: object) -> Value | None:
        """A value if its declaration allows it, else None. Notes the trouble, without a value that may not be sent."""
        if isinstance(value, list) and len(value) == 2 and declaration.provider:  # see `metrics.worker.values`
            self._note(declaration, _KINDS.get(str(value[0]), OUTSIDE), str(value[1]))
        elif isinstance(value, Value) and declaration.allows(value):
            return value
        elif value is not None:
            self._note(declaration, OUTSIDE, f"not {declaration.shape}")
        return None

    def _note(self, declaration: Property, kind: str, text: str) -> None:
        self.troubles.append(Trouble(declaration.name, kind, text))

    def _end(self, name: str) -> None:
        child = self._children.pop(name, None)
        if child is not None:
            child.close()


def _is_slow(answer: object) -> bool:
    import subprocess

    from make_metrics.metrics.child import SlowError

    return isinstance(answer, SlowError | subprocess.TimeoutExpired)


def _failure_text(answer: object) -> str:
    from make_metrics.metrics.child import FailedError

    if isinstance(answer, FailedError):
        return str(answer)
    return f"{type(answer).__name__}: {answer}" if isinstance(answer, Exception) else "its process said nonsense"


def _target_facts(run: RunFacts, event: Event) -> TargetFacts:
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


def _with_metrics(event: Event, values: Values) -> Event:
    """An event with these metrics. Git's are fields of the event."""
    master, time = values.pop("git_checked_out_master", None), values.pop("git_commit_time", None)
    return replace(
        event,
        git_checked_out_master=master if isinstance(master, bool) else None,
        git_commit_time=time if isinstance(time, str) else None,
        metrics=values,
    )


def run_facts(run: Run, key: str, events: Sequence[Event], *, default_branch: str, boot: str) -> RunFacts:
    """The facts of the make process `key` of a run. If its header has no commit, git's facts are the top make's.

    `boot` is this machine and its boot (see `processes.keys.boot_id`).
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
        driver=make.driver,
        repository=checked_out.repository,
        commit=checked_out.head,
        branch=checked_out.branch,
        default_branch=default_branch,
        here=make.boot in ("", boot),
    )
