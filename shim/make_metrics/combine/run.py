"""Combining: from the lines of a record to one event for each target. Pure, and the same for any order of the lines.

A `Run` adds the lines up, and two of them can be merged. So a line that is recorded after its run was combined gives
the same events as if it had been there from the start.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from signal import SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM
from typing import NamedTuple

from make_metrics.combine.event import Event, message_id
from make_metrics.combine.record import Contents, Line, Make

MAKE_FAILED = 2  # GNU make's own exit status for any error (manual, section 9.1)
_ENDS_MAKE = {SIGHUP, SIGINT, SIGQUIT, SIGTERM}
# Once make has seen a failure, it starts no other target. With jobs, a target that it started just before may begin a
# little later. One that begins this much later shows that make ignored the failure.
_SETTLED_NS = 1_000_000_000
_BUSY_LIMIT_NS = 2**63 - 1  # the store's largest integer: no targets of this machine are busy for 292 years
LINES_KEPT = 1_000  # of one target, each for itself


@dataclass(frozen=True, slots=True, order=True)
class Final:
    """How the last line of a target ended. Instances are ordered by time."""

    end_ns: int
    start_ns: int
    status: int
    fate: int


class Piece(NamedTuple):
    """One recipe line of a target; the values are those of a `Line`."""

    start_ns: int
    end_ns: int
    status: int
    cpu_us: int | None
    peak_kib: int | None


@dataclass(frozen=True, slots=True)
class Work:
    """The recipe lines of one target in one make process, added up.

    `busy_ns` and `cpu_us` are sums, `peak_kib` is the maximum. The last two are None if they are unknown for any line.
    `several` are the lines themselves, in order, if they are two to `LINES_KEPT`; see `pieces`.
    """

    goal: str
    level: int
    start_ns: int
    wall_ns: int
    busy_ns: int
    lines: int
    final: Final
    cpu_us: int | None = None
    peak_kib: int | None = None
    several: tuple[Piece, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Each line in order; empty if they are too many, or if an earlier version added them up."""
        if self.lines > 1:
            return self.several
        return (Piece(self.start_ns, self.final.end_ns, self.final.status, self.cpu_us, self.peak_kib),)


@dataclass(slots=True)
class Run:
    """One run: its make processes by key, the work of each target by (make, target), and how many entries were torn."""

    id: str
    makes: dict[str, Make] = field(default_factory=dict)
    work: dict[tuple[str, str], Work] = field(default_factory=dict)
    torn: int = 0


def without_dot(name: str) -> str:
    """A goal's or target's name without leading "./", as make itself names it."""
    while name.startswith("./") and len(name) > 2:
        name = name[2:].lstrip("/")
    return name


def _work(line: Line) -> Work:
    return Work(
        goal=without_dot(line.goal),
        level=line.level,
        start_ns=line.start_ns,
        wall_ns=line.wall_ns,
        busy_ns=line.end_ns - line.start_ns,
        lines=1,
        final=Final(line.end_ns, line.start_ns, line.status, line.fate),
        cpu_us=line.cpu_us,
        peak_kib=line.peak_kib,
    )


def _order(piece: Piece) -> tuple[int, ...]:
    return *piece[:3], -1 if piece.cpu_us is None else piece.cpu_us, -1 if piece.peak_kib is None else piece.peak_kib


def _merge_work(left: Work, right: Work) -> Work:
    first = min(left, right, key=lambda work: (work.start_ns, work.wall_ns, work.goal, work.level))
    lines, pieces = left.lines + right.lines, (*left.pieces, *right.pieces)
    return replace(
        first,
        busy_ns=min(left.busy_ns + right.busy_ns, _BUSY_LIMIT_NS),
        lines=lines,
        several=tuple(sorted(pieces, key=_order)) if len(pieces) == lines <= LINES_KEPT else (),
        final=max(left.final, right.final),
        cpu_us=None if left.cpu_us is None or right.cpu_us is None else left.cpu_us + right.cpu_us,
        peak_kib=None if left.peak_kib is None or right.peak_kib is None else max(left.peak_kib, right.peak_kib),
    )


def gather(run: str, contents: Contents) -> Run:
    """A record's entries, added up."""
    gathered = Run(run, torn=contents.torn)
    for make in contents.makes:
        _add_make(gathered, make)
    for line in contents.lines:
        _add_work(gathered, (line.make, without_dot(line.target)), _work(line))
    return gathered


def _add_make(run: Run, make: Make) -> None:
    """Add a make process. Of several descriptions of one process the earliest is kept, whatever their order."""
    present = run.makes.get(make.key)
    if present is None or (make.wall_ns, repr(make)) < (present.wall_ns, repr(present)):
        run.makes[make.key] = make


def _add_work(run: Run, key: tuple[str, str], work: Work) -> None:
    present = run.work.get(key)
    run.work[key] = work if present is None else _merge_work(present, work)


def merge(left: Run, right: Run) -> Run:
    """Two parts of the same run as one. Neither argument is changed."""
    merged = Run(left.id, dict(left.makes), dict(left.work), left.torn + right.torn)
    for make in right.makes.values():
        _add_make(merged, make)
    for key, work in right.work.items():
        _add_work(merged, key, work)
    return merged


def _goal_of_each(work_of: dict[str, Work], goals: tuple[str, ...]) -> dict[str, str]:
    """The goal that each target was made for: the one that make named, else the first goal not yet done before it."""
    goal_names = frozenset(goals)
    goals_with_lines = [goal for goal in goals[:-1] if goal in work_of]
    # Not the ends alone: with the latest so far, a search by halves does for any number of goals.
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


def _milliseconds(ns: int) -> int:
    return (ns + 500_000) // 1_000_000


def _event(process: _Process, target: str, *, is_goal: bool) -> Event:
    """The event of a target that has lines of its own, or of a goal without any.

    `is_goal` is whether the developer asked for it: its duration then covers all targets that were made for it.
    """
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
        duration_ms=_milliseconds(max(work.final.end_ns for work in covered) - first.start_ns),
        exit_status=process.goal_status(target) if own is None else process.status(target),
        goal=is_goal,
        recipe_ms=0 if own is None else _milliseconds(own.busy_ns),
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


def events_of(run: Run) -> list[Event]:
    """One event for each target of each make process, in the order in which they began.

    The event of a goal that the developer asked for covers the goal's prerequisites. A goal without lines of its own
    has an event too, made from theirs. A goal for which nothing had to be done has none.
    """
    events: list[Event] = []
    for process in _processes(run):
        is_top = process.make.level == 0
        for target in process.work:
            events.append(_event(process, target, is_goal=is_top and target in process.goals))
        for goal in process.goals:
            if goal not in process.work and goal in process.targets_of:
                events.append(_event(process, goal, is_goal=is_top))
    return sorted(events, key=lambda event: (event.start_wall_ns, event.make_level, event.message_id))
