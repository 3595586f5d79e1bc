"""Estimates and gains of made-up runs."""

from __future__ import annotations

from hypothesis import given

from make_metrics.analysis.plan import Plan, plan
from make_metrics.analysis.schedule import UNLIMITED
from make_metrics.analysis.what_if import JOBS, what_if
from tests.support.builds import build_of, target
from tests.support.plans import plans


def test_the_run_itself_is_estimated_too() -> None:
    build = build_of(target("a", 0, 100), target("b", 0, 80), target("c", 100, 150, "a"), jobs=2)
    found = what_if(build, plan(build))
    assert (found.recorded_us, found.recorded_jobs, found.again_us, found.bound_us) == (150_000, 2, 150_000, 150_000)
    assert list(found.estimates_us) == list(JOBS)
    assert (found.estimates_us[1], found.estimates_us[UNLIMITED]) == (230_000, 150_000)


def test_half_of_a_target_saves_as_much_as_the_next_chain_lets_it() -> None:
    build = build_of(target("a", 0, 100), target("b", 0, 80), target("c", 100, 150, "a"), jobs=2)
    gains = {build.targets[gain.target].name: gain.saved_us for gain in what_if(build, plan(build)).gains}
    assert gains == {"a": 50_000, "c": 25_000}
    assert "b" not in gains


@given(plans())
def test_no_gain_is_negative_and_each_number_of_jobs_is_asked_once(plan: Plan) -> None:
    found = what_if(build_of(jobs=1), plan, (2, 2, 1))
    assert list(found.estimates_us) == [2, 1]
    assert all(0 < gain.saved_us <= gain.work_us for gain in found.gains)
    assert found.bound_us <= min(found.estimates_us.values())
