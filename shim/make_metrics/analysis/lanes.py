"""Lanes to draw a run in: one for each job that ran at once, in which spans nest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from make_metrics.analysis.build import Build
from make_metrics.analysis.nesting import holders


class Place(NamedTuple):
    """Where a target is drawn: its lane, and how many targets it is inside of there."""

    lane: int
    depth: int


def job_lanes(build: Build) -> list[Place]:
    """The place of each target: a nested make's first job is inside the target that started it, as it uses its slot.

    Each further job takes the first lane where nothing runs. In a lane two targets are one inside the other, or one
    after the other.
    """
    holder_of = holders(build)
    stacks: list[list[int]] = []  # the targets that run in each lane, from the outermost to the innermost
    places: list[Place] = []
    for index, target in enumerate(build.targets):
        for stack in stacks:
            while stack and build.targets[stack[-1]].end_us <= target.start_us:
                stack.pop()
        holder = holder_of.get(target.make)
        lane = None
        if holder is not None and holder < index and target.end_us <= build.targets[holder].end_us:
            own = places[holder].lane
            lane = own if stacks[own] and stacks[own][-1] == holder else None
        if lane is None:
            lane = next((at for at, stack in enumerate(stacks) if not stack), len(stacks))
        if lane == len(stacks):
            stacks.append([])
        places.append(Place(lane, len(stacks[lane])))
        stacks[lane].append(index)
    return places


def lanes(spans: Sequence[tuple[int, int]]) -> list[int]:
    """A lane for each span of start and end, in order of their starts: the first in which nothing overlaps it."""
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    lane_of_each = []
    for start, end in spans:
        while busy and busy[0][0] <= start:
            heappush(free, heappop(busy)[1])
        lane = heappop(free) if free else len(busy)
        heappush(busy, (end, lane))
        lane_of_each.append(lane)
    return lane_of_each
