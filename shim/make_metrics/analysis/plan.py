"""A run as jobs that can be scheduled: how long each takes, which makes it starts, what it waits for. Pure.

`schedule` describes how GNU make hands out job slots, and `waits` how it is found out what a job waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from make_metrics.analysis.build import Build, BuiltTarget, MakeProcess
from make_metrics.analysis.nesting import holders
from make_metrics.analysis.running import running_jobs
from make_metrics.analysis.waits import Disk, Knowledge, Slots, waits
from make_metrics.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """One target as it is scheduled.

    It works for `own_us[0]`, then starts the makes `inner[0]` and waits for them, works for `own_us[1]`, and so on.
    """

    make: int
    own_us: tuple[int, ...]
    inner: tuple[tuple[int, ...], ...] = ()
    waits_for: tuple[int, ...] = ()

    @property
    def work_us(self) -> int:
        """How long it works itself, without the makes that it starts."""
        return sum(self.own_us)


@dataclass(frozen=True, slots=True)
class Pool:
    """Job slots that makes share. `limit` is their number, 0 for no limit.

    `fixed` pools are of makes that have a number of jobs of their own, whatever the run's is.
    """

    limit: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's jobs, one for each of `Build.targets` and in their order, so that no job waits for a later one.

    `begin_us` is make's own time before its first line. `pool_of` has the index in `pools` of each make; the first pool
    is that of the top make.
    """

    begin_us: int
    jobs: tuple[Job, ...]
    pools: tuple[Pool, ...]
    pool_of: tuple[int, ...]
    knowledge: Knowledge = field(default_factory=Knowledge)


def plan(build: Build, disk: Disk | None = None) -> Plan:
    """The plan of a run. Without `disk`, prerequisites that are no targets of the run are taken for sources."""
    containers = holders(build)
    # A make that no recorded target started uses the slots of the top make.
    homes = [make.number if make.number in containers else 0 for make in build.makes]
    pools, pool_of = _pools(build, containers)
    slots = []
    for index, pool in enumerate(pools):
        running = running_jobs(build, {make for make in range(len(build.makes)) if pool_of[make] == index})
        slots.append(Slots(running.most if pool.limit < 0 else pool.limit, running))
    slots_of = [slots[pool] for pool in pool_of]
    knowledge = Knowledge()
    waits_for = waits(build, slots_of, disk or {}, knowledge)
    leads = _leads(build, homes, [each.serial for each in slots_of])
    nested: dict[int, list[int]] = {}
    for make, container in containers.items():
        nested.setdefault(container, []).append(make)
    spans = _spans(build, homes)
    jobs = []
    for index, target in enumerate(build.targets):
        own_us, inner = _parts(target, [(spans[make], make) for make in nested.get(index, ())])
        own_us[0] += leads[index]
        jobs.append(Job(homes[target.make], tuple(own_us), tuple(inner), waits_for[index]))
    begin_us = min((target.start_us for target in build.targets), default=build.duration_us)
    resolved = tuple(Pool(known.limit, pool.fixed) for known, pool in zip(slots, pools, strict=True))
    return Plan(begin_us, tuple(jobs), resolved, tuple(pool_of), knowledge)


def _pools(build: Build, containers: Mapping[int, int]) -> tuple[list[Pool], list[int]]:
    """The pools of job slots, and the pool of each make.

    A nested make shares the slots of the make above, unless its recorded number of jobs shows that it does not.
    """
    top = build.makes[0].jobs if build.makes else 1
    pools, pool_of = [Pool(top)], [0] * len(build.makes)
    for make in sorted(build.makes, key=lambda make: (make.level, make.number)):
        if make.number not in containers:
            continue
        above = pool_of[build.targets[containers[make.number]].make]
        limit = pools[above].limit
        if _shares(make, limit):
            pool_of[make.number] = above
        else:
            pool_of[make.number] = len(pools)
            pools.append(Pool(make.jobs, fixed=True))
    return pools, pool_of


def _shares(make: MakeProcess, limit_above: int) -> bool:
    return make.jobs in (limit_above, -1) or limit_above in (1, -1)


def _spans(build: Build, homes: list[int]) -> dict[int, tuple[int, int]]:
    """From the first start to the last end of the targets of each make."""
    spans: dict[int, tuple[int, int]] = {}
    for target in build.targets:
        home = homes[target.make]
        start_us, end_us = spans.get(home, (target.start_us, target.end_us))
        spans[home] = min(start_us, target.start_us), max(end_us, target.end_us)
    return spans


def _parts(
    target: BuiltTarget, nested: Iterable[tuple[tuple[int, int], int]]
) -> tuple[list[int], list[tuple[int, ...]]]:
    """A target's time, cut into its own work and the makes inside; makes at the same time are one part."""
    own_us, inner = list[int](), list[list[int]]()
    done_us = target.start_us
    for (start_us, end_us), make in sorted(nested):
        if inner and start_us < done_us:
            inner[-1].append(make)
        else:
            own_us.append(max(0, start_us - done_us))
            inner.append([make])
        done_us = min(max(done_us, end_us), max(target.end_us, done_us))
    own_us.append(max(0, target.end_us - done_us))
    return own_us, [tuple(makes) for makes in inner]


def _leads(build: Build, homes: list[int], serial: list[bool]) -> list[int]:
    """How long make itself worked before each target, where its targets ran one at a time; else it cannot be seen."""
    leads, ends = [], dict[int, int]()
    for target in build.targets:
        home = homes[target.make]
        end_us = ends.get(home, target.start_us)
        leads.append(max(0, target.start_us - end_us) if serial[home] else 0)
        ends[home] = max(end_us, target.end_us)
    return leads
