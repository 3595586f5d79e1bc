"""How many jobs ran at each moment of a run. Pure.

A target that waits for a make inside its recipe runs no job: make lends its slot to the nested make.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection

from make_metrics.analysis.build import Build
from make_metrics.analysis.nesting import holders
from make_metrics.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Running:
    """From each of `times_us`, in order, until the next one as many jobs ran as `counts` says."""

    times_us: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def most(self) -> int:
        """The most jobs that ran at once, at least 1."""
        return max(self.counts, default=1) or 1

    @property
    def work_us(self) -> int:
        """The time of all jobs together."""
        steps = zip(self.times_us, self.times_us[1:], self.counts, strict=False)
        return sum((end_us - start_us) * count for start_us, end_us, count in steps)

    def most_between(self, start_us: int, end_us: int) -> int:
        """The most jobs that ran at once between two times."""
        first = max(0, bisect_right(self.times_us, start_us) - 1)
        return max(self.counts[first : bisect_left(self.times_us, end_us)], default=0)


def running_jobs(build: Build, makes: Collection[int] | None = None) -> Running:
    """The running jobs of some makes of a run, by their numbers; of all without `makes`."""
    lender = {make: holder for make, holder in holders(build).items()
              if makes is None or build.targets[holder].make in makes}  # fmt: skip
    changes = []
    for index, target in enumerate(build.targets):
        if makes is None or target.make in makes:
            changes += [(target.start_us, 1, index), (target.end_us, -1, index)]
    changes.sort(key=lambda change: change[:2])  # what ends at a time has ended before what begins then
    times_us, counts, count = list[int](), list[int](), 0
    active = [0] * len(build.makes)  # running targets of each make
    lent = [0] * len(build.targets)  # makes with running targets inside each running target
    runs = [False] * len(build.targets)
    for time_us, change, index in changes:
        make_number = build.targets[index].make
        inside = lender.get(make_number)
        runs[index] = change > 0
        count += change if not lent[index] else 0
        active[make_number] += change
        if inside is not None and active[make_number] == (1 if change > 0 else 0):
            lent[inside] += change
            if runs[inside] and lent[inside] == (1 if change > 0 else 0):
                count -= change
        if times_us and times_us[-1] == time_us:
            counts[-1] = count
        else:
            times_us.append(time_us)
            counts.append(count)
    return Running(tuple(times_us), tuple(counts))
