"""`make-metrics report`, from records to what a developer reads."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from make_metrics import cli
from make_metrics.combine.record import Make
from make_metrics.commands import report
from make_metrics.files.paths import Paths
from make_metrics.report.local_time import local_time
from make_metrics.report.many import waits
from make_metrics.report.rows import FIELDS
from make_metrics.report.wrapped import columns
from tests.support.git_repository import commit, git
from tests.support.project import Project
from tests.support.records import WALL_NS, add, ended_run, line
from tests.support.sharing_project import Sharing
from tests.support.terminal import spawned


def test_the_report_is_plain_where_nobody_looks(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "target", "goal", "runs", "failed", "own", "median", "p95", "last", "whole", "when", "cpu", "memory", "level",
        "directory",
    ]  # fmt: skip
    assert lines[1].split()[:7] == ["a", "1", "0", "2.00s", "2.00s", "2.00s", "2.00s"]
    assert next(text for text in lines if text.startswith("all  ")).split()[:9] == [
        "all", "goal", "1", "1", "0ms", "0ms", "0ms", "0ms", "2.01s",
    ]  # fmt: skip
    assert any(text.startswith("\\x1b[31mred\\n") and text.split()[-2:] == ["1", "lib"] for text in lines)
    assert lines[-1] == report.NOTE
    assert all(text.isprintable() and text.isascii() and text == text.rstrip() for text in lines)


def test_the_report_as_json_has_a_row_for_each_target(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all", "--json"]) == 0
    captured = capsys.readouterr()
    rows = json.loads(captured.out)["targets"]
    assert captured.err == ""
    assert [
        (row["target"], row["goal"], row["failures"], row["total_ms"], row["own_total_ms"]) for row in rows[:2]
    ] == [
        ("a", False, 0, 2_000, 2_000),
        ("b", False, 1, 11, 11),
    ]
    (whole,) = [row for row in rows if row["target"] == "all" and row["level"] == 0]
    assert (whole["goal"], whole["failures"], whole["total_ms"], whole["own_total_ms"]) == (True, 1, 2_012, 0)


def test_since_leaves_out_what_is_older(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all", "--since", "2100-01-01"]) == 0
    assert capsys.readouterr().out == "No events since 2100-01-01: give an earlier time.\n"


def test_a_bad_since_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--since=yesterday"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("make-metrics: --since")
    assert captured.err.count("\n") == 1


def test_without_events_the_report_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all"]) == 0
    assert "make-metrics setup" in capsys.readouterr().out
    assert cli.main(["report", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == []


def test_bad_input_is_one_line_each_and_the_report_is_made(
    run: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.store.write_bytes(os.urandom(5_000))
    (paths.records / "x.rec").write_bytes(os.urandom(500).replace(b"\n", b""))
    assert cli.main(["report", "--all", "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["targets"]) == 5
    assert captured.err.count("\n") == 2
    assert all(text.startswith("make-metrics: ") for text in captured.err.splitlines())
    assert len(list(paths.set_aside.iterdir())) == 2
    assert cli.main(["report", "--all"]) == 0
    assert capsys.readouterr().err == ""


def test_the_report_is_of_the_current_project(
    run: str, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report"]) == 0
    assert capsys.readouterr().out == "No events of this project match: --all takes those of all projects.\n"
    assert cli.main(["report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["project"], document["targets"]) == (1, str(tmp_path), [])


def test_csv_has_whole_names(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert tuple(rows[0]) == FIELDS
    assert "\x1b[31mred\n" in {row["target"] for row in rows}
    assert (rows[0]["target"], rows[0]["goal"], rows[0]["own_total_ms"]) == ("a", "0", "2000")


def test_markdown_is_a_table_with_names_as_text(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all", "--format", "markdown", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| target | goal | runs |")
    assert lines[1].startswith("| --- | --- | ---: |")
    assert lines[2].startswith("| `a` |  | 1 | 0 | 2.00s |")
    assert lines[-1].startswith("2 of 5 rows. ")


def test_only_what_is_asked_for_is_shown(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words, names in (
        (["--target", "?"], {"a", "b"}),
        (["--failed", "--target", "?"], {"b"}),
        (["--goal", "none"], set()),
        (["--sort", "whole", "--limit", "1"], {"all"}),
        (["--until", "1d"], set()),
    ):
        assert cli.main(["report", "--all", "--json", *words]) == 0
        assert {row["target"] for row in json.loads(capsys.readouterr().out)["targets"]} == names, words


def test_days_and_weeks_say_how_long_people_waited_and_for_what(
    run: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (days, goal, ms) in enumerate([(0, "test", 3_000), (1, "all", 500), (1, "test", 500), (2, "all", 7)]):
        other = ended_run()
        wall_ns = WALL_NS + days * 86_400_000_000_000 + number * 60_000_000_000
        make = Make(key=other, goals=(goal,), directory="/p", wall_ns=wall_ns)
        add(paths, other, make, replace(line("x", make=other, goal=goal, end=ms), wall_ns=wall_ns))
    assert cli.main(["report", "--all", "--by", "day"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first, second, third = (local_time(WALL_NS + days * 86_400_000_000_000)[:10] for days in range(3))
    assert lines[0].split() == ["period", "runs", "failed", "waited", "goals", "targets"]
    assert [text.split(maxsplit=4)[:4] for text in lines[1:4]] == [
        [first, "2", "1", "5.01s"], [second, "2", "0", "1.00s"], [third, "1", "0", "7ms"]
    ]  # fmt: skip
    assert "test 3.00s, all 2.01s" in lines[1]
    assert lines[-1].startswith("In all 5 runs, 1 of them failed, 6.02s. waited: ")
    assert cli.main(["report", "--all", "--by", "week", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["by"], sum(row["runs"] for row in document["periods"])) == (1, "week", 5)
    assert all(re.fullmatch(r"2096-W\d\d", row["period"]) for row in document["periods"])
    for words, runs in (
        (["--limit", "2"], ["2", "1"]),
        (["--failed"], ["1"]),
        (["--goal", "test"], ["1", "1"]),
        (["--since", third, "--until", "9999-01-01"], ["1"]),
    ):
        assert cli.main(["report", "--all", "--by", "day", "--format", "csv", *words]) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert tuple(rows[0]) == waits.FIELDS
        assert [row["runs"] for row in rows] == runs, words
    assert cli.main(["report", "--all", "--by", "day", "--target", "a*", "--limit", "3", "--format", "markdown"]) == 0
    assert f"| {first} | 2 | 1 | 5.01s | `test 3.00s, all 2.01s` | `a 2.00s` |" in capsys.readouterr().out


def test_the_trend_has_the_median_of_each_day(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for day, ms in ((0, 100), (0, 300), (0, 110), (1, 200), (4, 400)):
        other = ended_run()
        wall_ns = WALL_NS + day * 86_400_000_000_000 + ms * 10**9
        make = Make(key=other, goals=("all",), directory="/p", wall_ns=wall_ns)
        add(paths, other, make, replace(line("x", make=other, end=ms), wall_ns=wall_ns))
    assert cli.main(["report", "--all", "--json", "--target", "x"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["targets"]
    assert row["days"] == [
        [local_time(WALL_NS + day * 86_400_000_000_000)[:10], ms] for day, ms in ((0, 110), (1, 200), (4, 400))
    ]
    assert cli.main(["report", "--all", "--target", "x"]) == 0
    heading, text, *_, note = capsys.readouterr().out.splitlines()
    assert dict(zip(heading.replace("goal ", "").split(), text.split(), strict=False))["target"] == "x"
    assert text.split()[-1] == "▃▄█"
    assert note.endswith(report.TREND)


def test_what_failed_and_passed_on_the_same_commit_is_flaky(project: Project) -> None:
    git(project.folder, "init", "--quiet", "--initial-branch=main")
    commit(project.folder, "a")
    project.write("all:\n\t@test -e passes\nother:\n\t@true\n")
    for passes in (False, False, True, False, True):
        (project.folder / "passes").touch() if passes else (project.folder / "passes").unlink(missing_ok=True)
        assert (project.make().returncode == 0) is passes
    (project.folder / "passes").unlink()
    assert project.make().returncode == 2
    commit(project.folder, "b")
    (project.folder / "passes").touch()
    assert project.make("all", "other").returncode == 0
    done = project.cli("report", "--sort", "flaky")
    heading, first, second = done.stdout.splitlines()[:3]
    assert (heading.split()[-1], first.split()[0], first.split()[-1]) == ("flaky", "all", "2")
    assert (second.split()[0], second.split()[-1]) == ("other", "0")
    assert done.stdout.rstrip().endswith(report.FLAKY)
    assert json.loads(project.cli("report", "--json").stdout)["targets"][0]["failures"] == 4


def test_runs_with_other_numbers_of_jobs_are_told_apart(project: Project) -> None:
    project.write("all: a b\na b:\n\t@true\n")
    for words in (["-j2"], ["-j2"], [], ["-j"]):
        assert project.make(*words).returncode == 0

    def runs(*words: str) -> dict[int | None, int]:
        rows = json.loads(project.cli("report", "--target", "a", "--json", *words).stdout)["targets"]
        return {row["jobs"]: row["runs"] for row in rows}

    assert runs() == {None: 4}
    assert runs("--jobs", "each") == {1: 1, 2: 2, 0: 1}
    assert (runs("--jobs", "2"), runs("--jobs", "unlimited"), runs("--jobs", "7")) == ({None: 2}, {None: 1}, {})
    table = project.cli("report", "--target", "a", "--jobs", "each").stdout.splitlines()
    assert [text.split()[-1] for text in table[:1]] == ["jobs"]
    assert {text.split()[-1] for text in table[1:4]} == {"-j1", "-j2", "-j"}


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("words", [[], ["--by", "day"], ["--jobs", "each"]])
def test_on_a_terminal_every_line_fits_and_no_number_breaks(sharing: Sharing, width: int, words: list[str]) -> None:
    name = "build/" + "x" * 90 + "/end.o"
    for day in range(20):
        other = ended_run()
        wall_ns = WALL_NS + day * 86_400_000_000_000
        make = Make(key=other, goals=(name,), directory="/p", wall_ns=wall_ns, jobs=16, head="a" * 40)
        made = line(name, make=other, goal=name, end=123_000, status=day % 2, usage=(99_000_000, 3_000_000))
        add(sharing.paths, other, make, replace(made, wall_ns=wall_ns))
    terminal = spawned(sharing, "report", "--all", *words, columns=width, TERM="xterm-256color")
    terminal.expect(pexpect.EOF)
    text = terminal.before or ""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert max(map(columns, lines)) <= width
    expected = ["2m03s"] if words[:1] == ["--by"] else ["41m00s", "2m03s", "20", "10"]
    row = next(text for text in lines if "2m03s" in text)
    assert all(re.search(rf"(?<!\S){number}(?!\S)", row.replace("│", " ")) for number in expected), row
    assert "\x1b[1;31m" in text  # failures are red
    assert width == 200 or name not in row


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "day", "--sort", "own"], "--by prints a row for each day"),
        (["--by", "hour"], "--by 'hour' is not known"),
        (["--jobs", "many"], "--jobs 'many': give"),
        (["--limit", "0"], "--limit 0: give a number"),
        (["--until", "x"], "--until 'x': give"),
        (["--sort", "size"], "--sort 'size' is not known"),
        (["--format", "xml"], "--format 'xml' is not known"),
    ],
)
def test_wrong_usage_is_one_line(
    words: list[str], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"make-metrics: {message}")
    assert (captured.out, captured.err.count("\n")) == ("", 1)
