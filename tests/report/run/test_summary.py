"""What a run says to people and to programs."""

from __future__ import annotations

import json

from make_metrics.analysis.build import Build, MakeProcess
from make_metrics.analysis.findings import findings
from make_metrics.analysis.plan import plan
from make_metrics.report.run.summary import Run, document, lines, markdown_lines, shown_steps
from tests.support.builds import build_of, target


def run_of(build: Build) -> Run:
    return Run(build, "1a2b", findings(build, plan(build)))


def text_of(build: Build) -> list[str]:
    return ["".join(part.text for part in parts).rstrip() for parts in lines(run_of(build))]


NESTED = build_of(
    target("a", 100, 400),
    target("sub", 100, 1_100),
    target("inner", 200, 1_000, make=1, status=2),
    target("all", 1_100, 1_200, "a", "sub"),
    jobs=2,
    makes=[MakeProcess(number=1, parent=0, parent_target="sub", level=1, directory="/project/lib", jobs=2)],
)


def test_one_screen_says_what_happened() -> None:
    text = text_of(NESTED)
    assert text[0] == "run 1a2b  make all took 1.20s: status 2"
    assert text[1].endswith(", make 4.3, in /project")
    assert text[2:] == [
        "  100ms before the first recipe line: make started and read its makefiles",
        "  -j2: 1.3 jobs ran at once on average, 2 at most",
        "",
        "Failed",
        "    800ms  inner (lib)  status 2",
        "",
        "Critical path: 1.20s of 1.20s",
        "    100ms  before the first line",
        "    200ms  sub",
        "    800ms    inner (lib)",
        "    100ms  all",
        "",
        "Slowest targets, each without the makes that it starts",
        "    800ms   67%  inner (lib)",
        "    300ms   25%  a",
        "    200ms   17%  sub",
        "    100ms    8%  all",
    ]


def test_a_path_that_times_had_to_tell_says_so() -> None:
    build = build_of(target("a", 0, 100, known=False), target("b", 100, 200, known=False), jobs=2)
    assert "Critical path: at least 200ms of 200ms, inferred from times" in text_of(build)


def test_of_one_job_at_a_time_no_path_is_made_up() -> None:
    build = build_of(target("a", 0, 10, known=False), target("b", 10, 20, known=False))
    assert "Critical path: not known" in text_of(build)
    assert document(run_of(build))["critical_path"] is None
    assert not any("Critical" in line for line in markdown_lines(run_of(build)))


def test_a_run_in_which_no_recipe_ran_says_so() -> None:
    build = build_of(duration_us=5_000)
    assert text_of(build)[-1] == "  no recipe ran"
    assert document(run_of(build))["targets"] == []


def test_a_long_path_shows_its_longest_steps_in_their_order() -> None:
    build = build_of(
        *(target(f"t{at}", 100 * at, 100 * at + 99 - (at % 20), *([f"t{at - 1}"] if at else [])) for at in range(50))
    )
    path = run_of(build).findings.path
    assert len(path) == 50
    shown = shown_steps(path, 8)
    flat = [step for each in shown for step in (each if isinstance(each, list) else [each])]
    assert flat == list(path)
    assert sum(not isinstance(each, list) for each in shown) == 8


def test_the_document_is_versioned_and_has_microseconds() -> None:
    made = json.loads(json.dumps(document(run_of(NESTED))))
    assert (made["version"], made["run"], made["jobs"], made["exit_status"]) == (1, "1a2b", 2, 2)
    assert made["before_first_line_us"] == 100_000
    assert [(step["target"], step["own_us"], step["depth"]) for step in made["critical_path"]["steps"]] == [
        ("sub", 200_000, 0), ("inner", 800_000, 1), ("all", 100_000, 0),
    ]  # fmt: skip
    first = made["targets"][0]
    assert (first["target"], first["directory"], first["own_us"], first["exit_status"]) == (
        "inner", "/project/lib", 800_000, 2,
    )  # fmt: skip


def test_the_markdown_has_tables() -> None:
    text = list(markdown_lines(run_of(NESTED)))
    assert text[0] == "### `make all` took 1.20s: status 2"
    assert "| `inner (lib)` | status 2 |" in text
    assert "| `inner (lib)` | 800ms | 67% |" in text
