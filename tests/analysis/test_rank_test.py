"""Mann and Whitney's test against every division of the values, and Benjamini and Hochberg's rule against its text."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis import rank_test
from make_metrics.analysis.rank_test import adjusted, least_p, mann_whitney

SAMPLE = st.lists(st.integers(0, 9), min_size=1, max_size=6)
P_VALUES = st.lists(st.floats(0, 1), max_size=20)


def u_of(first: list[int], second: list[int]) -> float:
    """Of all pairs, those whose first value is the larger one; ties count half."""
    return sum((a > b) + (a == b) / 2 for a in first for b in second)


def by_counting(first: list[int], second: list[int]) -> float:
    """The part of all divisions of the values whose U is as far from the middle."""
    values, middle = first + second, len(first) * len(second) / 2
    far = abs(u_of(first, second) - middle)
    divisions = list(itertools.combinations(range(len(values)), len(first)))
    as_far = 0
    for division in divisions:
        chosen = [values[place] for place in division]
        rest = [value for place, value in enumerate(values) if place not in division]
        as_far += abs(u_of(chosen, rest) - middle) >= far
    return as_far / len(divisions)


@given(SAMPLE, SAMPLE)
def test_u_and_p_are_those_of_all_divisions_into_two_samples(first: list[int], second: list[int]) -> None:
    test = mann_whitney(first, second)
    assert test.u == u_of(first, second)
    assert test.p == pytest.approx(by_counting(first, second))
    assert mann_whitney(second, first).p == pytest.approx(test.p)


@pytest.mark.parametrize("values", [range(1000), range(7)], ids=["few ties", "many ties"])
def test_the_approximation_agrees_with_the_exact_test_where_both_are_possible(
    values: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = random.Random(3)  # noqa: S311
    samples = [[[numbers.choice(values) for _ in range(size)] for size in (18, 20)] for _ in range(100)]
    exact = [mann_whitney(*pair).p for pair in samples]
    monkeypatch.setattr(rank_test, "_EXACT", 0)
    assert [mann_whitney(*pair).p for pair in samples] == pytest.approx(exact, abs=0.02)
    assert [mann_whitney(*pair).p for pair in samples] != exact


def test_known_values() -> None:
    assert mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]).p == pytest.approx(2 / 252)
    assert least_p(5, 5) == pytest.approx(2 / 252)
    assert mann_whitney([3] * 100, [3] * 100).p == 1
    assert mann_whitney(list(range(100)), list(range(100, 200))).p < 1e-30
    # Mann and Whitney's own numbers, as R's wilcox.test gives them (exact, then approximated).
    first = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    second = [1.15, 0.88, 0.90, 0.74, 1.21]
    test = mann_whitney(first, second)
    assert (test.u, round(test.p, 4)) == (35, 0.2544)


def test_scipy_says_the_same() -> None:
    stats = pytest.importorskip("scipy.stats")
    numbers = random.Random(1)  # noqa: S311
    for size, others, method in ((5, 9, "exact"), (20, 20, "exact"), (40, 60, "asymptotic")):
        first, second = ([numbers.random() for _ in range(count)] for count in (size, others))
        expected = stats.mannwhitneyu(first, second, alternative="two-sided", method=method)
        test = mann_whitney(first, second)
        assert test.u == expected.statistic
        assert test.p == pytest.approx(expected.pvalue)


@given(P_VALUES, st.floats(0.001, 0.5))
def test_what_is_below_a_level_is_what_the_step_up_rule_takes(p_values: list[float], level: float) -> None:
    ordered = sorted(p_values)
    taken = max((k for k, p in enumerate(ordered, 1) if p <= k / len(ordered) * level), default=0)
    found = adjusted(p_values)
    assert all(raised >= p * (1 - 1e-9) for raised, p in zip(found, p_values, strict=True))
    # Rounding may take a value at the level to either side.
    assert sum(p < level * (1 - 1e-9) for p in found) <= taken <= sum(p <= level * (1 + 1e-9) for p in found)


def test_adjusting_keeps_the_order_and_one_test_as_it_is() -> None:
    assert adjusted([0.03]) == [0.03]
    assert adjusted([]) == []
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert math.isclose(max(adjusted([0.9, 1.0, 0.8])), 1.0)
