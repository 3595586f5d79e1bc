"""`make-metrics runs`, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.analysis.run_name import short_names
from make_metrics.combine.record import Make
from make_metrics.files.paths import Paths
from tests.support.project import Project
from tests.support.records import WALL_NS, add, ended_run, line


def test_a_run_is_a_row(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["run", "started", "goals", "status", "duration", "targets", "directory"]
    assert row.split()[0] == short_names([run])[run]
    assert row.split()[3:] == ["all", "2", "2.01s", "5", "/p"]
    assert cli.main(["runs", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["run"] == short_names([run])[run]
    assert (document["id"], document["goals"], document["exit_status"]) == (run, ["all"], 2)
    assert document["start_time"] == "2096-10-02T07:06:40.000000+00:00"


def test_since_leaves_out_what_is_older(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs", "--since", "9999-12-31", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert cli.main(["runs", "--since", "9999-12-31"]) == 0
    assert capsys.readouterr().out == "No runs since 9999-12-31: give an earlier time.\n"


def test_without_runs_the_command_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs"]) == 0
    assert "make-metrics setup" in capsys.readouterr().out


def test_people_see_the_newest_and_are_told_how_many_there_are(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(25):
        run = ended_run()
        add(paths, run, Make(key=run, goals=(f"g{number}",), directory="/p", wall_ns=WALL_NS + number * 10**9), line())
    assert cli.main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [text.split()[3] for text in lines[1:21]] == [f"g{number}" for number in range(5, 25)]
    assert lines[-1] == "The newest 20 of 25 runs: --limit N shows more."
    assert cli.main(["runs", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 25
    assert cli.main(["runs", "--limit", "2", "--format", "csv"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split(",")[:2] == ["run", "id"]
    assert ['[""g23""]' in rows[0], '[""g24""]' in rows[1], len(rows)] == [True, True, 2]
    assert cli.main(["runs", "--limit", "1", "--format", "markdown"]) == 0
    assert "| `g24` |" in capsys.readouterr().out
    assert cli.main(["runs", "--limit", "-1"]) == 2


@pytest.mark.parametrize(
    ("words", "shown", "unseen"),
    [
        (["ok", "nosuch"], "?", ["nosuch"]),
        (["-k", "nosuch", "./ok"], "?", ["nosuch"]),
        (["ok", "done", "empty"], "?", ["done", "empty"]),
        (["-k", "nosuch", "bad"], "3", []),
        (["ok", "below"], "?", ["below"]),
        (["below"], "ok", []),
        (["./ok"], "ok", []),
        (["bad", "nosuch"], "3", []),
        ([], "ok", []),
    ],
    ids=" ".join,
)
def test_a_status_that_only_make_knows_is_not_claimed(
    project: Project, words: list[str], shown: str, unseen: list[str]
) -> None:
    project.write("all: ok\nok: ; @echo ok\nbelow: ok\ndone: ; @echo done\nempty:\nbad: ; @exit 3\n")
    (project.folder / "done").touch()
    done = project.make(*words)
    row = project.cli("runs").stdout.splitlines()[1].split()
    assert shown in row
    (document,) = json.loads(project.cli("runs", "--json").stdout)
    assert (document["unseen_goals"], document["exit_status"] is None) == (unseen, bool(unseen))
    last = project.cli("last").stdout.splitlines()[0]
    assert last.endswith(
        f"unknown, as nothing ran for {' '.join(unseen)}" if unseen else "no recipe failed" if shown == "ok" else shown
    )
    one = json.loads(project.cli("last", "--format", "json").stdout)
    assert (one["unseen_goals"], one["exit_status"]) == (unseen, document["exit_status"])
    assert done.returncode == 0 or (document["exit_status"] != 0 and shown != "ok")
