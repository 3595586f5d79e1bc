from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.combine.event import Event, message_id
from make_metrics.combine.record import Contents, Line, Make
from make_metrics.combine.run import Run, events_of, gather, merge
from tests.support.generated_records import CONTENTS
from tests.support.records import line, slower


def run_of(*parts: Line | Make) -> Run:
    contents = Contents(
        lines=[part for part in parts if isinstance(part, Line)],
        makes=[part for part in parts if isinstance(part, Make)],
    )
    return gather("r", contents)


def events_by_target(*parts: Line | Make) -> dict[str, Event]:
    """The events of a run, by target. Its makes have no target in common."""
    return {event.target: event for event in events_of(run_of(*parts))}


def statuses(*parts: Line | Make) -> dict[str, int]:
    return {target: event.exit_status for target, event in events_by_target(*parts).items()}


def top(*goals: str, parallel: bool = False, keep_going: bool = False, ignore_errors: bool = False) -> Make:
    return Make(key="m", goals=goals, parallel=parallel, keep_going=keep_going, ignore_errors=ignore_errors)


@given(CONTENTS, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(contents: Contents, random: st.DataObject) -> None:
    mixed = Contents(lines=[*contents.lines], makes=[*contents.makes], needs=[*contents.needs], torn=contents.torn)
    random.shuffle(mixed.lines)  # type: ignore[attr-defined]
    random.shuffle(mixed.makes)  # type: ignore[attr-defined]
    random.shuffle(mixed.needs)  # type: ignore[attr-defined]
    assert gather("r", mixed) == gather("r", contents)
    assert events_of(gather("r", mixed)) == events_of(gather("r", contents))


@given(CONTENTS, CONTENTS)
def test_parts_add_up_to_the_whole(left: Contents, right: Contents) -> None:
    whole = Contents(
        lines=left.lines + right.lines,
        makes=left.makes + right.makes,
        needs=left.needs + right.needs,
        torn=left.torn + right.torn,
    )
    merged = merge(gather("r", left), gather("r", right))
    assert merged == gather("r", whole) == merge(gather("r", right), gather("r", left))
    assert events_of(merged) == events_of(gather("r", whole))


def test_processor_time_is_the_sum_and_memory_the_maximum_of_the_lines() -> None:
    events = events_by_target(
        line("a", usage=(5, 70)), line("a", start=5, usage=(7, 60)), line("b", start=9, usage=(1, 90)), top("x")
    )
    assert {name: (event.cpu_us, event.peak_kib) for name, event in events.items()} == {
        "a": (12, 70),
        "b": (1, 90),
        "x": (None, None),
    }


def test_a_line_without_usage_makes_the_targets_usage_unknown() -> None:
    (event,) = events_by_target(line("a", usage=(5, 70)), line("a", start=5, usage=None), top("a")).values()
    assert (event.cpu_us, event.peak_kib) == (None, None)


@given(CONTENTS)
def test_merging_does_not_change_its_arguments(contents: Contents) -> None:
    left, right = gather("r", contents), gather("r", contents)
    merge(left, right)
    assert left == right == gather("r", contents)


@given(CONTENTS)
def test_each_target_has_one_event_and_each_line_is_counted_once(contents: Contents) -> None:
    events = events_of(gather("r", contents))
    counts = Counter((event.make, event.target) for event in events)
    assert set(counts.values()) <= {1}
    assert {(part.make, part.target.removeprefix("./")) for part in contents.lines} <= counts.keys()
    assert len({event.message_id for event in events}) == len(events)
    assert sum(event.recipe_lines for event in events) == len(contents.lines)
    busy_ms = sum(part.end_ns - part.start_ns for part in contents.lines) / 1_000_000
    assert abs(sum(event.recipe_ms for event in events) - busy_ms) <= 0.5 * len(events)


@given(CONTENTS)
def test_no_duration_is_negative_or_shorter_than_the_targets_own_lines(contents: Contents) -> None:
    for event in events_of(gather("r", contents)):
        own = [
            part for part in contents.lines if (part.make, part.target.removeprefix("./")) == (event.make, event.target)
        ]
        assert event.duration_ms >= 0
        assert event.recipe_ms >= 0
        assert -64 <= event.exit_status <= 255
        assert (event.recipe_lines == 0) == (not own)
        if own:
            span = max(part.end_ns for part in own) - min(part.start_ns for part in own)
            assert event.duration_ms >= span / 1_000_000 - 0.5


def test_a_target_of_several_lines_is_one_event() -> None:
    events = events_by_target(line("a", start=0, end=10), line("a", start=12, end=20), top("a"))
    assert list(events) == ["a"]
    event = events["a"]
    assert (event.duration_ms, event.recipe_ms, event.recipe_lines, event.goal) == (20, 18, 2, True)


def test_a_goal_with_an_empty_recipe_covers_its_prerequisites() -> None:
    events = events_by_target(line("a", start=5, end=10), line("b", start=12, end=30), top("all"))
    assert set(events) == {"a", "b", "all"}
    everything = events["all"]
    assert (everything.duration_ms, everything.recipe_ms, everything.recipe_lines) == (25, 0, 0)
    assert (everything.goal, everything.exit_status) == (True, 0)
    assert not events["a"].goal
    assert everything.start_wall_ns == events["a"].start_wall_ns


def test_a_goal_with_a_recipe_covers_its_prerequisites_too() -> None:
    event = events_by_target(line("a", start=0, end=10, goal="all"), line("all", start=12, end=30), top("all"))["all"]
    assert (event.duration_ms, event.recipe_ms) == (30, 18)


def test_a_goal_whose_prerequisite_failed_ends_as_make_would() -> None:
    assert statuses(line("a"), line("b", start=5, status=3), top("all")) == {"a": 0, "b": 3, "all": 2}


def test_each_of_several_goals_covers_the_targets_made_for_it() -> None:
    events = events_by_target(
        line("one", start=0, end=10),
        line("dep", start=11, end=20),
        line("two", start=21, end=30),
        top("one", "two"),
    )
    assert events["one"].duration_ms == 10
    assert events["two"].duration_ms == 19
    assert not events["dep"].goal


def test_the_goal_that_make_named_counts_before_the_order_of_goals() -> None:
    events = events_by_target(
        line("dep", start=0, end=10, goal="two"), line("one", start=20, end=30), top("one", "two")
    )
    assert events["two"].duration_ms == 10
    assert events["one"].duration_ms == 10


def test_a_failure_is_ignored_if_make_began_another_target_after_it() -> None:
    assert statuses(line("a", status=1), line("b", start=5), top("all")) == {"a": 0, "b": 0, "all": 0}


def test_a_failing_line_is_ignored_if_its_recipe_went_on() -> None:
    assert statuses(line("a", status=1), line("a", start=5), top("a")) == {"a": 0}


def test_with_keep_going_a_later_target_does_not_show_that_a_failure_was_ignored() -> None:
    parts = (line("a", status=1), line("b", start=5))
    assert statuses(*parts, top("all", keep_going=True)) == {"a": 1, "b": 0, "all": 2}


def test_with_keep_going_the_goals_own_recipe_shows_that_a_failure_was_ignored() -> None:
    parts = (line("a", status=1, goal="all"), line("all", start=5))
    assert statuses(*parts, top("all", keep_going=True)) == {"a": 0, "all": 0}


def test_with_ignore_errors_nothing_fails() -> None:
    parts = (line("a", status=1), line("b", start=5, status=2))
    assert statuses(*parts, top("all", ignore_errors=True)) == {"a": 0, "b": 0, "all": 0}


def test_with_jobs_a_recipe_that_goes_on_does_not_show_that_a_failure_was_ignored() -> None:
    parts = (
        line("a", start=0, end=5_000),
        line("b", start=1, end=10, status=3),
        line("a", start=5_001, end=5_002),  # make finishes what it is in the midst of
        line("c", start=11, end=12),  # was started in the same moment
    )
    assert statuses(*parts, top("all", parallel=True)) == {"a": 0, "b": 3, "c": 0, "all": 2}


def test_with_jobs_a_target_begun_much_later_shows_that_a_failure_was_ignored() -> None:
    parts = (line("b", start=1, end=10, status=3), line("c", start=3_000, end=3_001))
    assert statuses(*parts, top("all", parallel=True)) == {"b": 0, "c": 0, "all": 0}


@pytest.mark.parametrize("fate", [1, 2, 3, 15])
def test_a_signal_that_ended_make_is_the_targets_status(fate: int) -> None:
    assert statuses(line("a", status=130, fate=fate), top("all")) == {"a": -fate, "all": -fate}


def test_a_signal_that_did_not_end_make_is_not_the_targets_status() -> None:
    assert statuses(line("a", fate=2), line("b", start=5), top("all")) == {"a": 0, "b": 0, "all": 0}


def test_a_line_that_outlived_its_make_shows_that_make_was_killed() -> None:
    assert statuses(line("a", fate=9), top("a")) == {"a": -9}
    assert statuses(line("a", fate=9, status=4), top("a")) == {"a": 4}


def test_a_killed_recipe_has_its_signal_as_status() -> None:
    assert statuses(line("a", status=-11), top("all")) == {"a": -11, "all": 2}


def test_the_parent_of_a_nested_makes_event_is_the_target_that_started_it() -> None:
    events = events_of(
        run_of(
            line("lib", make="r", start=0, end=50),
            line("all", make="s", level=1, start=10, end=20),
            Make(key="r", goals=("lib",)),
            Make(key="s", parent="r", parent_target="./lib", level=1, goals=("all",)),
        )
    )
    outer, inner = events
    assert (outer.target, outer.make_level, outer.parent_id, outer.goal) == ("lib", 0, "", True)
    assert (inner.target, inner.make_level, inner.goal) == ("all", 1, False)
    assert inner.parent_id == outer.message_id == message_id("r", "r", "lib")
    assert outer.duration_ms == 50


def test_lines_of_a_make_without_a_header_have_events() -> None:
    events = events_by_target(line("a", start=0, end=10, goal="all"), line("b", start=10, end=20, goal="all", status=4))
    assert {target: event.exit_status for target, event in events.items()} == {"a": 0, "b": 4, "all": 2}
    assert events["all"].goal
    assert events["all"].duration_ms == 20


def test_without_header_and_goal_a_target_is_no_goal() -> None:
    events = events_by_target(line("a"))
    assert list(events) == ["a"]
    assert not events["a"].goal


def test_a_goal_for_which_nothing_was_done_has_no_event() -> None:
    assert list(events_by_target(line("a", goal="a"), top("a", "b"))) == ["a"]


def test_a_leading_dot_and_slash_name_the_same_target() -> None:
    assert list(events_by_target(line("./a"), line(".//a", start=2), top("./a"))) == ["a"]


def test_ten_thousand_events_take_less_than_five_seconds() -> None:
    goals = [f"goal{number}" for number in range(2_000)]
    parts: Sequence[Line | Make] = [line(goal, start=number) for number, goal in enumerate(goals)]
    run = run_of(*parts, *(line(f"t{number}", start=number) for number in range(8_000)), top(*goals))
    begun = time.process_time()
    assert len(events_of(run)) == 10_000
    assert time.process_time() - begun < 5 * slower()
