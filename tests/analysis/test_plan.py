"""Plans: where a target's own time is, which makes share slots, and data that cannot be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis.build import Build, BuiltTarget, MakeProcess
from make_metrics.analysis.plan import plan
from make_metrics.analysis.schedule import critical_path, schedule
from tests.support.builds import build_of, target


def inner(number: int, parent: int, parent_target: str, jobs: int = 1) -> MakeProcess:
    return MakeProcess(number=number, parent=parent, parent_target=parent_target, level=1, jobs=jobs)


def test_makes_one_after_the_other_cut_a_targets_time() -> None:
    build = build_of(
        target("sub", 0, 100),
        target("a", 10, 30, make=1), target("b", 50, 80, make=2),
        makes=[inner(1, 0, "sub"), inner(2, 0, "sub")],
    )  # fmt: skip
    made = plan(build)
    assert (made.jobs[0].own_us, made.jobs[0].inner) == ((10_000, 20_000, 20_000), ((1,), (2,)))


def test_makes_at_the_same_time_are_one_part() -> None:
    build = build_of(
        target("sub", 0, 100),
        target("a", 10, 60, make=1), target("b", 20, 90, make=2),
        makes=[inner(1, 0, "sub"), inner(2, 0, "sub")],
    )  # fmt: skip
    made = plan(build)
    assert (made.jobs[0].own_us, made.jobs[0].inner) == ((10_000, 10_000), ((1, 2),))


def test_makes_own_time_between_targets_counts_where_it_can_be_seen() -> None:
    targets = (target("a", 5, 10), target("b", 13, 20))
    assert [job.own_us for job in plan(build_of(*targets)).jobs] == [(5_000,), (10_000,)]
    assert [job.own_us for job in plan(build_of(*targets, jobs=2)).jobs] == [(5_000,), (7_000,)]
    assert schedule(plan(build_of(*targets)), 1).duration_us == 20_000


def test_a_make_shares_the_slots_unless_its_number_of_jobs_is_another() -> None:
    def pools(top: int, below: int) -> tuple[int, ...]:
        makes = [inner(1, 0, "sub", jobs=below)]
        return plan(build_of(target("sub", 0, 9), target("a", 1, 8, make=1), jobs=top, makes=makes)).pool_of

    assert (pools(4, 4), pools(4, -1), pools(0, 0), pools(1, 4)) == ((0, 0), (0, 0), (0, 0), (0, 0))
    assert (pools(4, 1), pools(4, 2), pools(0, 2)) == ((0, 1), (0, 1), (0, 1))


def test_a_make_whose_target_is_not_recorded_is_found_above() -> None:
    makes = [inner(1, 0, "sub"), inner(2, 1, "unrecorded"), inner(3, 2, "unrecorded")]
    build = build_of(target("sub", 0, 9), target("a", 1, 8, make=3), makes=makes)
    assert plan(build).jobs[0].inner == ((3,),)


def test_a_make_that_nothing_started_counts_with_the_top_one() -> None:
    build = build_of(target("a", 0, 10), target("b", 10, 20, make=1), makes=[MakeProcess(number=1)])
    assert [job.make for job in plan(build).jobs] == [0, 0]
    assert schedule(plan(build), 1).duration_us == 20_000


@st.composite
def any_builds(draw: st.DrawFn) -> Build:
    """Runs with any times, parents and names, as damaged data may have."""
    count = draw(st.integers(1, 4))
    names = st.sampled_from(["a", "b", "c", "./a", "d"])
    makes = [
        MakeProcess(number=number, parent=draw(st.integers(0, count - 1) | st.none()), parent_target=draw(names),
                    level=draw(st.integers(0, 3)), jobs=draw(st.integers(-1, 3)))
        for number in range(count)
    ]  # fmt: skip
    targets: dict[tuple[int, str], BuiltTarget] = {}
    for _ in range(draw(st.integers(0, 10))):
        start, length, make, name = draw(
            st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, count - 1), names)
        )
        needs = draw(st.lists(names, max_size=2))
        targets[make, name] = target(name, start, start + length, *needs, make=make, known=draw(st.booleans()))
    made = build_of(*targets.values())
    return Build(id="r", started_ns=0, duration_us=made.duration_us, status=0, makes=tuple(makes), targets=made.targets)


@given(any_builds(), st.integers(0, 4))
def test_any_data_can_be_scheduled_to_its_end(build: Build, jobs: int) -> None:
    made = plan(build, {(0, "d"): None, (0, "a"): 5_000})
    found = schedule(made, jobs)
    assert all(start_us >= 0 for start_us in found.starts_us)
    assert all(each < at for at, job in enumerate(made.jobs) for each in job.waits_for)
    assert sum(step.own_us for step in critical_path(made)) <= max(found.ends_us, default=0)


@st.composite
def serial_builds(draw: st.DrawFn) -> Build:
    """Runs of one job at a time, with makes inside makes, whose times fit together."""
    gaps = st.integers(0, 5)
    makes, targets = list[MakeProcess](), list[BuiltTarget]()

    def run_make(parent: int | None, holder: str, start: int, depth: int) -> int:
        number, time = len(makes), start
        makes.append(MakeProcess(number=number, parent=parent, parent_target=holder, level=depth, jobs=1))
        for each in range(draw(st.integers(1, 3))):
            begin = time + draw(gaps)
            time = begin + draw(gaps)
            for _ in range(draw(st.integers(0, 2)) if depth < 2 else 0):
                time = run_make(number, f"t{each}", time + draw(gaps), depth + 1) + draw(gaps)
            needs = [f"t{draw(st.integers(0, each))}"] if draw(st.booleans()) else []
            targets.append(target(f"t{each}", begin, time, *needs, make=number))
        return time

    run_make(None, "", draw(gaps), 0)
    made = build_of(*targets)
    return Build(id="r", started_ns=0, duration_us=made.duration_us, status=0, makes=tuple(makes), targets=made.targets)


@given(serial_builds())
def test_one_job_at_a_time_takes_again_what_it_took(build: Build) -> None:
    made = plan(build)
    assert schedule(made, 1).duration_us == build.duration_us
    assert made.begin_us + sum(step.own_us for step in critical_path(made)) <= build.duration_us
