"""Which targets count as slower: properties, and how often the rule is right, with fixed seeds."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis.changes import LEAST_RUNS, Sample, Verdict, changes, matters

TIMES = st.lists(st.integers(0, 10_000_000), max_size=12)
SAMPLES = st.dictionaries(st.integers(), st.builds(Sample, TIMES, TIMES, TIMES), max_size=8)
OPPOSITE = {
    Verdict.SLOWER: Verdict.FASTER,
    Verdict.FASTER: Verdict.SLOWER,
    Verdict.NEW: Verdict.VANISHED,
    Verdict.VANISHED: Verdict.NEW,
}


def verdict(before: list[int], after: list[int], past: list[int] | None = None) -> Verdict:
    return changes({"t": Sample(before, after, past or [])}).by_key["t"].verdict


def noisy(numbers: random.Random, runs: int, *, typical_us: float = 1_000_000, noise: float = 0.1) -> list[float]:
    """Times as builds have them: skewed, and now and then one that took twice as long."""
    return [typical_us * numbers.lognormvariate(0, noise) * (2 if numbers.random() < 0.05 else 1) for _ in range(runs)]


@given(SAMPLES)
def test_a_change_needs_runs_and_a_difference_that_matters(samples: dict[int, Sample]) -> None:
    found = changes(samples)
    assert found.by_key.keys() == samples.keys()
    for key, change in found.by_key.items():
        sample = samples[key]
        if change.verdict in (Verdict.SLOWER, Verdict.FASTER):
            assert change.before_us is not None
            assert change.after_us is not None
            assert matters(change.before_us, change.after_us)
            assert (change.difference_us > 0) == (change.verdict is Verdict.SLOWER)
            assert max(map(len, (sample.before, sample.after, sample.past))) >= LEAST_RUNS
        if change.verdict is Verdict.NEW:
            assert (len(sample.before), change.part) == (0, None)


@given(SAMPLES)
def test_the_order_of_times_and_of_targets_is_nothing(samples: dict[int, Sample]) -> None:
    turned = {
        key: Sample(sample.before[::-1], sample.after[::-1], sample.past[::-1])
        for key, sample in reversed(samples.items())
    }
    before, after = changes(samples), changes(turned)
    assert {key: change.verdict for key, change in before.by_key.items()} == {
        key: change.verdict for key, change in after.by_key.items()
    }
    assert (before.tested, before.blind) == (after.tested, after.blind)


@given(st.lists(st.integers(20_000_000, 30_000_000), min_size=5, max_size=8))
def test_what_became_slower_became_faster_the_other_way_round(times: list[int]) -> None:
    doubled = [2 * time for time in times]
    there, back = verdict(times, doubled), verdict(doubled, times)
    assert OPPOSITE.get(there, there) is back
    assert (max(times) < min(doubled)) <= (there is Verdict.SLOWER)


def test_one_run_on_each_side_is_compared_with_the_past() -> None:
    past = [1_000_000, 1_010_000, 990_000, 1_005_000, 995_000]
    assert verdict([1_000_000], [1_200_000], past) is Verdict.SLOWER
    assert verdict([1_000_000], [800_000], past) is Verdict.FASTER
    assert verdict([1_000_000], [1_200_000], past[:4]) is Verdict.TOO_FEW
    assert verdict([1_000_000], [1_040_000], past) is Verdict.SAME  # under 5%
    assert verdict([1_400_000], [1_005_000], past) is Verdict.SAME  # the earlier one was not usual
    assert verdict([1_000_000], [1_200_000], [800_000, 1_000_000, 1_300_000, 900_000, 1_150_000]) is Verdict.SAME
    # A run that is slower than the one before it, and yet faster than usual.
    assert verdict([500_000], [800_000], past) is Verdict.SAME


def test_one_run_is_compared_with_many() -> None:
    many = [1_000_000, 1_010_000, 990_000, 1_005_000, 995_000]
    assert verdict(many, [1_300_000]) is Verdict.SLOWER
    assert verdict([1_300_000], many) is Verdict.FASTER
    assert verdict(many, [1_020_000]) is Verdict.SAME
    assert verdict(many[:4], [1_300_000]) is Verdict.TOO_FEW


def test_targets_are_new_or_vanished() -> None:
    assert verdict([], [1]) is Verdict.NEW
    assert verdict([1], []) is Verdict.VANISHED


def test_a_few_milliseconds_are_no_change_however_sure() -> None:
    assert verdict([1_000] * 10, [9_000] * 10) is Verdict.SAME
    assert verdict(list(range(100, 120)), list(range(20_000, 20_020))) is Verdict.SLOWER


@pytest.mark.parametrize("runs", [5, 12, 30])
def test_equal_distributions_hardly_ever_differ(runs: int) -> None:
    """Where nothing has changed any report is a false one: in no more than 5% of the comparisons is there one."""
    numbers = random.Random(20)  # noqa: S311
    comparisons, wrong = 1_000, 0
    for _ in range(comparisons):
        samples = {target: Sample(noisy(numbers, runs), noisy(numbers, runs)) for target in range(5)}
        found = changes(samples)
        assert found.tested == 5
        wrong += any(change.verdict is not Verdict.SAME for change in found.by_key.values())
    assert wrong / comparisons <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / comparisons)  # three standard errors


def test_among_equal_and_changed_targets_one_report_in_twenty_may_be_wrong() -> None:
    numbers = random.Random(21)  # noqa: S311
    right = wrong = 0
    for _ in range(50):
        samples = {
            target: Sample(noisy(numbers, 15), noisy(numbers, 15, typical_us=1_000_000 * (1.2 if target < 10 else 1)))
            for target in range(50)
        }
        for target, change in changes(samples).by_key.items():
            reported = change.verdict in (Verdict.SLOWER, Verdict.FASTER)
            right += reported and target < 10
            wrong += reported and target >= 10
    assert wrong / (right + wrong) <= 0.05
    assert right / 500 >= 0.85  # noise of 10%, 15 runs on each side


@pytest.mark.parametrize(("runs", "noise", "least"), [(5, 0.03, 0.75), (10, 0.1, 0.85), (20, 0.1, 0.99)])
def test_a_fifth_more_is_found(runs: int, noise: float, least: float) -> None:
    numbers = random.Random(22)  # noqa: S311
    found = 0
    for _ in range(300):
        before = noisy(numbers, runs, noise=noise)
        after = noisy(numbers, runs, typical_us=1_200_000, noise=noise)
        found += changes({0: Sample(before, after)}).by_key[0].verdict is Verdict.SLOWER
    assert found / 300 >= least


def test_a_single_run_is_seldom_called_slower_without_being_so() -> None:
    numbers = random.Random(23)  # noqa: S311
    wrong = right = 0
    for _ in range(1_000):
        past = [1_000_000 * numbers.lognormvariate(0, 0.03) for _ in range(30)]
        sample = Sample([past[-1]], [1_000_000 * numbers.lognormvariate(0, 0.03)], past)
        slow = replace(sample, after=[sample.after[0] * 1.2])
        found = changes({"same": sample, "slow": slow}).by_key
        wrong += found["same"].verdict is not Verdict.SAME
        right += found["slow"].verdict is Verdict.SLOWER
    assert wrong / 1_000 <= 0.02
    assert right / 1_000 >= 0.95


def test_too_many_targets_for_so_few_runs_are_said() -> None:
    numbers = random.Random(24)  # noqa: S311
    many = {target: Sample(noisy(numbers, 5), noisy(numbers, 5)) for target in range(10)}
    assert changes(many).blind
    assert not changes({0: many[0]}).blind
    # Those that cannot differ by 10 ms cost nothing.
    small = {10 + target: Sample([100.0 * target] * 5, [200.0] * 5) for target in range(40)}
    assert not changes({0: many[0], **small}).blind
    assert changes(small).tested == 0
