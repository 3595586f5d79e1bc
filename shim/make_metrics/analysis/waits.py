"""What each target of a run waits for. Pure.

Make's own prerequisites tell it where they are known. The rest is inferred:

- **A free slot**: make starts a target as soon as it can. If a slot was free and the target began only when another one
  ended, it waited for that one. This also finds `.WAIT`, and needs a run with more than one job.
- **A file's time**: a prerequisite that is no target of the run, but a file that was written while a target ran, was
  made by that target (grouped targets and pattern rules with several make more than one file).
- **No such file**: a prerequisite that is neither a target of the run nor a file has no recipe. Who waits for it waits
  for all targets before that nobody else waits for.
- **Too many**: make hands over few prerequisites. Where it did so for others of the same make, a target of which it did
  not has many, as a program has that is linked: it waits for all targets before that nobody else waits for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from make_metrics.analysis.build import NO_LIMIT, Build, BuiltTarget
from make_metrics.analysis.running import Running
from make_metrics.combine.parts import without_dot
from make_metrics.dataclass import dataclass

# What the disk says about names that are no target of a run: for the number of a make and a name, None if there is no
# such file, else its time of modification in microseconds from the run's start.
Disk = Mapping[tuple[int, str], "int | None"]

_SOON_US = 200_000  # make starts a target this soon after what it waited for, also on a busy machine
_UNUSED_US = 50_000  # a slot that was free for so long would have been used
_EACH_US = 20_000  # within this time make starts one more target that is ready, also on a busy machine
_CLOCKS_US = 10_000  # how much a file's time and ours may differ


@dataclass(slots=True)
class Knowledge:
    """How much is known of what targets wait for.

    `known` counts targets whose prerequisites make told, `inferred` those that wait for an inferred one. `unknown`
    counts those of which nothing is told: times show what they wait for only where a slot was free.
    """

    known: int = 0
    inferred: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Slots:
    """The job slots of a pool: their number, 0 for no limit, and how many were in use when."""

    limit: int
    running: Running

    @property
    def serial(self) -> bool:
        """Whether one job ran at a time."""
        return self.limit == 1

    def had_one_before(self, time_us: int) -> bool:
        """Whether a slot was free before a time, for long enough that make would have used it."""
        return self.limit == NO_LIMIT or self.running.most_between(time_us - _UNUSED_US, time_us) < self.limit


def waits(build: Build, slots_of: Sequence[Slots], disk: Disk, knowledge: Knowledge) -> list[tuple[int, ...]]:
    """What each target waits for, as indices of earlier targets; adds to `knowledge`.

    `slots_of` has the job slots of each make.
    """
    waits_for = []
    members = [_Members(build, make.number) for make in build.makes]
    telling = {target.make for target in build.targets if target.prerequisites is not None}
    for index, target in enumerate(build.targets):
        of_make, slots = members[target.make], slots_of[target.make]
        known = of_make.known(target)
        inferred = of_make.from_disk(target, disk) - known
        if target.prerequisites is not None:
            knowledge.known += 1
        elif target.make in telling:
            inferred |= of_make.free_before(target)
        else:
            knowledge.unknown += 1
        blocker = of_make.last_ended(target)
        if blocker is not None and not slots.serial:
            end_us = build.targets[blocker].end_us
            ready_us = max((build.targets[each].end_us for each in known | inferred), default=of_make.start_us)
            told = target.prerequisites is not None
            waited = ready_us < end_us and (not told or of_make.was_held_up(ready_us, end_us))
            if waited and target.start_us - end_us <= _SOON_US and slots.had_one_before(end_us):
                inferred.add(blocker)
        knowledge.inferred += bool(inferred)
        of_make.add(index, target, known | inferred)
        waits_for.append(tuple(sorted(known | inferred)))
    return waits_for


class _Members:
    """The targets of one make so far, in the order in which they began."""

    def __init__(self, build: Build, make: int) -> None:
        self._build, self._make = build, make
        self._by_name: dict[str, int] = {}
        self._starts: list[int] = []
        self._ends: list[tuple[int, int]] = []  # ends and indices, sorted
        self._free: set[int] = set()  # those that nobody waits for yet
        self._groups: dict[str, frozenset[int]] = {}  # of targets without a recipe

    def add(self, index: int, target: BuiltTarget, waits_for: set[int]) -> None:
        """Add the next target."""
        self._by_name[without_dot(target.name)] = index
        self._starts.append(target.start_us)
        entry = (target.end_us, index)
        self._ends.insert(bisect_right(self._ends, entry), entry)
        self._free -= waits_for
        self._free.add(index)

    @property
    def start_us(self) -> int:
        """When its first target began, -1 if none has."""
        return self._starts[0] if self._starts else -1

    def was_held_up(self, ready_us: int, until_us: int) -> bool:
        """Whether a target that was ready at a time was held up: make had time to start it beside the others."""
        others = bisect_right(self._starts, until_us) - bisect_left(self._starts, ready_us)
        return until_us - ready_us > _UNUSED_US + others * _EACH_US

    def known(self, target: BuiltTarget) -> set[int]:
        """Its recorded prerequisites."""
        names = map(without_dot, (*(target.prerequisites or ()), *(target.order_only or ())))
        return {self._by_name[name] for name in names if name in self._by_name}

    def last_ended(self, target: BuiltTarget) -> int | None:
        """The last target that had ended when this one began; None if there is none."""
        at = bisect_right(self._ends, (target.start_us, len(self._build.targets)))
        return self._ends[at - 1][1] if at else None

    def from_disk(self, target: BuiltTarget, disk: Disk) -> set[int]:
        """The targets behind prerequisites that are no targets of the run."""
        waits_for: set[int] = set()
        for name in (*(target.prerequisites or ()), *(target.order_only or ())):
            if without_dot(name) in self._by_name or (self._make, name) not in disk:
                continue
            written_us = disk[self._make, name]
            if written_us is None:
                waits_for |= self._group(name, target)
            elif 0 <= written_us <= target.start_us + _CLOCKS_US and (maker := self._maker(written_us, target)):
                waits_for |= maker
        return waits_for

    def _group(self, name: str, target: BuiltTarget) -> frozenset[int]:
        if name not in self._groups:
            self._groups[name] = frozenset(self.free_before(target))
        return self._groups[name]

    def free_before(self, target: BuiltTarget) -> set[int]:
        """The targets that had ended when this one began, and that nobody waits for yet."""
        return {each for each in self._free if self._build.targets[each].end_us <= target.start_us}

    def _maker(self, written_us: int, target: BuiltTarget) -> set[int]:
        """Of the targets that ran when a file was written the one that ended first."""
        targets = self._build.targets
        for end_us, index in self._ends[bisect_right(self._ends, (written_us - _CLOCKS_US, -1)) :]:
            if end_us > target.start_us:
                break
            if targets[index].start_us <= written_us + _CLOCKS_US:
                return {index}
        return set()
