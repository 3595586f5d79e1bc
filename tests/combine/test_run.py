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


def of(*parts: Line | Make) -> dict[str, Event]:
    """The events of a run with one make, by target."""
    return {event.target: event for event in events_of(run_of(*parts))}


def statuses(*parts: Line | Make) -> dict[str, int]:
    return {target: event.exit_status for target, event in of(*parts).items()}


def top(*goals: str, parallel: bool = False, keep_going: bool = False, ignore_errors: bool = False) -> Make:
    return Make(key="m", goals=goals, parallel=parallel, keep_going=keep_going, ignore_errors=ignore_errors)


@given(CONTENTS, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(contents: Contents, random: st.DataObject) -> None:
    mixed = Contents(lines=list(contents.lines), makes=list(contents.makes), torn=contents.torn)
    random.shuffle(mixed.lines)  # type: ignore[attr-defined]
    random.shuffle(mixed.makes)  # type: ignore[attr-defined]
    assert gather("r", mixed) == gather("r", contents)
    assert events_of(gather("r", mixed)) == events_of(gather("r", contents))


@given(CONTENTS, CONTENTS)
def test_parts_add_up_to_the_whole(one: Contents, two: Contents) -> None:
    whole = Contents(lines=one.lines + two.lines, makes=one.makes + two.makes, torn=one.torn + two.torn)
    merged = merge(gather("r", one), gather("r", two))
    assert merged == gather("r", whole) == merge(gather("r", two), gather("r", one))
    assert events_of(merged) == events_of(gather("r", whole))


def test_processor_time_adds_up_and_the_most_memory_counts() -> None:
    found = of(line("a", usage=(5, 70)), line("a", start=5, usage=(7, 60)), line("b", start=9, usage=(1, 90)), top("x"))
    assert {name: (event.cpu_us, event.peak_kib) for name, event in found.items()} == {
        "a": (12, 70),
        "b": (1, 90),
        "x": (None, None),
    }


def test_what_one_line_took_is_not_known_then_nor_is_the_sum() -> None:
    (event,) = of(line("a", usage=(5, 70)), line("a", start=5, usage=None), top("a")).values()
    assert (event.cpu_us, event.peak_kib) == (None, None)


@given(CONTENTS)
def test_merging_leaves_its_arguments_alone(contents: Contents) -> None:
    one, two = gather("r", contents), gather("r", contents)
    merge(one, two)
    assert one == two == gather("r", contents)


@given(CONTENTS)
def test_every_target_once_and_all_lines_in(contents: Contents) -> None:
    found = events_of(gather("r", contents))
    named = Counter((event.make, event.target) for event in found)
    assert set(named.values()) <= {1}
    assert {(part.make, part.target.removeprefix("./")) for part in contents.lines} <= named.keys()
    assert len({event.message_id for event in found}) == len(found)
    assert sum(event.recipe_lines for event in found) == len(contents.lines)
    spent = sum(part.end_ns - part.start_ns for part in contents.lines) / 1_000_000
    assert abs(sum(event.recipe_ms for event in found) - spent) <= 0.5 * len(found)


@given(CONTENTS)
def test_nothing_is_negative_and_goals_cover_their_own_work(contents: Contents) -> None:
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
    found = of(line("a", start=0, end=10), line("a", start=12, end=20), top("a"))
    assert list(found) == ["a"]
    event = found["a"]
    assert (event.duration_ms, event.recipe_ms, event.recipe_lines, event.goal) == (20, 18, 2, True)


def test_a_goal_with_an_empty_recipe_covers_its_prerequisites() -> None:
    found = of(line("a", start=5, end=10), line("b", start=12, end=30), top("all"))
    assert set(found) == {"a", "b", "all"}
    everything = found["all"]
    assert (everything.duration_ms, everything.recipe_ms, everything.recipe_lines) == (25, 0, 0)
    assert (everything.goal, everything.exit_status) == (True, 0)
    assert not found["a"].goal
    assert everything.start_wall_ns == found["a"].start_wall_ns


def test_a_goal_with_a_recipe_covers_its_prerequisites_too() -> None:
    event = of(line("a", start=0, end=10, goal="all"), line("all", start=12, end=30), top("all"))["all"]
    assert (event.duration_ms, event.recipe_ms) == (30, 18)


def test_a_goal_whose_prerequisite_failed_ends_as_make_would() -> None:
    assert statuses(line("a"), line("b", start=5, status=3), top("all")) == {"a": 0, "b": 3, "all": 2}


def test_several_goals_each_cover_what_was_made_for_them() -> None:
    found = of(
        line("one", start=0, end=10),
        line("dep", start=11, end=20),
        line("two", start=21, end=30),
        top("one", "two"),
    )
    assert found["one"].duration_ms == 10
    assert found["two"].duration_ms == 19
    assert not found["dep"].goal


def test_what_make_said_of_the_goal_comes_first() -> None:
    found = of(line("dep", start=0, end=10, goal="two"), line("one", start=20, end=30), top("one", "two"))
    assert found["two"].duration_ms == 10
    assert found["one"].duration_ms == 10


def test_a_failure_that_later_targets_follow_was_ignored() -> None:
    assert statuses(line("a", status=1), line("b", start=5), top("all")) == {"a": 0, "b": 0, "all": 0}


def test_a_failing_line_that_the_same_recipe_goes_on_after_was_ignored() -> None:
    assert statuses(line("a", status=1), line("a", start=5), top("a")) == {"a": 0}


def test_with_keep_going_later_targets_do_not_excuse_a_failure() -> None:
    parts = (line("a", status=1), line("b", start=5))
    assert statuses(*parts, top("all", keep_going=True)) == {"a": 1, "b": 0, "all": 2}


def test_with_keep_going_the_goals_own_recipe_does() -> None:
    parts = (line("a", status=1, goal="all"), line("all", start=5))
    assert statuses(*parts, top("all", keep_going=True)) == {"a": 0, "all": 0}


def test_with_ignore_errors_nothing_fails() -> None:
    parts = (line("a", status=1), line("b", start=5, status=2))
    assert statuses(*parts, top("all", ignore_errors=True)) == {"a": 0, "b": 0, "all": 0}


def test_with_jobs_recipes_that_go_on_do_not_excuse_a_failure() -> None:
    parts = (
        line("a", start=0, end=5_000),
        line("b", start=1, end=10, status=3),
        line("a", start=5_001, end=5_002),  # make finishes what it is in the midst of
        line("c", start=11, end=12),  # was started in the same moment
    )
    assert statuses(*parts, top("all", parallel=True)) == {"a": 0, "b": 3, "c": 0, "all": 2}


def test_with_jobs_a_target_begun_much_later_does() -> None:
    parts = (line("b", start=1, end=10, status=3), line("c", start=3_000, end=3_001))
    assert statuses(*parts, top("all", parallel=True)) == {"b": 0, "c": 0, "all": 0}


@pytest.mark.parametrize("fate", [1, 2, 3, 15])
def test_a_signal_that_ended_make_is_the_targets_status(fate: int) -> None:
    assert statuses(line("a", status=130, fate=fate), top("all")) == {"a": -fate, "all": -fate}


def test_a_signal_that_make_went_on_after_is_not() -> None:
    assert statuses(line("a", fate=2), line("b", start=5), top("all")) == {"a": 0, "b": 0, "all": 0}


def test_a_line_that_outlived_its_make_shows_that_make_was_killed() -> None:
    assert statuses(line("a", fate=9), top("a")) == {"a": -9}
    assert statuses(line("a", fate=9, status=4), top("a")) == {"a": 4}


def test_a_killed_recipe_has_its_signal_as_status() -> None:
    assert statuses(line("a", status=-11), top("all")) == {"a": -11, "all": 2}


def test_nested_makes_hang_on_the_target_that_started_them() -> None:
    found = events_of(
        run_of(
            line("lib", make="r", start=0, end=50),
            line("all", make="s", level=1, start=10, end=20),
            Make(key="r", goals=("lib",)),
            Make(key="s", parent="r", parent_target="./lib", level=1, goals=("all",)),
        )
    )
    outer, inner = found
    assert (outer.target, outer.make_level, outer.parent_id, outer.goal) == ("lib", 0, "", True)
    assert (inner.target, inner.make_level, inner.goal) == ("all", 1, False)
    assert inner.parent_id == outer.message_id == message_id("r", "r", "lib")
    assert outer.duration_ms == 50


def test_lines_without_a_header_still_make_events() -> None:
    found = of(line("a", start=0, end=10, goal="all"), line("b", start=10, end=20, goal="all", status=4))
    assert {target: event.exit_status for target, event in found.items()} == {"a": 0, "b": 4, "all": 2}
    assert found["all"].goal
    assert found["all"].duration_ms == 20


def test_lines_without_header_or_goal_are_targets_only() -> None:
    found = of(line("a"))
    assert list(found) == ["a"]
    assert not found["a"].goal


def test_a_goal_for_which_nothing_was_done_has_no_event() -> None:
    assert list(of(line("a", goal="a"), top("a", "b"))) == ["a"]


def test_leading_dots_name_the_same_target() -> None:
    assert list(of(line("./a"), line(".//a", start=2), top("./a"))) == ["a"]


def test_many_goals_and_lines_take_no_time() -> None:
    goals = [f"goal{number}" for number in range(2_000)]
    parts: Sequence[Line | Make] = [line(goal, start=number) for number, goal in enumerate(goals)]
    run = run_of(*parts, *(line(f"t{number}", start=number) for number in range(8_000)), top(*goals))
    begun = time.process_time()
    assert len(events_of(run)) == 10_000
    assert time.process_time() - begun < 5 * slower()
