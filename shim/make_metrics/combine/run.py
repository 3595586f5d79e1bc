"""Combining: from the lines of a record to one event per target. Pure, and the same for any order of the lines.

A `Run` is what is known of a run in a form that can be added to: a line that arrives after its run was combined is
merged, and gives the same events as if it had been there from the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from signal import SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM

from make_metrics.combine.event import Event, message_id
from make_metrics.combine.record import Contents, Line, Make

MAKE_FAILED = 2  # GNU make's own exit status for any error (manual, section 9.1)
_ENDS_MAKE = {SIGHUP, SIGINT, SIGQUIT, SIGTERM}
# Make starts nothing new once it has seen a failure. With jobs, a line that it had already started may yet begin; one
# that begins this much later shows that the failure was ignored.
_SETTLED_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, order=True)
class Final:
    """How the last line of a target ended; ordered by when."""

    end_ns: int
    start_ns: int
    status: int
    fate: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a target's own recipe lines in one make process add up to.

    `cpu_us` is the sum of theirs, `peak_kib` the highest; None when that of any line is not known.
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


@dataclass(slots=True)
class Run:
    """All that is known of one run: its make processes, and the work of each target by (make, target)."""

    id: str
    makes: dict[str, Make] = field(default_factory=dict)
    work: dict[tuple[str, str], Work] = field(default_factory=dict)
    torn: int = 0


def _plain(name: str) -> str:
    """A goal or target as make itself names it: without leading "./"."""
    while name.startswith("./") and len(name) > 2:
        name = name[2:].lstrip("/")
    return name


def _work(line: Line) -> Work:
    return Work(
        goal=_plain(line.goal),
        level=line.level,
        start_ns=line.start_ns,
        wall_ns=line.wall_ns,
        busy_ns=line.end_ns - line.start_ns,
        lines=1,
        final=Final(line.end_ns, line.start_ns, line.status, line.fate),
        cpu_us=line.cpu_us,
        peak_kib=line.peak_kib,
    )


def _merge_work(one: Work, two: Work) -> Work:
    first = min(one, two, key=lambda work: (work.start_ns, work.wall_ns, work.goal, work.level))
    return replace(
        first,
        busy_ns=one.busy_ns + two.busy_ns,
        lines=one.lines + two.lines,
        final=max(one.final, two.final),
        cpu_us=None if one.cpu_us is None or two.cpu_us is None else one.cpu_us + two.cpu_us,
        peak_kib=None if one.peak_kib is None or two.peak_kib is None else max(one.peak_kib, two.peak_kib),
    )


def gather(run: str, contents: Contents) -> Run:
    """A record's entries added up."""
    gathered = Run(run, torn=contents.torn)
    for make in contents.makes:
        _meet(gathered, make)
    for line in contents.lines:
        _add(gathered, (line.make, _plain(line.target)), _work(line))
    return gathered


def _meet(run: Run, make: Make) -> None:
    """Keep one of several accounts of a make process: the earliest, whatever the order they come in."""
    known = run.makes.get(make.key)
    if known is None or (make.wall_ns, repr(make)) < (known.wall_ns, repr(known)):
        run.makes[make.key] = make


def _add(run: Run, key: tuple[str, str], work: Work) -> None:
    known = run.work.get(key)
    run.work[key] = work if known is None else _merge_work(known, work)


def merge(one: Run, two: Run) -> Run:
    """Two parts of the same run as one; neither argument is changed."""
    merged = Run(one.id, dict(one.makes), dict(one.work), one.torn + two.torn)
    for make in two.makes.values():
        _meet(merged, make)
    for key, work in two.work.items():
        _add(merged, key, work)
    return merged


def _goals_served(work: dict[str, Work], goals: tuple[str, ...]) -> dict[str, str]:
    """The goal that each target's work served: what make said, else the first goal that was not done before it."""
    asked = frozenset(goals)
    done = [(goal, work[goal].final.end_ns) for goal in goals[:-1] if goal in work]
    served = {}
    for target, own in work.items():
        if target in asked:
            served[target] = target
        elif own.goal or not goals:
            served[target] = own.goal
        else:
            served[target] = next((goal for goal, end_ns in done if end_ns >= own.start_ns), goals[-1])
    return served


@dataclass(slots=True)
class _Process:
    """One make process while its events are put together.

    `last_start_ns` is when its last line began, `last_begun_ns` when it last began a target.
    """

    run: str
    make: Make
    work: dict[str, Work]
    goals: tuple[str, ...]
    last_start_ns: int = field(init=False)
    last_begun_ns: int = field(init=False)
    goal_of: dict[str, str] = field(init=False)
    served: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.last_start_ns = max(work.final.start_ns for work in self.work.values())
        self.last_begun_ns = max(work.start_ns for work in self.work.values())
        self.goal_of = _goals_served(self.work, self.goals)
        self.served = {}
        for target, goal in self.goal_of.items():
            self.served.setdefault(goal, []).append(target)

    def ended_by(self, work: Work) -> int:
        """The signal that ended this make while the target's last line ran; 0 if make went on, or ended by itself."""
        final = work.final
        if not final.fate or self.last_start_ns > final.end_ns:
            return 0
        return final.fate if final.fate in _ENDS_MAKE else int(SIGKILL)

    def status(self, target: str) -> int:
        """A target's exit status: 0 also when its last line failed and make was told to ignore that."""
        work = self.work[target]
        signal, status = self.ended_by(work), work.final.status
        if signal in _ENDS_MAKE or (signal and not status):
            return -signal
        return 0 if status and not signal and self._ignored(target, work) else status

    def _ignored(self, target: str, work: Work) -> bool:
        if self.make.ignore_errors:
            return True
        if not self.make.keep_going:
            # Targets begun, not lines: with jobs make finishes the recipes that it is in the midst of.
            settle = _SETTLED_NS if self.make.parallel else 0
            if self.last_begun_ns > work.final.end_ns + settle:
                return True
        goal = self.goal_of[target]
        own = self.work.get(goal)
        return goal != target and own is not None and own.start_ns >= work.final.end_ns

    def goal_status(self, goal: str) -> int:
        """What make would end with for a goal that has no recipe of its own, or never reached it."""
        targets = self.served.get(goal, [])
        signals = {self.ended_by(self.work[target]) for target in targets} - {0}
        if signals:
            return -min(signals)
        return MAKE_FAILED if any(self.status(target) for target in targets) else 0


def _milliseconds(ns: int) -> int:
    return (ns + 500_000) // 1_000_000


def _event(process: _Process, target: str, *, asked: bool) -> Event:
    """The event of a target that is a goal of its make, or had lines of its own."""
    own = process.work.get(target)
    make = process.make
    spans = [process.work[served] for served in process.served[target]] if asked or own is None else [own]
    first = min(spans, key=lambda work: (work.start_ns, work.wall_ns))
    return Event(
        message_id=message_id(process.run, make.key, target),
        parent_id=message_id(process.run, make.parent, _plain(make.parent_target)) if make.parent_target else "",
        run=process.run,
        make=make.key,
        target=target,
        start_wall_ns=first.wall_ns,
        duration_ms=_milliseconds(max(work.final.end_ns for work in spans) - first.start_ns),
        exit_status=process.goal_status(target) if own is None else process.status(target),
        goal=asked,
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
    for key, works in by_make.items():
        level = min(work.level for work in works.values())
        make = run.makes.get(key) or Make(key=key, level=level)
        goals = tuple(dict.fromkeys(_plain(goal) for goal in make.goals))
        if not goals:
            goals = tuple(sorted({work.goal for work in works.values() if work.goal}))
        yield _Process(run.id, make, works, goals)


def events_of(run: Run) -> list[Event]:
    """One event for each target of each make process, in the order in which they began.

    A goal that the developer asked for covers its prerequisites; a goal without lines of its own gets its event from
    theirs. A goal for which nothing had to be done has none.
    """
    made: list[Event] = []
    for process in _processes(run):
        asked = process.make.level == 0
        for target in process.work:
            made.append(_event(process, target, asked=asked and target in process.goals))
        for goal in process.goals:
            if goal not in process.work and goal in process.served:
                made.append(_event(process, goal, asked=asked))
    return sorted(made, key=lambda event: (event.start_wall_ns, event.make_level, event.message_id))
