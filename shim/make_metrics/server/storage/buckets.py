"""Buckets of durations: eight for each doubling, so that a bucket's middle is within 5% of all its durations."""

from __future__ import annotations

import bisect

_PER_DOUBLING = 8
_DOUBLINGS = 43
# Whole milliseconds, each bound once: 0, 1, 2, ... and then eight for each doubling.
LOWER_MS: tuple[int, ...] = tuple(
    sorted({0, *(round(2 ** (step / _PER_DOUBLING)) for step in range(_PER_DOUBLING * _DOUBLINGS + 1))})
)
"""The least duration of each bucket, in milliseconds, by the bucket's number."""


def bucket(duration_ms: int) -> int:
    """The number of the bucket that a duration falls into; 0 is for 0 ms."""
    return bisect.bisect_right(LOWER_MS, duration_ms) - 1


def middle_ms(number: int) -> float:
    """The duration that stands for all of a bucket, in milliseconds."""
    lower = LOWER_MS[number]
    upper = LOWER_MS[number + 1] if number + 1 < len(LOWER_MS) else lower + 1
    return (lower + upper - 1) / 2


def quantile_ms(counts: dict[int, int], share: float) -> float | None:
    """The duration below which a share of the events lies (0.5: the median), in milliseconds; None without events.

    `counts` has the number of events by bucket.
    """
    total = sum(counts.values())
    if not total:
        return None
    rank, seen = share * (total - 1), 0
    for number in sorted(counts):
        seen += counts[number]
        if seen > rank:
            return middle_ms(number)
    return middle_ms(max(counts))
