"""The timeline's data are the run's, packed: names once, times as differences. `tests/commands` opens the page."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis.build import Build, MakeProcess, RecipeLine
from make_metrics.analysis.findings import findings
from make_metrics.analysis.plan import plan
from make_metrics.printable import printable
from make_metrics.report.run.summary import Run
from make_metrics.report.run.timeline import document, page
from tests.support.builds import build_of, nested_builds, target

PREFIX = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = st.text(st.sampled_from("ab/é日\U0001f600\u202e<&\n\ud800"), min_size=1, max_size=80)


def run_of(build: Build) -> Run:
    return Run(build, "1a2b", findings(build, plan(build)))


def text_of(build: Build) -> str:
    return "".join(page(run_of(build), script="// script", style="/* style */"))


def data_of(build: Build) -> dict[str, Any]:
    text = text_of(build).partition('id="data">')[2].partition("</script>")[0]
    data: dict[str, Any] = json.loads(text)
    return data


def names_of(data: dict[str, Any]) -> list[str]:
    """Each target's name, unpacked as timeline.js does it: there a character beyond 16 bits counts as two."""
    names: list[str] = []
    for packed in data["names"]:
        before = names[-1] if names else ""
        shared = before[: PREFIX.index(packed[0])]
        assert shared.isascii()
        names.append(shared + packed[1:])
    fresh = iter(names)
    return [names[reference - 1] if reference else next(fresh) for reference in data["targets"]["name"]]


@given(st.lists(st.tuples(NAMES, st.integers(0, 1)), max_size=12, unique=True))
def test_names_and_times_are_those_of_the_run(wanted: list[tuple[str, int]]) -> None:
    targets = [target(name, 3 * at, 3 * at + 2, make=make) for at, (name, make) in enumerate(wanted)]
    build = build_of(*targets, makes=[MakeProcess(number=1)])
    data = data_of(build)
    assert names_of(data) == [printable(each.name) for each in build.targets]
    assert len(set(data["names"])) <= len(data["names"]) <= len({name for name, _ in wanted})
    start, starts = 0, []
    for difference in data["targets"]["start"]:
        start += difference
        starts.append(start)
    assert starts == [each.start_us for each in build.targets]


@given(nested_builds())
def test_each_column_has_a_value_for_each_target(build: Build) -> None:
    data = document(run_of(build))
    assert {len(column) for column in data["targets"].values()} == {len(build.targets)}
    assert all(-1 <= holder < len(build.targets) for holder, _ in data["makes"])


def test_lines_stand_one_after_the_other() -> None:
    lines = (RecipeLine(start_us=0, end_us=4), RecipeLine(start_us=6, end_us=10_000, status=-9))
    data = document(
        run_of(
            build_of(
                target("a", 0, 10, lines=lines),
                target("b", 10, 11, lines=(RecipeLine(start_us=10_000, end_us=11_000),)),
            )
        )
    )
    assert data["targets"]["lines"] == [2, -1]
    assert data["lines"] == {"gap": [0, 2], "duration": [4, 9_994], "statuses": {1: -9}}


def test_the_policy_names_the_script_and_the_style() -> None:
    head = text_of(build_of(target("a", 0, 1))).partition("</head>")[0]
    assert "default-src &#x27;none&#x27;; script-src &#x27;sha256-" in head
    assert "unsafe" not in head


def test_no_text_ends_a_script_or_a_title_early() -> None:
    name = "</script></title><!--"
    build = build_of(target(name, 0, 1, status=1), branch=name, commit=name)
    text = text_of(build)
    assert text.count("</script>") == 2
    assert text.count("</title>") == 1
    assert "<!--" not in text
