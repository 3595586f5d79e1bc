"""`make-metrics report`, from records to what a developer reads."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.commands import report
from make_metrics.files.paths import Paths
from make_metrics.report.rows import FIELDS


def test_the_report_is_plain_where_nobody_looks(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "target", "goal", "runs", "failed", "own", "median", "p95", "last", "whole", "when", "level", "directory",
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


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--limit", "0"], "--limit 0: give a number"), (["--until", "x"], "--until 'x': give"),
     (["--sort", "size"], "--sort 'size' is not known"), (["--format", "xml"], "--format 'xml' is not known")],
)  # fmt: skip
def test_wrong_usage_is_one_line(
    words: list[str], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"make-metrics: {message}")
    assert (captured.out, captured.err.count("\n")) == ("", 1)
