"""What a run would take with another number of jobs: its jobs scheduled over what they wait for. Pure.

The rules are those of GNU make's job server. A make has one slot of its own: the nested make that of the target which
started it. For each further job it takes a slot from the pool that all makes of the run share. It starts targets in the
order in which they began when they were recorded. Such list scheduling is at most twice as long as the best schedule
(R. L. Graham, "History on Multiprocessing Timing Anomalies", 1969), and may take longer with one job more.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from make_metrics.analysis.plan import Plan
from make_metrics.dataclass import dataclass

UNLIMITED = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each job starts and ends, in the order of `Plan.jobs`, and the duration of the whole."""

    duration_us: int
    starts_us: tuple[int, ...]
    ends_us: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A target on the critical path: its index, how long it works itself, and how many targets it is inside of."""

    target: int
    own_us: int
    depth: int


def schedule(plan: Plan, jobs: int) -> Schedule:
    """The plan's schedule with `jobs` slots, `UNLIMITED` for no limit."""
    return _Run(plan, jobs).schedule()


def critical_path(plan: Plan) -> list[Step]:
    """The longest chain of targets that wait for each other: with any number of jobs, the run takes as long.

    A target that starts a make stands before the targets in it that are on the path. The steps' times and the plan's
    beginning add up to the duration of the schedule without limit, unless a nested make has a limit of its own.
    """
    unlimited = schedule(plan, UNLIMITED)
    members: dict[int, list[int]] = {}
    for index, job in enumerate(plan.jobs):
        members.setdefault(job.make, []).append(index)
    return list(_path(plan, unlimited, members, 0, 0))


def _path(plan: Plan, unlimited: Schedule, members: dict[int, list[int]], make: int, depth: int) -> Iterator[Step]:
    ends_us = unlimited.ends_us
    chain = [max(members[make], key=lambda index: (ends_us[index], index))] if make in members else []
    while chain and plan.jobs[chain[-1]].waits_for:
        chain.append(max(plan.jobs[chain[-1]].waits_for, key=lambda index: (ends_us[index], index)))
    for index in reversed(chain):
        job = plan.jobs[index]
        yield Step(index, job.work_us, depth)
        for group in job.inner:
            last = max(group, key=lambda inner: max(ends_us[member] for member in members[inner]))
            yield from _path(plan, unlimited, members, last, depth + 1)


class _Run:
    """A run that is simulated from event to event."""

    def __init__(self, plan: Plan, jobs: int) -> None:
        self._plan = plan
        self._now_us = plan.begin_us
        count, makes = len(plan.jobs), len(plan.pool_of)
        limits = [pool.limit if pool.fixed else jobs for pool in plan.pools]
        self._free = [limit - 1 if limit > 0 else count for limit in limits]  # slots of each pool
        self._members: list[list[int]] = [[] for _ in range(makes)]
        for index, job in enumerate(plan.jobs):
            self._members[job.make].append(index)
        self._holder: list[int | None] = [None] * makes  # the job that waits for each make
        self._left = [len(members) for members in self._members]
        self._busy = [0] * makes
        self._ready: list[list[int]] = [[] for _ in range(makes)]
        self._waiting: list[list[int]] = [[] for _ in plan.pools]
        self._starved: set[int] = set()  # makes that may use a slot of their own
        self._blockers = [len(job.waits_for) for job in plan.jobs]
        self._followers: list[list[int]] = [[] for _ in range(count)]
        for index, job in enumerate(plan.jobs):
            for blocker in job.waits_for:
                self._followers[blocker].append(index)
        self._starts, self._ends = [-1] * count, [0] * count
        self._part, self._inside = [0] * count, [0] * count
        self._events: list[tuple[int, int]] = []

    def schedule(self) -> Schedule:
        """Run to the end."""
        if self._plan.jobs:
            self._begin_make(0)
        self._start_ready()
        while self._events:
            self._now_us = self._events[0][0]
            while self._events and self._events[0][0] == self._now_us:
                self._go_on(heappop(self._events)[1])
            self._start_ready()
        return Schedule(self._now_us, tuple(self._starts), tuple(self._ends))

    def _begin_make(self, make: int) -> None:
        for index in self._members[make]:
            if not self._blockers[index]:
                self._make_ready(index)

    def _make_ready(self, index: int) -> None:
        make = self._plan.jobs[index].make
        heappush(self._ready[make], index)
        heappush(self._waiting[self._plan.pool_of[make]], index)
        self._starved.add(make)

    def _start_ready(self) -> None:
        for make in sorted(self._starved):
            ready = self._ready[make]
            while ready and not self._busy[make]:
                self._start(heappop(ready))
        self._starved.clear()
        for pool, waiting in enumerate(self._waiting):
            while waiting and (self._free[pool] or self._starts[waiting[0]] >= 0):
                index = heappop(waiting)
                if self._starts[index] < 0:
                    self._free[pool] -= 1
                    self._start(index)

    def _start(self, index: int) -> None:
        if self._starts[index] >= 0:
            return
        job = self._plan.jobs[index]
        self._starts[index] = self._now_us
        self._busy[job.make] += 1
        heappush(self._events, (self._now_us + job.own_us[0], index))

    def _go_on(self, index: int) -> None:
        """A part of a job's own work is done: begin the makes that follow, or end."""
        job, part = self._plan.jobs[index], self._part[index]
        if part == len(job.inner):
            self._end(index)
            return
        self._part[index] += 1
        self._inside[index] = len(job.inner[part])
        for make in job.inner[part]:
            self._holder[make] = index
            self._begin_make(make)

    def _end(self, index: int) -> None:
        make = self._plan.jobs[index].make
        self._ends[index] = self._now_us
        self._busy[make] -= 1
        if self._busy[make]:
            self._free[self._plan.pool_of[make]] += 1
        else:
            self._starved.add(make)
        for follower in self._followers[index]:
            self._blockers[follower] -= 1
            if not self._blockers[follower]:
                self._make_ready(follower)
        self._left[make] -= 1
        holder = self._holder[make]
        if not self._left[make] and holder is not None:
            self._inside[holder] -= 1
            if not self._inside[holder]:
                heappush(self._events, (self._now_us + self._plan.jobs[holder].own_us[self._part[holder]], holder))
