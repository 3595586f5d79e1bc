"""Whether two samples differ by more than chance, without an assumption about their distribution. Pure.

H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the
other" (1947); Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate" (1995).
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

_EXACT = 40  # values of both samples together, up to which all divisions into two samples are counted
_FIELD_BITS = 64  # each count has so many bits of one integer; C(40, 20) takes 38


class RankTest(NamedTuple):
    """Mann and Whitney's U of the first sample, and the two-sided p-value: how often chance alone gives such a U."""

    u: float
    p: float


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Compare two samples of one value or more each, which may have ties.

    Of up to 40 values p is exact: the part of all divisions of these values into two such samples whose U is as far
    from the middle, or farther. Beyond, it is the normal approximation with corrections for ties and continuity.
    """
    doubled = _doubled_ranks(first, second)
    size, others = len(first), len(second)
    rank_sum = sum(doubled[:size])
    u = rank_sum / 2 - size * (size + 1) / 2
    if size + others <= _EXACT:
        return RankTest(u, _exact(tuple(sorted(doubled)), size, rank_sum))
    return RankTest(u, _approximate(u, size, others, doubled))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """The p-values of many tests, each raised so that of those below 0.05 no more than 5% are expected to be chance.

    This is Benjamini and Hochberg's step-up rule.
    """
    count = len(p_values)
    least, raised = 1.0, [0.0] * count
    by_size = sorted(range(count), key=lambda place: -p_values[place])
    for above, place in enumerate(by_size):
        least = min(least, p_values[place] * count / (count - above))
        raised[place] = least
    return raised


def least_p(size: int, others: int) -> float:
    """The smallest p-value that samples of these sizes can have, without ties."""
    return min(1.0, 2 / math.comb(size + others, size))


def _doubled_ranks(first: Sequence[float], second: Sequence[float]) -> list[int]:
    """Twice the rank of each value among all; equal values share the mean of their ranks."""
    values = [*first, *second]
    doubled, before = [0] * len(values), 0
    order = sorted(range(len(values)), key=values.__getitem__)
    for _, group in groupby(order, key=values.__getitem__):
        places = list(group)
        for place in places:
            doubled[place] = 2 * before + len(places) + 1
        before += len(places)
    return doubled


@functools.lru_cache(maxsize=256)
def _exact(doubled: tuple[int, ...], size: int, rank_sum: int) -> float:
    # counts[n] holds, for each sum, how many choices of n ranks have it: one field of an integer for each sum.
    counts = [1] + [0] * size
    for seen, rank in enumerate(doubled, start=1):
        for chosen in range(min(seen, size), 0, -1):
            counts[chosen] += counts[chosen - 1] << (_FIELD_BITS * rank)
    sums = sum(doubled) + 1
    by_sum: tuple[int, ...] = struct.unpack(f"<{sums}Q", counts[size].to_bytes(sums * _FIELD_BITS // 8, "little"))
    middle = size * (len(doubled) + 1)  # twice the mean of the sum of so many ranks
    far = abs(rank_sum - middle)
    as_far = sum(count for value, count in enumerate(by_sum) if count and abs(value - middle) >= far)
    return as_far / math.comb(len(doubled), size)


def _approximate(u: float, size: int, others: int, doubled: Sequence[int]) -> float:
    count = size + others
    ties = sum((same := len(list(group))) ** 3 - same for _, group in groupby(sorted(doubled)))
    variance = size * others / 12 * (count + 1 - ties / (count * (count - 1)))
    if variance <= 0:
        return 1.0
    far = max(0.0, abs(u - size * others / 2) - 0.5) / math.sqrt(variance)
    return math.erfc(far / math.sqrt(2))
