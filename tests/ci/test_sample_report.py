"""The sample project's reports of several systems: what must be the same is compared, times are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci import sample_report
from tests.support.project import Project


def _report(*rows: dict[str, Any]) -> dict[str, Any]:
    same = {"directory": ".", "goal": False, "runs": 2, "failures": 0, "last_exit_status": 0, "median_ms": 5}
    return {"targets": [{**same, **row} for row in rows]}


def test_times_may_differ_and_nothing_else() -> None:
    first = _report({"target": "a"}, {"target": "b"}, {"target": "b", "goal": True})
    assert not list(sample_report.differences(first, _report(*({**row, "median_ms": 9} for row in first["targets"]))))
    other = _report({"target": "a", "runs": 1}, {"target": "b", "failures": 1, "last_exit_status": 2}, {"target": "c"})
    assert list(sample_report.differences(first, other)) == [
        "a: runs 2 and 1",
        "b: failures 0 and 1",
        "b: last_exit_status 0 and 2",
        "b (goal): only in the first",
        "c: only in the other",
    ]


def test_of_a_real_report(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write("all: one\none:\n\t@:\n")
    project.make()
    report = json.loads(project.cli("report", "--format", "json").stdout)
    paths = [tmp_path / "linux.json", tmp_path / "macos.json"]
    for path in paths:
        path.write_text(json.dumps(report))
    assert sample_report.main([*map(str, paths)]) == 0
    assert "| one | 1 run, 0 failed, median" in capsys.readouterr().out
    report["targets"].pop()
    paths[1].write_text(json.dumps(report))
    assert sample_report.main([*map(str, paths)]) == 1
    assert "linux and macos: " in capsys.readouterr().out
