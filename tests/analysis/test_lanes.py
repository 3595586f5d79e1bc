"""Lanes of jobs: spans nest in each, and there are no more lanes than jobs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis.build import Build, MakeProcess
from make_metrics.analysis.lanes import job_lanes, lanes
from tests.support.builds import build_of, nested_builds, target


def test_a_nested_makes_first_job_is_inside_and_its_second_beside() -> None:
    makes = [MakeProcess(number=1, parent=0, parent_target="sub", level=1)]
    build = build_of(
        target("sub", 0, 100), target("x", 10, 60, make=1), target("y", 10, 50, make=1), target("z", 60, 90, make=1),
        target("after", 100, 110), makes=makes,
    )  # fmt: skip
    places = {made.name: tuple(place) for made, place in zip(build.targets, job_lanes(build), strict=True)}
    assert places == {"sub": (0, 0), "x": (0, 1), "y": (1, 0), "z": (0, 1), "after": (0, 0)}


@given(nested_builds())
def test_in_a_lane_spans_are_one_inside_the_other_or_one_after_the_other(build: Build) -> None:
    places = job_lanes(build)
    for index, (lane, depth) in enumerate(places):
        one = build.targets[index]
        for other_index in range(index):
            other, (other_lane, other_depth) = build.targets[other_index], places[other_index]
            if other_lane == lane and other.start_us <= one.start_us < other.end_us:
                assert one.end_us <= other.end_us
                assert depth > other_depth


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20))))
def test_in_a_lane_nothing_overlaps_and_no_lane_is_too_many(spans: list[tuple[int, int]]) -> None:
    ordered = sorted((start, start + length) for start, length in spans)
    found = lanes(ordered)
    for index, (start, _) in enumerate(ordered):
        before = [at for at in range(index) if ordered[at][1] > start]
        assert found[index] not in {found[at] for at in before}
        assert found[index] <= max((found[at] for at in before), default=-1) + 1 or found[index] <= len(before)
