from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from make_metrics.store.questions.trends import Trend, trends

A, B = 1, 2
FIRST, SECOND = 20260131, 20260201


def rows(*made: tuple[int, int, int, int, int]) -> Iterator[tuple[Any, ...]]:
    """Rows of a key, a day, own microseconds, an exit status and a commit."""
    return iter(made)


def test_a_day_has_the_median_of_its_own_times() -> None:
    found = trends(rows((A, FIRST, 10, 0, 0), (B, FIRST, 7, 0, 0), (A, FIRST, 30, 0, 0), (A, SECOND, 5, 0, 0)))
    assert found == {
        A: Trend(days=(("2026-01-31", 20), ("2026-02-01", 5))),
        B: Trend(days=(("2026-01-31", 7),)),
    }


def test_each_pass_after_failures_on_the_same_commit_counts_once() -> None:
    def flaky(*made: tuple[int, int]) -> int:
        return trends(rows(*((A, FIRST, 1, status, commit) for status, commit in made)))[A].flaky

    assert flaky((1, 7), (0, 7)) == 1
    assert flaky((1, 7), (2, 7), (0, 7), (0, 7)) == 1
    assert flaky((1, 7), (0, 7), (-9, 7), (0, 7)) == 2
    assert flaky((1, 7), (0, 8)) == 0
    assert flaky((0, 7), (1, 7)) == 0
    assert flaky((1, 0), (0, 0)) == 0  # no commit is known
    assert flaky((1, 7), (0, 8), (0, 7)) == 1  # another branch was checked out meanwhile


def test_targets_of_one_commit_are_told_apart() -> None:
    found = trends(rows((A, FIRST, 1, 1, 7), (B, FIRST, 1, 0, 7)))
    assert (found[A].flaky, found[B].flaky) == (0, 0)
