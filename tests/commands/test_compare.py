"""`make-metrics compare`: real builds that became slower, and made-up ones for what takes many runs."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pexpect
import pytest

from make_metrics import cli
from make_metrics.combine.record import Make
from make_metrics.files.paths import Paths
from make_metrics.report.wrapped import columns
from tests.support.git_repository import git
from tests.support.project import Project
from tests.support.records import WALL_NS, add, ended_run, line
from tests.support.sharing_project import Sharing
from tests.support.terminal import spawned

MAKEFILE = """\
all: app lib/x.o $(MORE)
app:
\t@sleep $(or $(S),0.15)
lib/x.o:
\t@sleep 0.05
old new:
\t@sleep 0.02
.PHONY: all app lib/x.o old new
"""
MINUTE_NS = 60_000_000_000


def build(
    paths: Paths, number: int, *, ms: float, jobs: int = 2, branch: str = "main", head: str = "a" * 40, **more: int
) -> str:
    """A run of `app` for so many milliseconds, `number` minutes after a time; `more` are other targets."""
    run = ended_run()
    wall_ns = WALL_NS + number * MINUTE_NS
    make = Make(key=run, goals=("all",), directory="/p", wall_ns=wall_ns, jobs=jobs, branch=branch, head=head)
    times = {"app": ms, **more}
    lines = [line(name, make=run, start=0, end=time) for name, time in times.items()]
    add(paths, run, make, *(replace(each, wall_ns=wall_ns) for each in lines))
    return run


def compared(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> dict[str, str]:
    """The verdict of each target."""
    assert cli.main(["compare", "--all", *words, "--json"]) == status
    return {row["target"]: row["verdict"] for row in json.loads(capsys.readouterr().out)["targets"]}


def test_a_branch_that_made_a_target_slower_fails_the_job(project: Project) -> None:
    git(project.folder, "init", "--quiet", "--initial-branch=main")
    git(project.folder, "commit", "--quiet", "--allow-empty", "--message", "x")
    project.write(MAKEFILE)
    for _ in range(6):
        assert project.make("MORE=old").returncode == 0
    git(project.folder, "checkout", "--quiet", "-b", "feature/slow")
    for _ in range(6):
        assert project.make("S=0.25", "MORE=new").returncode == 0
    done = project.cli("compare", "main", "feature/slow", "--fail-above", "20%")
    assert (done.returncode, done.stderr) == (1, "make-metrics: 1 target slower by more than 20%: app\n")
    rows = {text.split()[0]: text.split()[1:] for text in done.stdout.splitlines() if text}
    assert rows["Before:"][:4] == ["branch", "main", "(6", "runs,"]
    assert rows["app"][0] == "slower"
    assert 20 < int(rows["app"][4].strip("+%")) < 150  # 67 on a machine that has nothing else to do
    assert (rows["new"][0], rows["old"][0], "lib/x.o" in rows) == ("new", "vanished", False)
    assert project.cli("compare", "main", "feature/slow", "--fail-above", "150%").returncode == 0
    back = json.loads(project.cli("compare", "feature/slow", "main", "--json").stdout)
    assert {row["target"]: row["verdict"] for row in back["targets"]} == {
        "app": "faster", "old": "new", "new": "vanished", "lib/x.o": "same"
    }  # fmt: skip
    assert (back["version"], back["after"]["runs"], back["after"]["jobs"]) == (1, 6, [1])


def test_the_last_run_is_compared_with_a_branch_and_with_the_one_before(project: Project) -> None:
    project.write(MAKEFILE)
    for _ in range(6):
        assert project.make().returncode == 0
    assert project.make("S=0.3").returncode == 0
    done = project.cli("compare", "last~1")
    assert re.search(r"^app +slower +\d+ms +\d+ms +\+\d+ms +\+\d+%", done.stdout, re.MULTILINE), done.stdout
    assert "3 times 1.4826 times their MAD" in done.stdout
    assert project.cli("compare", "last~1", "last", "--fail-above", "20").returncode == 1
    older = project.cli("compare", "last", "last~1")
    assert older.returncode == 1
    assert "is older than" in older.stderr


def test_commits_and_their_beginnings_are_sides(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        build(paths, number, ms=100 if number < 6 else 150, head=("abcd1234" if number < 6 else "abce5678") * 5)
    assert compared(capsys, "abcd1", "abce") == {"app": "slower"}
    assert compared(capsys, "commit:abce", "commit:ABCD1") == {"app": "faster"}
    assert cli.main(["compare", "--all", "abc", "main"]) == 1
    assert "'abc'" in capsys.readouterr().err
    assert cli.main(["compare", "--all", "abcd", "abce"]) == 0
    build(paths, 20, ms=1, head="abcdffff" * 5)
    capsys.readouterr()
    assert cli.main(["compare", "--all", "abcd"]) == 1
    assert "several commits begin with abcd" in capsys.readouterr().err
    # A branch may be called like a commit.
    build(paths, 30, ms=1, branch="abce")
    assert cli.main(["compare", "--all", "abce"]) == 1
    assert "say branch:abce or commit:abce" in capsys.readouterr().err
    assert cli.main(["compare", "--all", "commit:abce", "branch:abce"]) == 0


def test_periods_are_compared(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        build(paths, number, ms=100 if number < 6 else 150)
    change, end = (f"2096-10-02T07:{minute:02}:30+00:00" for minute in (12, 30))
    words = ("--since", change, "--until", end)
    assert compared(capsys, *words, "--against", "1h") == {"app": "slower"}
    assert compared(capsys, *words, "--against", "2096-10-02T07:00:00+00:00") == {"app": "slower"}
    assert compared(capsys, *words) == {"app": "slower"}
    assert compared(capsys, *words, "--against", "3m") == {"app": "too few runs"}
    assert cli.main(["compare", "--all", *words, "--against", "2096-10-03"]) == 2
    assert "--against must begin before --since" in capsys.readouterr().err


def test_only_what_is_asked_for_is_compared(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        slow = number >= 6
        build(paths, number, ms=150 if slow else 100, branch="new" if slow else "old", jobs=8 if slow else 1, other=50)
    assert compared(capsys, "old", "new") == {"app": "slower", "other": "same"}
    assert compared(capsys, "old", "new", "--target", "o*") == {"other": "same"}
    assert cli.main(["compare", "--all", "old", "new"]) == 0
    assert "The sides differ in their numbers of jobs" in capsys.readouterr().out
    for words in (["--jobs", "1"], ["--goal", "none"]):
        assert cli.main(["compare", "--all", "old", "new", *words]) == 1
        capsys.readouterr()
    assert cli.main(["compare", "--all", "old", "new", "--format", "csv", "--limit", "1"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["target"], row["verdict"], row["before_ms"], row["after_ms"], row["percent"]) == (
        "app", "slower", "100", "150", "50.0"
    )  # fmt: skip


def test_a_target_that_failed_has_no_time(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        run = build(paths, number, ms=100, branch="new" if number >= 6 else "old")
        add(paths, run, line("bad", make=run, start=200, end=210 if number >= 6 else 400, status=number >= 6))
    assert compared(capsys, "old", "new") == {"app": "same"}


def test_markdown_for_a_pull_request_has_names_as_text(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        times = {"<img src=x>|": 200 + number // 6 * 90}
        build(paths, number, ms=1, branch="b`|<b>" if number < 6 else "new", **times)  # type: ignore[arg-type]
    assert cli.main(["compare", "--all", "b`|<b>", "new", "--format", "markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("- Before: ``branch b`\\|<b>`` (6 runs, -j2, median ")
    assert lines[2:6] == [
        "",
        "| target | change | before | after | by | part | runs |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        "| `<img src=x>\\|` | slower | 200ms | 290ms | +90ms | +45% | 6/6 |",
    ]
    assert lines[6] == ""
    assert all(text.startswith("- ") for text in lines[7:])


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ([], 2, "name what to compare: two runs, branches or commits, or --since 7d --against 7d"),
        (["a", "b", "c"], 2, "two things can be compared, not 3: a b c"),
        (["main", "--against", "7d"], 2, "--against goes with --since, not with names"),
        (["nothing"], 1, "no run that matches is of a branch or a commit 'nothing'"),
        (["main", "branch:main"], 1, "branch main and branch main are the same: there is nothing to compare"),
        (["last", "last~9"], 1, "there are not as many runs that match: last~9 goes back too far"),
        (["main", "--fail-above", "much"], 2, "--fail-above 'much': give a percentage, such as 20%"),
        (["main", "--jobs", "0"], 2, "--jobs '0': give the number of -j, or unlimited"),
        (["--since", "7d", "--against", "x"], 2, "--against 'x': give a span"),
        (["--since", "7d", "--until", "8d"], 2, "--since before --until"),
        (["--since", "1m", "--against", "1m"], 1, "no run that matches began in "),
        (["main", "--limit", "0"], 2, "--limit 0: give a number"),
    ],
)
def test_what_cannot_be_compared_gets_one_clear_line(
    words: list[str], status: int, says: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    build(paths, 0, ms=1)
    build(paths, 1, ms=1)
    assert cli.main(["compare", "--all", *words]) == status
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert says in captured.err


@pytest.mark.parametrize("width", [60, 80, 200])
def test_on_a_terminal_every_line_fits(sharing: Sharing, width: int) -> None:
    name = "build/" + "x" * 90 + "/end.o"
    for number in range(12):
        times = {name: 2_000 + number // 6 * 900}
        build(sharing.paths, number, ms=1, branch="new" if number >= 6 else "old", **times)  # type: ignore[arg-type]
    terminal = spawned(sharing, "compare", "--all", "old", "new", columns=width, TERM="xterm-256color")
    terminal.expect(pexpect.EOF)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.before or "").splitlines()
    assert max(map(columns, lines)) <= width
    (row,) = [text for text in lines if "slower" in text and "end.o" in text]
    assert all(text in row for text in ("2.00s", "2.90s", "+45%"))
    assert (name in row) == (width == 200)
