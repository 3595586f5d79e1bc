"""Combining: from the lines of a record to one event for each target. Pure, and the same for any order of the lines.

A `Run` (see `combine.parts`) adds the lines up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from signal import SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM
from typing import NamedTuple

from make_metrics.combine.event import Event, message_id
from make_metrics.combine.parts import Final as Final
from make_metrics.combine.parts import Piece as Piece
from make_metrics.combine.parts import Run as Run
from make_metrics.combine.parts import Work as Work
from make_metrics.combine.parts import absorb as absorb
from make_metrics.combine.parts import gather as gather
from make_metrics.combine.parts import merge as merge
from make_metrics.combine.parts import without_dot as without_dot
from make_metrics.combine.record import Make
from make_metrics.dataclass import dataclass, field

MAKE_FAILED = 2  # GNU make's own exit status for any error (manual, section 9.1)
_ENDS_MAKE = {SIGHUP, SIGINT, SIGQUIT, SIGTERM}
# Once make has seen a failure, it starts no other target. With jobs, a target that it started just before may begin a
# little later. One that begins this much later shows that make ignored the failure.
_SETTLED_NS = 1_000_000_000


def _goal_of_each(work_of: dict[str, Work], goals: tuple[str, ...]) -> dict[str, str]:
    """The goal that each target was made for: the one that make named, else the first goal not yet done before it."""
    goal_names = frozenset(goals)
    goals_with_lines = [goal for goal in goals[:-1] if goal in work_of]
    # The latest end so far, not each goal's own: these are sorted, so a binary search finds the goal.
    ends = list(accumulate((work_of[goal].final.end_ns for goal in goals_with_lines), max))
    goal_of = {}
    for target, work in work_of.items():
        if target in goal_names:
            goal_of[target] = target
        elif work.goal or not goals:
            goal_of[target] = work.goal
        else:
            index = bisect_left(ends, work.start_ns)
            goal_of[target] = goals_with_lines[index] if index < len(ends) else goals[-1]
    return goal_of


@dataclass(slots=True)
class _Process:
    """One make process, to derive its events from.

    `work` is each target's. `last_line_ns` is when the last line began, `last_target_ns` when the last target began.
    `goal_of` is the goal that each target was made for, `targets_of` the reverse.
    """

    run: str
    make: Make
    work: dict[str, Work]
    goals: tuple[str, ...]
    last_line_ns: int = field(init=False)
    last_target_ns: int = field(init=False)
    goal_of: dict[str, str] = field(init=False)
    targets_of: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.last_line_ns = max(work.final.start_ns for work in self.work.values())
        self.last_target_ns = max(work.start_ns for work in self.work.values())
        self.goal_of = _goal_of_each(self.work, self.goals)
        self.targets_of = {}
        for target, goal in self.goal_of.items():
            self.targets_of.setdefault(goal, []).append(target)

    def ending_signal(self, work: Work) -> int:
        """The signal that ended this make while the target's last line ran; 0 if make went on, or exited."""
        final = work.final
        if not final.fate or self.last_line_ns > final.end_ns:
            return 0
        return final.fate if final.fate in _ENDS_MAKE else int(SIGKILL)

    def status(self, target: str) -> int:
        """A target's exit status. It is 0 if its last line failed and make ignored that."""
        work = self.work[target]
        signal, status = self.ending_signal(work), work.final.status
        if signal in _ENDS_MAKE or (signal and not status):
            return -signal
        return 0 if status and not signal and self._failure_was_ignored(target, work) else status

    def _failure_was_ignored(self, target: str, work: Work) -> bool:
        """Whether make went on after a failure: it began another target, or the recipe of the failed target's goal."""
        if self.make.ignore_errors:
            return True
        if not self.make.keep_going:
            # Later lines prove nothing: with jobs, make finishes the recipes that it has begun.
            delay_ns = _SETTLED_NS if self.make.parallel else 0
            if self.last_target_ns > work.final.end_ns + delay_ns:
                return True
        goal = self.goal_of[target]
        goal_work = self.work.get(goal)
        return goal != target and goal_work is not None and goal_work.start_ns >= work.final.end_ns

    def goal_status(self, goal: str) -> int:
        """The exit status of a goal without lines of its own: what make ends with because of the goal's targets."""
        targets = self.targets_of.get(goal, [])
        signals = {self.ending_signal(self.work[target]) for target in targets} - {0}
        if signals:
            return -min(signals)
        return MAKE_FAILED if any(self.status(target) for target in targets) else 0


def milliseconds(ns: int) -> int:
    """Nanoseconds as milliseconds, rounded."""
    return (ns + 500_000) // 1_000_000


class Seed(NamedTuple):
    """An event to be made: of a target that has lines of its own, or of a goal without any.

    `is_goal` is whether the developer asked for it: its duration then covers all targets that were made for it.
    """

    process: _Process
    target: str
    is_goal: bool

    @property
    def make(self) -> str:
        """The key of its make."""
        return self.process.make.key

    @property
    def span_ns(self) -> tuple[int, int]:
        """When the target's own lines began (nanoseconds since the epoch) and ended; zeros if it has none."""
        work = self.process.work.get(self.target)
        return (work.wall_ns, work.wall_ns + work.final.end_ns - work.start_ns) if work else (0, 0)


def event_of(seed: Seed) -> Event:
    """The event of a seed."""
    process, target, is_goal = seed.process, seed.target, seed.is_goal
    own = process.work.get(target)
    make = process.make
    covered = [process.work[each] for each in process.targets_of[target]] if is_goal or own is None else [own]
    first = min(covered, key=lambda work: (work.start_ns, work.wall_ns))
    return Event(
        message_id=message_id(process.run, make.key, target),
        parent_id=message_id(process.run, make.parent, without_dot(make.parent_target)) if make.parent_target else "",
        run=process.run,
        make=make.key,
        target=target,
        start_wall_ns=first.wall_ns,
        duration_ms=milliseconds(max(work.final.end_ns for work in covered) - first.start_ns),
        exit_status=process.goal_status(target) if own is None else process.status(target),
        goal=is_goal,
        recipe_ms=0 if own is None else milliseconds(own.busy_ns),
        recipe_lines=0 if own is None else own.lines,
        make_level=make.level,
        parallel=make.parallel,
        is_test=make.is_test,
        cpu_us=None if own is None else own.cpu_us,
        peak_kib=None if own is None else own.peak_kib,
    )


def _processes(run: Run) -> Iterable[_Process]:
    by_make: dict[str, dict[str, Work]] = {}
    for (key, target), work in run.work.items():
        by_make.setdefault(key, {})[target] = work
    for key, work_of in by_make.items():
        make = run.makes.get(key) or Make(key=key, level=min(work.level for work in work_of.values()))
        goals = tuple(dict.fromkeys(without_dot(goal) for goal in make.goals))
        if not goals:
            goals = tuple(sorted({work.goal for work in work_of.values() if work.goal}))
        yield _Process(run.id, make, work_of, goals)


def seeds_of(run: Run) -> Iterator[Seed]:
    """The seed of each event of a run, in the order of its parts. Much cheaper than the events."""
    for process in _processes(run):
        is_top = process.make.level == 0
        wanted = frozenset(process.goals) if is_top else frozenset()
        for target in process.work:
            yield Seed(process, target, target in wanted)
        for goal in process.goals:
            if goal not in process.work and goal in process.targets_of:
                yield Seed(process, goal, is_top)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events in the order in which they began."""
    return sorted(events, key=lambda event: (event.start_wall_ns, event.make_level, event.message_id))


def events_of(run: Run) -> list[Event]:
    """One event for each target of each make process, in the order in which they began.

    The event of a goal that the developer asked for covers the goal's prerequisites. A goal without lines of its own
    has an event too, made from theirs. A goal for which nothing had to be done has none.
    """
    return in_order(map(event_of, seeds_of(run)))
