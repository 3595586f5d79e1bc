"""`make-metrics runs`, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.analysis.run_name import short_names


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
