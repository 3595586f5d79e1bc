"""What targets wait for: told by make, else by times and by the disk."""

from __future__ import annotations

from make_metrics.analysis.build import Build, MakeProcess
from make_metrics.analysis.plan import Plan, plan
from make_metrics.analysis.waits import Disk
from tests.support.builds import build_of, target


def waits(build: Build, disk: Disk | None = None) -> tuple[dict[str, list[str]], Plan]:
    """For each target's name those that it waits for."""
    made = plan(build, disk)
    names = [each.name for each in build.targets]
    return {names[at]: [names[each] for each in job.waits_for] for at, job in enumerate(made.jobs)}, made


def test_known_prerequisites_are_taken_as_they_are() -> None:
    build = build_of(target("a", 0, 10), target("b", 10, 20, "x.c"), target("c", 20, 30, "./a", order_only=("b",)))
    found, made = waits(build)
    assert found == {"a": [], "b": [], "c": ["a", "b"]}
    assert (made.knowledge.known, made.knowledge.inferred, made.knowledge.unknown) == (3, 0, 0)


def test_of_one_job_at_a_time_nothing_is_inferred() -> None:
    found, made = waits(build_of(target("a", 0, 10, known=False), target("b", 10, 20, known=False)))
    assert found == {"a": [], "b": []}
    assert made.knowledge.unknown == 2


def test_who_leaves_a_slot_free_waits_for_who_ends_then() -> None:
    build = build_of(
        target("a", 0, 200, known=False), target("b", 0, 100, known=False), target("c", 202, 300, known=False), jobs=2
    )
    found, made = waits(build)
    assert found == {"a": [], "b": [], "c": ["a"]}
    assert (made.knowledge.known, made.knowledge.inferred) == (0, 1)


def test_who_may_have_waited_for_a_slot_waits_for_nothing() -> None:
    build = build_of(
        target("a", 0, 200, known=False), target("b", 0, 201, known=False), target("c", 203, 300, known=False), jobs=2
    )
    assert waits(build)[0]["c"] == []


def test_without_a_limit_each_waits_for_who_ended_right_before() -> None:
    targets = [target(name, 100 * at, 100 * at + 99, known=False) for at, name in enumerate("abc")]
    assert waits(build_of(*targets, jobs=0))[0] == {"a": [], "b": ["a"], "c": ["b"]}


def test_what_a_known_prerequisite_explains_is_not_inferred() -> None:
    build = build_of(target("a", 0, 100), target("b", 0, 100), target("c", 101, 200, "a"), jobs=4)
    assert waits(build)[0]["c"] == ["a"]


def test_a_pause_that_nothing_ended_is_no_wait() -> None:
    build = build_of(target("a", 0, 100, known=False), target("b", 500, 600, known=False), jobs=4)
    assert waits(build)[0]["b"] == []


def test_a_file_was_made_by_who_ran_when_it_was_written() -> None:
    build = build_of(target("y.c", 0, 100), target("z", 100, 200), target("use", 200, 300, "y.h", "old.h"))
    disk = {(0, "y.h"): 99_000, (0, "old.h"): -5_000_000}
    found, made = waits(build, disk)
    assert found["use"] == ["y.c"]
    assert made.knowledge.inferred == 1


def test_who_waits_for_a_name_without_recipe_waits_for_all_that_nobody_waits_for() -> None:
    build = build_of(
        target("a", 0, 10), target("b", 10, 20, "a"), target("c", 20, 30), target("x", 30, 40, "group"),
        target("d", 40, 50), target("y", 50, 60, "group"),
    )  # fmt: skip
    found, _ = waits(build, {(0, "group"): None})
    assert (found["x"], found["y"]) == (["b", "c"], ["b", "c"])


def test_targets_of_one_name_in_two_makes_are_two() -> None:
    inner = MakeProcess(number=1, parent=0, parent_target="sub", level=1, jobs=1)
    build = build_of(target("a", 0, 10), target("sub", 10, 40), target("b", 15, 30, "a", make=1), makes=[inner])
    assert waits(build)[0]["b"] == []


def test_no_target_waits_for_a_later_one_or_for_itself() -> None:
    build = build_of(target("a", 0, 10, "b", "a"), target("b", 10, 20))
    assert waits(build)[0] == {"a": [], "b": []}


def test_who_has_too_many_prerequisites_waits_for_all_that_nobody_waits_for() -> None:
    objects = [target(f"{at}.o", 10 * at, 10 * at + 9, "x.h") for at in range(5)]
    build = build_of(
        *objects, target("lib", 50, 60, *(f"{at}.o" for at in range(3))), target("app", 60, 70, known=False)
    )
    found, made = waits(build)
    assert found["app"] == ["3.o", "4.o", "lib"]
    assert (made.knowledge.known, made.knowledge.inferred, made.knowledge.unknown) == (6, 1, 0)


def test_make_may_start_many_targets_one_after_the_other() -> None:
    """With prerequisites that are told, a target that begins when another ends needs a better reason."""
    quick = [target(f"t{at}", 2 * at, 2 * at + 2) for at in range(100)]
    found, made = waits(build_of(*quick, jobs=0))
    assert set(map(tuple, found.values())) == {()}
    assert made.knowledge.inferred == 0


def test_who_is_ready_and_does_not_begin_waits_for_what_make_was_told_otherwise() -> None:
    build = build_of(target("a", 0, 900), target("b", 0, 500), target("c", 901, 1_600), target("d", 903, 1_600), jobs=4)
    found, _ = waits(build)
    assert found == {"a": [], "b": [], "c": ["a"], "d": ["a"]}
