"""What a run would take with other numbers of jobs, and which targets hold it up most. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from make_metrics.analysis.build import Build
from make_metrics.analysis.plan import Plan
from make_metrics.analysis.schedule import UNLIMITED, critical_path, schedule
from make_metrics.dataclass import dataclass, replace

JOBS = (1, 2, 4, 8, 16, UNLIMITED)
_EVENTS = 200_000  # jobs times schedules: some seconds


@dataclass(frozen=True, slots=True)
class Gain:
    """What it brings to halve one target's own work: the index in `Build.targets`, its work, and how much is saved."""

    target: int
    work_us: int
    saved_us: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Estimates for one run.

    `recorded_jobs` is the run's own number of jobs, `UNLIMITED` for no limit. `estimates_us` has the duration for each
    number of jobs that was asked for, `again_us` that for the run's own number: how near it comes to what the run took
    shows how good the others are. `bound_us` is the critical path. `gains` are for the run's own number of jobs.
    """

    recorded_us: int
    recorded_jobs: int
    again_us: int
    estimates_us: dict[int, int]
    bound_us: int
    gains: tuple[Gain, ...]


def what_if(build: Build, plan: Plan, jobs: Iterable[int] = JOBS, *, gains: int = 10) -> WhatIf:
    """Estimate a run with each of these numbers of jobs, `UNLIMITED` for no limit; `gains` is how many are listed."""
    recorded = plan.pools[0].limit if plan.pools else 1
    again_us = schedule(plan, recorded).duration_us
    return WhatIf(
        recorded_us=build.duration_us,
        recorded_jobs=recorded,
        again_us=again_us,
        estimates_us={number: schedule(plan, number).duration_us for number in dict.fromkeys(jobs)},
        bound_us=plan.begin_us + sum(step.own_us for step in critical_path(plan)),
        gains=tuple(_gains(plan, recorded, again_us, gains)),
    )


def _gains(plan: Plan, jobs: int, duration_us: int, count: int) -> list[Gain]:
    """The targets that save most, tried among those with the most work, first on the critical path."""
    tries = max(1, min(30, _EVENTS // (len(plan.jobs) + 1)))
    gains = []
    for index in _candidates(plan)[:tries]:
        saved_us = duration_us - schedule(_halved(plan, index), jobs).duration_us
        if saved_us > 0:  # by Graham's anomalies it can be less than nothing
            gains.append(Gain(index, plan.jobs[index].work_us, saved_us))
    return sorted(gains, key=lambda gain: (-gain.saved_us, gain.target))[:count]


def _candidates(plan: Plan) -> Sequence[int]:
    on_path = {step.target for step in critical_path(plan)}
    return sorted(
        range(len(plan.jobs)), key=lambda index: (-plan.jobs[index].work_us * (1 + (index in on_path)), index)
    )


def _halved(plan: Plan, index: int) -> Plan:
    jobs = list(plan.jobs)
    jobs[index] = replace(jobs[index], own_us=tuple(part // 2 for part in jobs[index].own_us))
    return replace(plan, jobs=tuple(jobs))
