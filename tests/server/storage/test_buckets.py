"""Buckets of durations: every duration has one, and its middle is near."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.server.storage.buckets import LOWER_MS, bucket, middle_ms, quantile_ms


@given(st.integers(0, 2**43))
def test_a_buckets_middle_is_within_five_percent_of_each_of_its_durations(duration_ms: int) -> None:
    number = bucket(duration_ms)
    assert 0 <= number < len(LOWER_MS) < 2**15
    assert LOWER_MS[number] <= duration_ms
    assert abs(middle_ms(number) - duration_ms) <= max(0.05 * duration_ms, 0.5)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200))
def test_a_median_is_near_the_true_one(durations: list[int]) -> None:
    counts: dict[int, int] = {}
    for duration_ms in durations:
        counts[bucket(duration_ms)] = counts.get(bucket(duration_ms), 0) + 1
    low, high = statistics.median_low(durations), statistics.median_high(durations)
    median = quantile_ms(counts, 0.5)
    assert median is not None
    assert 0.94 * low - 1 <= median <= 1.06 * high + 1


def test_without_events_there_is_no_quantile() -> None:
    assert quantile_ms({}, 0.5) is None
