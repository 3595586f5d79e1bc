"""`make-metrics report`, from records to what a developer reads."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.commands import report
from make_metrics.files.paths import Paths


def test_the_report_is_plain_where_nobody_looks(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "target", "goal", "runs", "failed", "total", "median", "p95", "last", "when", "level", "directory",
    ]  # fmt: skip
    assert lines[1].split()[:8] == ["all", "goal", "1", "1", "2.01s", "2.01s", "2.01s", "2.01s"]
    assert lines[2].split()[:7] == ["a", "1", "0", "2.00s", "2.00s", "2.00s", "2.00s"]
    assert any(text.startswith("\\x1b[31mred\\n") and text.split()[-2:] == ["1", "lib"] for text in lines)
    assert lines[-1] == report.NOTE
    assert all(text.isprintable() and text.isascii() and text == text.rstrip() for text in lines)


def test_the_report_as_json_has_a_row_for_each_target(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--json"]) == 0
    captured = capsys.readouterr()
    rows = json.loads(captured.out)["targets"]
    assert captured.err == ""
    assert [(row["target"], row["goal"], row["failures"]) for row in rows[:3]] == [
        ("all", True, 1),
        ("a", False, 0),
        ("b", False, 1),
    ]


def test_since_leaves_out_what_is_older(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--since", "2100-01-01"]) == 0
    assert capsys.readouterr().out == "No events since 2100-01-01: give an earlier time.\n"


def test_a_bad_since_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--since=yesterday"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("make-metrics: --since")
    assert captured.err.count("\n") == 1


def test_without_events_the_report_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 0
    assert "make-metrics setup" in capsys.readouterr().out
    assert cli.main(["report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == []


def test_bad_input_is_one_line_each_and_the_report_is_made(
    run: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.store.write_bytes(os.urandom(5_000))
    (paths.records / "x.rec").write_bytes(os.urandom(500).replace(b"\n", b""))
    assert cli.main(["report", "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["targets"]) == 5
    assert captured.err.count("\n") == 2
    assert all(text.startswith("make-metrics: ") for text in captured.err.splitlines())
    assert len(list(paths.set_aside.iterdir())) == 2
    assert cli.main(["report"]) == 0
    assert capsys.readouterr().err == ""
