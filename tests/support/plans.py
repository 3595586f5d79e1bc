"""Plans of runs that are made up, for property tests: any graph, and makes inside makes."""

from __future__ import annotations

from hypothesis import strategies as st

from make_metrics.analysis.plan import Job, Plan, Pool

TIMES = st.integers(0, 50)


@st.composite
def plans(draw: st.DrawFn, *, edges: bool = True, nested: bool = True) -> Plan:
    """A plan with up to three makes below the top one, all in the pool of the run."""
    count = draw(st.integers(1, 14))
    makes = draw(st.integers(1, 4)) if nested else 1
    make_of = [0, *(draw(st.integers(0, makes - 1)) for _ in range(count - 1))]
    inner_of: dict[int, list[tuple[int, ...]]] = {}
    for make in range(1, makes):
        holders = [index for index in range(count) if make_of[index] < make]
        holder = draw(st.sampled_from(holders))
        if make in make_of:
            inner_of.setdefault(holder, []).append((make,))
    jobs = []
    for index in range(count):
        earlier = [each for each in range(index) if make_of[each] == make_of[index]]
        waits_for = draw(st.sets(st.sampled_from(earlier), max_size=3)) if edges and earlier else set()
        inner = tuple(inner_of.get(index, ()))
        own_us = tuple(draw(TIMES) for _ in range(len(inner) + 1))
        jobs.append(Job(make_of[index], own_us, inner, tuple(sorted(waits_for))))
    return Plan(draw(TIMES), tuple(jobs), (Pool(1),), (0,) * makes)


def serial_us(plan: Plan) -> int:
    """The time of all jobs one after the other."""
    return plan.begin_us + sum(job.work_us for job in plan.jobs)
