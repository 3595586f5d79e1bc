"""A run and its events as rows of the store's tables, and rows as events. The tables say what each column means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from make_metrics.combine.event import Event, message_id
from make_metrics.combine.record import Make
from make_metrics.combine.run import Run, Work, without_dot
from make_metrics.properties.property import Value
from make_metrics.store.compact.texts import Texts

Values = dict[str, Value | None]
Row = tuple[Any, ...]
_GIT = ("git_checked_out_master", "git_commit_time")

MAKE_COLUMNS = ("build", "number", "key", "parent", "parent_target", "parent_id", "level", "directory", "goals",
                "make_version", "jobs", "parallel", "is_test", "start_us", "metrics")  # fmt: skip
TARGET_COLUMNS = ("build", "make", "name", "start_us", "span_us", "idle_us", "exit_status", "lines", "cpu_us",
                  "peak_kib", "goal", "lead_us", "whole_ms", "prerequisites", "newer", "metrics")  # fmt: skip
LINE_COLUMNS = ("build", "make", "name", "number", "start_us", "duration_us", "exit_status", "cpu_us",
                "peak_kib")  # fmt: skip


class Writer:
    """Makes the rows of one run. `numbers` are those of the makes that the store already has, by key."""

    def __init__(
        self, texts: Texts, run: str, build: int, started_ns: int, *, numbers: Mapping[str, int],
        metrics: Mapping[int, str],
    ) -> None:  # fmt: skip
        """`metrics` are the columns of those makes."""
        self._texts = texts
        self._run = run
        self._build = build
        self._started_us = started_ns // 1000
        self._common = {number: load_values(column) for number, column in metrics.items()}
        self.numbers = dict(numbers)

    def makes(self, run: Run, events: Sequence[Event], *, parent_ids: Mapping[str, str] | None = None) -> list[Row]:
        """The rows of the makes that the store lacks; needed before those of their targets.

        `parent_ids` are those that cannot be computed, by the make's key.
        """
        by_make: dict[str, list[Event]] = {}
        for event in events:
            by_make.setdefault(event.make, []).append(event)
        makes = dict(run.makes)
        for key, own_events in by_make.items():
            first = own_events[0]
            makes.setdefault(key, Make(key=key, level=first.make_level, parallel=first.parallel, is_test=first.is_test))
        makes.setdefault(run.id, Make(key=run.id))
        for make in list(makes.values()):
            if make.parent:
                makes.setdefault(make.parent, Make(key=make.parent, level=max(make.level - 1, 0)))
        new = [make for make in makes.values() if make.key not in self.numbers]
        for make in sorted(new, key=lambda make: (make.key != run.id, make.level, make.wall_ns, make.key)):
            self.numbers[make.key] = len(self.numbers)
        rows = []
        for make in new:
            number = self.numbers[make.key]
            self._common[number] = _common(by_make.get(make.key, ()))
            rows.append(self._make_row(make, number, (parent_ids or {}).get(make.key)))
        return rows

    def _make_row(self, make: Make, number: int, parent_id: str | None) -> Row:
        texts = self._texts
        if not parent_id and make.parent_target and not make.parent:
            parent_id = message_id(self._run, "", without_dot(make.parent_target))
        return (
            self._build,
            number,
            make.key,
            self.numbers.get(make.parent),
            texts.number(without_dot(make.parent_target)),
            parent_id,
            make.level,
            texts.number(make.directory),
            texts.number(json.dumps(make.goals) if make.goals else ""),
            texts.number(make.version),
            make.jobs,
            int(make.parallel),
            texts.number(make.is_test),
            make.wall_ns // 1000 - self._started_us if make.wall_ns else None,
            dump_values(self._common[number]),
        )

    def targets(self, run: Run, events: Iterable[Event]) -> tuple[list[Row], list[Row]]:
        """The rows of the events' targets, and those of their recipe lines."""
        offset_ns = _offset_ns(run)
        rows, lines = [], []
        for event in events:
            make, name = self.numbers[event.make], self._texts.number(event.target)
            work = run.work.get((event.make, event.target))
            needs = self._needs_of(run, event)
            rows.append(self._target_row(event, make, name, work, needs, offset_ns))
            if work is not None:
                own_status = work.lines == 1 and work.final.status != event.exit_status
                lines += [
                    (self._build, make, name, at, (piece.start_ns - work.start_ns) // 1000,
                     (piece.end_ns - piece.start_ns) // 1000, *piece[2:])
                    for at, piece in enumerate(work.pieces, 1) if work.lines > 1 or own_status
                ]  # fmt: skip
        return rows, lines

    def _needs_of(self, run: Run, event: Event) -> tuple[int | None, int | None]:
        """The columns `prerequisites` and `newer` of an event's target."""
        needs = run.needs.get((event.make, event.target))
        if needs is None:
            return None, None
        return self._texts.number(json.dumps([needs.prerequisites, needs.order_only])), needs.newer

    def _target_row(
        self, event: Event, make: int, name: int, work: Work | None, needs: tuple[int | None, int | None],
        offset_ns: int,
    ) -> Row:  # fmt: skip
        shown_us = event.start_wall_ns // 1000 - self._started_us
        if work is not None:
            start_us = (work.start_ns + offset_ns) // 1000 - self._started_us
            span_us, busy_us = (work.final.end_ns - work.start_ns) // 1000, work.busy_ns // 1000
        else:
            # A goal without lines was made when its prerequisites were. Of an earlier version's event only the sum of
            # its lines is known: a goal's come last.
            span_us = busy_us = event.recipe_ms * 1000
            start_us = shown_us + event.duration_ms * 1000 - span_us
            if event.recipe_lines and not event.goal:
                start_us, span_us = shown_us, event.duration_ms * 1000
        values = dict(_values(event))
        common = self._common[make]
        own: Values = {
            key: value for key, value in values.items() if key not in common or not _same(value, common[key])
        }
        own |= {key: None for key in common if key not in values}
        return (
            self._build,
            make,
            name,
            start_us,
            span_us,
            span_us - busy_us,
            event.exit_status,
            event.recipe_lines,
            event.cpu_us,
            event.peak_kib,
            int(event.goal),
            start_us - shown_us,
            None if event.duration_ms == (span_us + 500) // 1000 else event.duration_ms,
            *needs,
            dump_values(own) if own else None,
        )


def _offset_ns(run: Run) -> int:
    """What turns the clock of a run's lines into nanoseconds since the epoch: one offset for the whole run.

    The wall clock may be set while the run goes on, and two readings of the clocks are never at the same moment.
    """
    first = min(run.work.values(), key=lambda work: (work.start_ns, work.wall_ns), default=None)
    return first.wall_ns - first.start_ns if first else 0


def _same(left: object, right: object) -> bool:
    return left == right and type(left) is type(right)


def _values(event: Event) -> Iterator[tuple[str, Value]]:
    """All metrics of an event, those of git included."""
    yield from event.metrics.items()
    for name in _GIT:
        value = getattr(event, name)
        if value is not None:
            yield name, value


def _common(events: Sequence[Event]) -> Values:
    """The metrics that all events share."""
    if not events:
        return {}
    common: Values = dict(_values(events[0]))
    for event in events[1:]:
        values = dict(_values(event))
        common = {key: value for key, value in common.items() if key in values and _same(value, values[key])}
    return common


def dump_values(values: Mapping[str, Value | None]) -> str:
    """Metrics for their column."""
    return json.dumps(values, separators=(",", ":"))


def load_values(column: object) -> Values:
    """Metrics from their column, without values of a wrong type; empty if the column holds no JSON object."""
    if column is None or column == "{}":
        return {}
    try:
        values = json.loads(str(column))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if value is None or isinstance(value, Value)}


class Reader:
    """Makes events from the rows of one run's makes and targets. Rows have the columns above, without `build`."""

    def __init__(self, texts: Texts, run: str, started_ns: int, makes: Iterable[Row]) -> None:
        """`makes` are all rows of the run's makes."""
        self._texts = texts
        self._run = run
        self._started_us = started_ns // 1000
        self._makes = {row[0]: row for row in makes}
        self._common = {number: load_values(row[-1]) for number, row in self._makes.items()}
        self._parent_ids: dict[int, str] = {}
        self._directories = {row[1]: texts.text(row[6]) for row in self._makes.values()}

    def directory_of(self, key: str) -> str:
        """Where a make process ran; empty if unknown."""
        return self._directories.get(key, "")

    def metrics(self, make: int, column: object) -> dict[str, Value]:
        """The metrics of a target of a make, those of git included."""
        merged = self._common.get(make, {}) | load_values(column)
        return {name: value for name, value in merged.items() if value is not None}

    def _parent_id(self, make: int) -> str:
        known = self._parent_ids.get(make)
        if known is None:
            _, _, parent, target, stored, *_ = self._makes[make]
            known = stored or ""
            if not known and parent in self._makes and target:
                known = message_id(self._run, self._makes[parent][1], self._texts.text(target))
            self._parent_ids[make] = known
        return known

    def event(self, row: Row) -> Event | None:
        """The event of a target; None if a damaged store has lost its make or its name, or has impossible values."""
        try:
            return self._event(row)
        except (TypeError, ValueError, OverflowError):
            return None

    def _event(self, row: Row) -> Event | None:
        (make, name, start_us, span_us, idle_us, status, lines, cpu_us, peak_kib, goal, lead_us, whole_ms,
         _, _, metrics) = row  # fmt: skip
        target = self._texts.text(name)
        if make not in self._makes or not target:
            return None
        values = self.metrics(make, metrics)
        master, time = (values.pop(name, None) for name in _GIT)
        _, key, _, _, _, level, _, _, _, _, parallel, is_test, *_ = self._makes[make]
        return Event(
            message_id=message_id(self._run, key, target),
            parent_id=self._parent_id(make),
            run=self._run,
            make=key,
            target=target,
            start_wall_ns=(self._started_us + start_us - lead_us) * 1000,
            duration_ms=(span_us + 500) // 1000 if whole_ms is None else whole_ms,
            exit_status=status,
            goal=bool(goal),
            recipe_ms=(span_us - idle_us + 500) // 1000,
            recipe_lines=lines,
            make_level=level,
            parallel=bool(parallel),
            is_test=self._texts.text(is_test),
            git_checked_out_master=master if isinstance(master, bool) else None,
            git_commit_time=time if isinstance(time, str) else None,
            cpu_us=cpu_us,
            peak_kib=peak_kib,
            metrics=values,
        )
