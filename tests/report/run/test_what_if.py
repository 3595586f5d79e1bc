"""Estimates for people and for programs."""

from __future__ import annotations

import json

import pytest

from make_metrics.analysis.build import Build
from make_metrics.analysis.plan import plan
from make_metrics.analysis.what_if import what_if
from make_metrics.report.run.what_if import Estimates, document, lines, markdown_lines
from tests.support.builds import build_of, target

KNOWN = build_of(target("a", 0, 1_000), target("b", 1_000, 1_500), target("c", 1_500, 1_600, "a", "b"))


def estimates_of(build: Build, *jobs: int) -> Estimates:
    made = plan(build)
    return Estimates(build, "1a2b", made, what_if(build, made, jobs))


def test_the_text_has_estimates_a_bound_and_what_to_speed_up() -> None:
    text = ["".join(part.text for part in parts).rstrip() for parts in lines(estimates_of(KNOWN, 1, 2, 0))]
    assert text == [
        "run 1a2b  make all took 1.60s with -j1",
        "Estimated again for -j1: 1.60s",
        "",
        "With      it would take",
        "-j1           1.60s",
        "-j2           1.10s",
        "-j            1.10s",
        "any           1.10s  at least: the critical path",
        "",
        "What targets wait for is known from their prerequisites.",
        "",
        "Speed up or split first, with -j1",
        "    500ms   31%  a  (half of 1.00s)",
        "    250ms   16%  b  (half of 500ms)",
        "     50ms    3%  c  (half of 100ms)",
    ]


@pytest.mark.parametrize(
    ("jobs", "known", "says", "at_best"),
    [
        (1, (False, False), "is not known, and they ran one at a time", True),
        (2, (False, False), "is known for 0 of 2; for the others times tell", True),
        (1, (True, False), "known from their prerequisites; for 1 of 2 a part is inferred.", False),
        (2, (True, True), "known from their prerequisites; for 1 of 2 a part is inferred.", False),
    ],
)
def test_it_says_how_good_it_is(jobs: int, known: tuple[bool, bool], says: str, at_best: bool) -> None:
    build = build_of(target("a", 0, 100, known=known[0]), target("b", 100, 150, known=known[1]), jobs=jobs)
    estimates = estimates_of(build, 1, 4)
    assert says in estimates.basis
    assert [each["at_best"] for each in document(estimates)["estimates"]] == [False, at_best]
    assert any("at best" in line for line in markdown_lines(estimates)) is at_best


def test_the_document_is_versioned_and_has_microseconds() -> None:
    made = json.loads(json.dumps(document(estimates_of(KNOWN, 2))))
    assert (made["version"], made["duration_us"], made["critical_path_us"]) == (1, 1_600_000, 1_100_000)
    assert made["estimates"] == [{"jobs": 2, "duration_us": 1_100_000, "at_best": False}]
    assert made["gains"][0] == {"target": "a", "directory": "/project", "own_us": 1_000_000, "saved_us": 500_000}
