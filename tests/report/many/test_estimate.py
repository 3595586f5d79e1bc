"""The estimate of a run from those before it."""

from __future__ import annotations

import pytest

from make_metrics.report.many.estimate import document, estimate, text


def test_the_median_and_the_middle_half() -> None:
    found = estimate(("all", "test"), [1_000, 2_000, 3_000, 4_000, 90_000])
    assert (found.median_ms, found.low_ms, found.high_ms, found.left_ms) == (3_000, 2_000, 4_000, None)
    assert text(found) == "make all test takes about 3.00s: half of its newest 5 runs took 2.00s to 4.00s."


@pytest.mark.parametrize(
    ("running_ms", "left_ms", "words"),
    [
        (500, 2_500, "make all has been running for 500ms: about 2.50s to go. It takes about 3.00s: by its 2 runs."),
        (3_000, 0, "make all has been running for 3.00s, longer than the 3.00s that it takes: by its 2 runs."),
        (9_000, 0, "make all has been running for 9.00s, longer than the 3.00s that it takes: by its 2 runs."),
    ],
)
def test_of_a_make_that_runs(running_ms: int, left_ms: int, words: str) -> None:
    found = estimate(("all",), [2_000, 4_000], running_ms=running_ms)
    assert (found.left_ms, text(found)) == (left_ms, words)
    assert document(found) == {
        "version": 1, "goals": ["all"], "runs": 2, "median_ms": 3_000, "low_ms": None, "high_ms": None,
        "running_ms": running_ms, "left_ms": left_ms,
    }  # fmt: skip


def test_without_runs_there_is_no_estimate() -> None:
    with pytest.raises(ValueError, match="no runs"):
        estimate(("all",), [])
