"""What targets cost over many runs, against the same computed from the events one by one."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_metrics.combine.record import Line, Make
from make_metrics.store.questions.costs import SORTS, Cost, Times, costs
from make_metrics.store.questions.selection import Selection
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep
from tests.support.records import WALL_NS, add, ended_run, line, paths_in
from tests.support.store import ask

EVERYTHING = Selection()


def one_run(
    root: Path, *lines: Line, goals: tuple[str, ...] = ("all",), directory: str = "/p", nested: str = ""
) -> None:
    """Add a run of a make in a directory; lines of the make "inner" are of one below it, in `nested`."""
    paths, run = paths_in(root), ended_run()
    inner = ended_run()
    makes = [Make(key=run, goals=goals, directory=directory, wall_ns=WALL_NS)]
    if nested:
        makes.append(Make(key=inner, goals=("all",), directory=nested, level=1, parent=run, parent_target="sub"))
    keys = {"m": run, "inner": inner}
    add(paths, run, *makes, *(replace(each, make=keys[each.make]) for each in lines))


def asked(root: Path, selection: Selection = EVERYTHING, **more: object) -> list[Cost]:
    sweep(paths_in(root))
    return ask(paths_in(root), lambda connection: costs(connection, selection, **more))  # type: ignore[arg-type]


def test_a_target_as_a_goal_and_as_a_prerequisite_are_two_rows(tmp_path: Path) -> None:
    one_run(tmp_path, line("d", start=0, end=100), line("all", start=100, end=110))
    one_run(tmp_path, line("x", start=0, end=400), line("d", start=400, end=500, goal="d"), goals=("d",))
    rows = {(cost.target, cost.goal): cost for cost in asked(tmp_path)}
    assert rows["d", False].own == rows["d", False].whole == Times(100_000, 100_000, 100_000, 100_000)
    assert rows["d", True].own.total_us == 100_000
    assert rows["d", True].whole.total_us == 500_000
    assert rows["all", True].own.total_us == 10_000
    assert rows["all", True].whole.total_us == 110_000


def test_targets_of_one_name_are_rows_of_their_own_in_each_directory_and_project(tmp_path: Path) -> None:
    one_run(tmp_path, line("x"), line("x", make="inner", level=1), nested="/p/lib")
    one_run(tmp_path, line("x"), directory="/p2")
    one_run(tmp_path, line("x"), directory="/p/lib")
    rows = {(cost.project, cost.directory, cost.level) for cost in asked(tmp_path) if cost.target == "x"}
    assert rows == {("/p", ".", 0), ("/p", "lib", 1), ("/p2", ".", 0), ("/p/lib", ".", 0)}
    within = {(cost.project, cost.level) for cost in asked(tmp_path, Selection(within="/p")) if cost.target == "x"}
    assert within == {("/p", 0), ("/p", 1), ("/p/lib", 0)}


def test_what_is_asked_for_is_all_there_is(tmp_path: Path) -> None:
    one_run(tmp_path, line("lib/a.o", end=9), line("lib/b.o", end=5), line("c", start=2_000, end=2_001))
    one_run(tmp_path, line("c", end=1), goals=("other",))
    assert [cost.target for cost in asked(tmp_path, target="lib/*")] == ["lib/a.o", "lib/b.o"]
    assert [cost.target for cost in asked(tmp_path, target="?")] == ["c"]
    assert [cost.target for cost in asked(tmp_path, target="lib/[!a].o")] == ["lib/b.o"]
    one_run(tmp_path, line("bad", status=3), goals=("bad",))
    assert [(cost.target, cost.failures) for cost in asked(tmp_path, failed=True)] == [("bad", 1)]
    of_goal = asked(tmp_path, Selection(goal="other"))
    assert [(cost.target, cost.runs) for cost in of_goal if not cost.goal] == [("c", 1)]
    second = 1_000_000_000
    assert [cost.target for cost in asked(tmp_path, Selection(since_ns=WALL_NS + second))] == ["c"]
    assert "c" not in {cost.target for cost in asked(tmp_path, Selection(until_ns=WALL_NS), target="c")}


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_has_all_rows(tmp_path: Path, sort: str) -> None:
    one_run(tmp_path, line("a", end=9), line("b", end=5, status=3), line("c", start=2_000, end=2_001, usage=None))
    assert {cost.target for cost in asked(tmp_path, sort=sort)} == {"a", "b", "c", "all"}
    assert asked(tmp_path, sort="name")[0].target == "a"
    assert asked(tmp_path)[0].target == "a"
    assert asked(tmp_path, sort="when")[0].target == "c"


MADE = st.tuples(st.sampled_from("abc"), st.integers(0, 5_000), st.integers(0, 3), st.integers(0, 4))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(MADE, min_size=1, max_size=6), min_size=1, max_size=8))
def test_sql_says_what_the_events_say(tmp_path_factory: pytest.TempPathFactory, runs: list[list[tuple]]) -> None:  # type: ignore[type-arg]
    root = tmp_path_factory.mktemp("store")
    for number, lines in enumerate(runs):
        made = []
        for place, (name, ms, status, gap) in enumerate(lines):
            start = number * 1_000_000 + place * 10_000 + gap
            made.append(line(name, start=start, end=start + ms, status=status, goal="a" if name == "a" else ""))
        one_run(root, *made, goals=("a",))
    found = asked(root)
    events = [stored.event for stored in ask(paths_in(root), lambda connection: Store(connection).events())]
    assert sum(cost.runs for cost in found) == len(events)
    for cost in found:
        own = [event for event in events if (event.target, event.goal) == (cost.target, cost.goal)]
        assert cost.runs == len(own)
        assert cost.failures == sum(event.exit_status != 0 for event in own)
        for times, values in (
            (cost.own, sorted(event.recipe_ms for event in own)),
            (cost.whole, sorted(event.duration_ms for event in own)),
        ):
            assert times.total_us == 1_000 * sum(values)
            assert times.median_us == round(1_000 * statistics.median(values))
            assert times.p95_us == 1_000 * values[math.ceil(len(values) * 0.95) - 1]
        last = max(own, key=lambda event: event.start_wall_ns)
        assert cost.last_start_ns == last.start_wall_ns
