"""Which target started each nested make. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from make_metrics.analysis.build import Build, MakeProcess


def holders(build: Build) -> dict[int, int]:
    """For each nested make the index of the target that it runs in.

    A make without recorded targets is passed over: the target that started it holds the makes below it. Makes without
    a recorded target above, and those that damaged data puts inside themselves, have no holder.
    """
    indices = {(target.make, target.name): index for index, target in enumerate(build.targets)}
    with_targets = {target.make for target in build.targets}
    holder_of = {}
    for make in build.makes[1:]:
        if make.number not in with_targets:
            continue
        holder = _holder(build, make, indices)
        if holder is not None:
            holder_of[make.number] = holder
    return {make: holder for make, holder in holder_of.items() if not _in_circle(build, make, holder_of)}


def _holder(build: Build, make: MakeProcess, indices: Mapping[tuple[int, str], int]) -> int | None:
    for _ in build.makes:  # the makes above end at the top; in damaged data they may be a circle
        if make.parent is None:
            return None
        holder = indices.get((make.parent, make.parent_target))
        if holder is not None:
            return holder
        make = build.makes[make.parent]
    return None


def _in_circle(build: Build, make: int, holder_of: Mapping[int, int]) -> bool:
    """Whether the way up from a make ends at itself, or at others that do so."""
    seen = set[int]()
    while make in holder_of and make not in seen:
        seen.add(make)
        make = build.targets[holder_of[make]].make
    return make in seen
