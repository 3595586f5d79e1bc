"""Which targets became slower or faster: the rule of docs/decisions/0022-comparing-runs.md. Pure.

The same rule judges a developer's own runs and a team's: it is a function of numbers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import Enum
from statistics import median
from typing import Generic, TypeVar

from make_metrics.analysis.rank_test import adjusted, least_p, mann_whitney
from make_metrics.dataclass import dataclass

LEAST_RUNS = 5  # on each side; with four, not even the clearest order of two targets' times would count
SIGNIFICANT = 0.05  # the part of the reported changes that may be chance
LEAST_PART, LEAST_US = 0.05, 10_000  # a smaller difference of the medians is no change
_DEVIATIONS, _NORMAL = 3, 1.4826  # 1.4826 times the MAD is the standard deviation of a normal distribution

Key = TypeVar("Key", bound=Hashable)


class Verdict(Enum):
    """What became of a target."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "same"
    TOO_FEW = "too few runs"
    NEW = "new"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class Sample:
    """A target's times in microseconds, one for each run: those before, those after.

    `past` are those of earlier runs, for the comparison of two single runs: how much they differ is what is usual.
    """

    before: Sequence[float]
    after: Sequence[float]
    past: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a target: medians of its times in microseconds, None if it was not made on that side.

    `before_runs` and `after_runs` are how many times there are. `p` is the adjusted p-value; None where the target was
    not tested, because it had too few runs, or because its times differ too little to be a change in any order.
    """

    verdict: Verdict
    before_us: float | None
    after_us: float | None
    before_runs: int
    after_runs: int
    p: float | None = None

    @property
    def difference_us(self) -> float:
        """How many microseconds slower it became; negative if it became faster. A side without it counts as 0."""
        return (self.after_us or 0) - (self.before_us or 0)

    @property
    def part(self) -> float | None:
        """By which part of its time before it became slower; None if there was none."""
        return self.difference_us / self.before_us if self.before_us and self.after_us is not None else None


@dataclass(frozen=True, slots=True)
class Changes(Generic[Key]):
    """All targets' changes. `tested` is how many were tested by ranks.

    `blind` is whether one target that changed alone could not be told from chance: so many targets need more runs.
    """

    by_key: Mapping[Key, Change]
    tested: int
    blind: bool


def changes(samples: Mapping[Key, Sample] | Iterable[tuple[Key, Sample]]) -> Changes[Key]:
    """What became of each target. Of the samples, one at a time is in use.

    With at least 5 runs on each side: its times differ by more than chance (Mann and Whitney's test, Benjamini and
    Hochberg's rule over all targets that are tested), and the medians by 5% and 10 ms at least. With one run on a side:
    the other side, or the past where both have one run, has at least 5, and the one run differs from their median by
    more than 3 times 1.4826 times the median absolute deviation, and by 5% and 10 ms.
    """
    pairs = samples.items() if isinstance(samples, Mapping) else samples
    judged = {key: _judged(sample) for key, sample in pairs}
    tested = {key: each.p for key, each in judged.items() if each.p is not None}
    p_values = dict(zip(tested, adjusted(list(tested.values())), strict=True))
    possible = [least_p(judged[key].before_runs, judged[key].after_runs) for key in tested]
    return Changes(
        {key: _change(each, p_values.get(key)) for key, each in judged.items()},
        tested=len(tested),
        blind=bool(possible) and min(possible) * len(possible) > SIGNIFICANT,
    )


def matters(before_us: float, after_us: float) -> bool:
    """Whether two times differ by 5% of the first and 10 ms at least."""
    return abs(after_us - before_us) >= max(LEAST_US, LEAST_PART * before_us)


def is_unusual(time_us: float, past: Sequence[float]) -> bool:
    """Whether a time is farther from the median of the past than three deviations, as their MAD estimates them."""
    middle = median(past)
    return abs(time_us - middle) > _DEVIATIONS * _NORMAL * median(abs(value - middle) for value in past)


def _may_differ(sample: Sample) -> bool:
    # This looks at the times of both sides together, not at which side they are from. So it spares tests without
    # favouring chance: Bourgon, Gentleman and Huber, "Independent filtering" (2010).
    values = [*sample.before, *sample.after]
    return matters(min(values), max(values))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a target's times say without those of other targets: `single` as `_single_counts`, `p` not yet adjusted."""

    before_us: float | None
    after_us: float | None
    before_runs: int
    after_runs: int
    single: bool | None
    p: float | None


def _judged(sample: Sample) -> _Judged:
    before, after = sample.before, sample.after
    is_tested = min(len(before), len(after)) >= LEAST_RUNS and _may_differ(sample)
    return _Judged(
        before_us=median(before) if before else None,
        after_us=median(after) if after else None,
        before_runs=len(before),
        after_runs=len(after),
        single=_single_counts(sample),
        p=mann_whitney(before, after).p if is_tested else None,
    )


def _change(judged: _Judged, p: float | None) -> Change:
    before, after, counts = judged.before_us, judged.after_us, judged.single
    if before is None or after is None:
        verdict, p = Verdict.NEW if before is None else Verdict.VANISHED, None
    elif counts is None and min(judged.before_runs, judged.after_runs) < LEAST_RUNS:
        verdict, p = Verdict.TOO_FEW, None
    else:
        counts = p is not None and p < SIGNIFICANT if counts is None else counts
        slower = Verdict.SLOWER if after > before else Verdict.FASTER
        verdict = slower if counts and matters(before, after) else Verdict.SAME
    return Change(verdict, before, after, judged.before_runs, judged.after_runs, p)


def _single_counts(sample: Sample) -> bool | None:
    """Whether a single run differs from what is usual; None if that is not to be asked, or too few runs tell."""
    before, after = sample.before, sample.after
    if len(before) == len(after) == 1:
        if len(sample.past) < LEAST_RUNS:
            return None
        # The run that is not usual must be the later one, and in the direction in which the two differ.
        middle = median(sample.past)
        same_way = (after[0] > middle) == (after[0] > before[0])
        return same_way and matters(middle, after[0]) and is_unusual(after[0], sample.past)
    if len(before) == 1 and len(after) >= LEAST_RUNS:
        return is_unusual(before[0], after)
    if len(after) == 1 and len(before) >= LEAST_RUNS:
        return is_unusual(after[0], before)
    return None
