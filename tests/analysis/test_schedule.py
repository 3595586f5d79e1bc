"""Schedules of made-up plans: bounds that hold for every graph, and the anomaly that no rule can avoid."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis.plan import Job, Plan, Pool
from make_metrics.analysis.schedule import UNLIMITED, critical_path, schedule
from tests.support.plans import plans, serial_us

JOBS = st.integers(1, 6)


def flat(durations: list[int], waits_for: Mapping[int, tuple[int, ...]]) -> Plan:
    """A plan without nested makes; `waits_for` counts jobs from 0."""
    jobs = tuple(Job(0, (time_us,), (), waits_for.get(index, ())) for index, time_us in enumerate(durations))
    return Plan(0, jobs, (Pool(1),), (0,))


@given(plans(), JOBS)
def test_a_schedule_is_between_the_longest_chain_and_the_serial_sum(plan: Plan, jobs: int) -> None:
    longest_us = plan.begin_us + sum(step.own_us for step in critical_path(plan))
    assert longest_us <= schedule(plan, jobs).duration_us <= serial_us(plan)


@given(plans())
def test_one_job_takes_the_sum_and_no_limit_the_longest_chain(plan: Plan) -> None:
    assert schedule(plan, 1).duration_us == serial_us(plan)
    longest_us = plan.begin_us + sum(step.own_us for step in critical_path(plan))
    assert schedule(plan, UNLIMITED).duration_us == longest_us == schedule(plan, 1000).duration_us


@given(plans(), JOBS)
def test_grahams_bound_holds(plan: Plan, jobs: int) -> None:
    longest_us = sum(step.own_us for step in critical_path(plan))
    work_us = serial_us(plan) - plan.begin_us
    assert (schedule(plan, jobs).duration_us - plan.begin_us) * jobs <= work_us + (jobs - 1) * longest_us


@given(plans(edges=False, nested=False))
def test_with_nothing_to_wait_for_more_jobs_never_take_longer(plan: Plan) -> None:
    durations = [schedule(plan, jobs).duration_us for jobs in (1, 2, 3, 4, 5, UNLIMITED)]
    assert durations == sorted(durations, reverse=True)


@given(plans(), JOBS)
def test_nothing_starts_early_and_no_more_jobs_run_than_may(plan: Plan, jobs: int) -> None:
    found = schedule(plan, jobs)
    for index, job in enumerate(plan.jobs):
        assert found.starts_us[index] >= plan.begin_us
        assert found.ends_us[index] - found.starts_us[index] >= job.work_us
        for blocker in job.waits_for:
            assert found.ends_us[blocker] <= found.starts_us[index]
        for group in job.inner:
            for make in group:
                for inner, other in enumerate(plan.jobs):
                    if other.make == make:
                        assert found.starts_us[index] <= found.starts_us[inner]
                        assert found.ends_us[inner] <= found.ends_us[index]
    # A job with makes inside lends its slot: count jobs without any.
    leaves = [index for index, job in enumerate(plan.jobs) if not job.inner and job.work_us]
    for index in leaves:
        at_us = found.starts_us[index]
        assert sum(found.starts_us[each] <= at_us < found.ends_us[each] for each in leaves) <= jobs


def test_one_job_more_can_take_longer() -> None:
    """Graham's own example (1969): nine jobs take 12 on three processors, and 15 on four."""
    waits_for = {8: (0,), 4: (3,), 5: (3,), 6: (3,), 7: (3,)}
    plan = flat([3, 2, 2, 2, 4, 4, 4, 4, 9], waits_for)
    assert schedule(plan, 3).duration_us == 12
    assert schedule(plan, 4).duration_us == 15


def test_a_make_with_jobs_of_its_own_keeps_them() -> None:
    inner = [Job(1, (10,)) for _ in range(4)]
    plan = Plan(0, (Job(0, (5, 5), ((1,),)), *inner), (Pool(1), Pool(2, fixed=True)), (0, 1))
    assert [schedule(plan, jobs).duration_us for jobs in (1, 4, UNLIMITED)] == [30, 30, 30]


def test_makes_at_the_same_time_share_the_slots() -> None:
    holder = Job(0, (0, 0), ((1, 2),))
    jobs = (holder, *(Job(make, (10,)) for make in (1, 1, 2, 2)))
    plan = Plan(0, jobs, (Pool(4),), (0, 0, 0))
    assert schedule(plan, UNLIMITED).duration_us == 10
    assert schedule(plan, 2).duration_us == 20  # each has a slot of its own, and there is one more


def test_an_empty_plan_takes_what_make_took() -> None:
    assert schedule(Plan(7, (), (Pool(1),), (0,)), 2).duration_us == 7
    assert critical_path(Plan(7, (), (Pool(1),), (0,))) == []
