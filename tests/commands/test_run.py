"""`last` and `run`, as a developer asks: after real makes, in terminals and pipes."""

from __future__ import annotations

import json
import re

import pexpect
import pytest

from make_metrics.report.wrapped import columns
from tests.support.project import Project
from tests.support.sharing_project import Sharing
from tests.support.terminal import spawned

LONG = "directory/with/a/long/name/" * 10 + "file.o"
MAKEFILE = f"""\
all: a b {LONG}
\t@sleep 0.02
a b:
\t@sleep 0.1
{LONG}:
\t@sleep 0.05; exit 3
"""


def test_last_says_what_failed_and_what_was_slow(each: Project) -> None:
    each.write(MAKEFILE)
    assert each.make("-k", "-j2").returncode == 2
    done = each.cli("last")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"run [0-9a-f]{4,}  make all took [\d.]+m?s: status [23]\n", done.stdout)
    assert "  -j2: " in done.stdout
    assert LONG in done.stdout  # whole in a pipe
    assert re.search(r"Failed\n +[\d.]+m?s  .*file.o  status 3\n", done.stdout)
    assert "\x1b" not in done.stdout


def test_runs_are_asked_for_by_name_age_and_goal(project: Project) -> None:
    project.write("all test:\n\t@true\n")
    for goal in ("all", "test", "all"):
        assert project.make(goal).returncode == 0
    newest, older = (json.loads(project.cli("run", which, "--format", "json").stdout) for which in ("last", "last~2"))
    assert (newest["goals"], older["goals"]) == (["all"], ["all"])
    assert newest["id"] != older["id"]
    for name in (older["run"], older["run"] + "ffffffff"[: 4 - len(older["run"])], older["id"]):
        assert json.loads(project.cli("run", name, "--format", "json").stdout)["id"] == older["id"]
    assert json.loads(project.cli("last", "--goal", "test", "--format", "json").stdout)["goals"] == ["test"]
    assert project.cli("last", "--format", "markdown").stdout.startswith("### `make all` took ")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["run", "last~5"], 1, "there are not as many runs of this project: last~5 goes back too far"),
        (["run", "ffff"], 1, "there is no run 'ffff': make-metrics runs lists them, and last is the newest"),
        (["run", "ff"], 2, "'ff' is no run: give 4 characters or more of its name, or last, or last~1"),
        (["run", "abcd", "--goal", "all"], 2, "--goal goes with last, not with a run's name"),
        (["last", "--goal", "tes"], 1, "no run of this project had the goal 'tes'"),
        (["last", "-C", "/nowhere"], 1, "/nowhere is not a directory"),
        (["last", "-C", "elsewhere"], 1, "no run of this project is recorded: --all takes the runs of all projects"),
        (["last", "--format", "xml"], 2, "--format 'xml' is not known"),
    ],
)
def test_what_is_not_there_gets_one_clear_line(project: Project, words: list[str], status: int, says: str) -> None:
    project.write("all:\n\t@true\n")
    (project.folder / "elsewhere").mkdir()
    (project.folder / "elsewhere/make-metrics.toml").write_text('name = "x"\n')
    assert project.make().returncode == 0
    done = project.cli(*words)
    assert (done.returncode, done.stdout) == (status, "")
    lines = [line for line in done.stderr.splitlines() if says in line]
    assert len(lines) == 1, done.stderr


def test_before_the_first_run_last_says_what_to_do(project: Project) -> None:
    project.write("all:\n\t@true\n")
    done = project.cli("last")
    assert done.returncode == 1
    assert done.stderr.startswith("make-metrics: no run is recorded yet: run make")


def test_runs_of_another_project_are_asked_for_with_all(project: Project) -> None:
    project.write("all:\n\t@true\n")
    (project.folder / "elsewhere").mkdir()
    (project.folder / "elsewhere/make-metrics.toml").write_text('name = "x"\n')
    assert project.make().returncode == 0
    assert project.cli("last", "-C", "elsewhere").returncode == 1
    assert project.cli("last", "-C", "elsewhere", "--all").returncode == 0


@pytest.mark.parametrize("width", [60, 80, 200])
def test_on_a_terminal_each_line_fits_and_no_number_breaks(sharing: Sharing, width: int) -> None:
    sharing.project.write(MAKEFILE)
    assert sharing.project.make("-k", "-j2").returncode == 2
    terminal = spawned(sharing, "last", columns=width, TERM="xterm-256color")
    terminal.expect(pexpect.EOF)
    text = terminal.before or ""
    assert "\x1b[1;31m" in text  # failures are red
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert max(map(columns, lines)) <= width
    slowest = lines[next(at for at, line in enumerate(lines) if line.startswith("Slowest")) + 1 :]
    assert len(slowest) == 3
    for line in slowest:
        assert re.match(r" +[\d.]+m?s +\d+%  \S", line), line
    assert (LONG in "\n".join(lines)) is False
    assert any("direct" in line and "..." in line and line.endswith("file.o") for line in slowest)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_without_colours_nothing_but_text_is_printed(sharing: Sharing, environ: dict[str, str]) -> None:
    sharing.project.write(MAKEFILE)
    assert sharing.project.make("-k").returncode == 2
    terminal = spawned(sharing, "last", **environ)  # type: ignore[arg-type]
    terminal.expect(pexpect.EOF)
    text = terminal.before or ""
    assert "Slowest targets" in text
    assert "\x1b" not in text
