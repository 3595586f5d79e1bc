"""The benchmark in pieces: results of earlier runs are read back whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ci.bench import parts
from ci.bench.report import markdown
from tests.support.project import ROOT

KEPT = ROOT / "docs/performance.json"


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = parts.read(KEPT)
    parts.write(results, tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(KEPT.read_text())
    assert markdown(results) == (ROOT / "docs/performance.md").read_text()


@pytest.mark.parametrize("text", ["", "[]", '{"machine": {}}'])
def test_a_file_of_something_else_is_an_error_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "performance.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"performance.json|Expecting"):
        parts.read(path)


def bench(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ci.bench", "--quick", "--out", str(folder), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_part_replaces_that_part_alone(tmp_path: Path) -> None:
    done = bench(tmp_path, "--part", "starts")
    assert (done.returncode, "there are none" in done.stderr) == (2, True)
    earlier = json.loads(KEPT.read_text())
    (tmp_path / "performance.json").write_text(json.dumps(earlier))
    assert bench(tmp_path, "--part", "starts").returncode == 0
    now = json.loads((tmp_path / "performance.json").read_text())
    assert {name for name in now if now[name] != earlier[name]} == {"starts"}
    assert (tmp_path / "performance.md").read_text() == markdown(parts.read(tmp_path / "performance.json"))
