from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from ci import reference
from make_metrics import cli
from make_metrics.project import settings_file
from make_metrics.project.settings import NAME
from make_metrics.project.settings_template import TEXT
from make_metrics.sinks.kinds import BUILT_IN


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, which is empty."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_file_is_written_once_and_has_no_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init"]) == 0
    assert settings_file.read(folder / NAME)[1] == []
    (folder / NAME).write_text("# mine\n")
    assert cli.main(["init"]) == 1
    assert (folder / NAME).read_text() == "# mine\n"
    assert "exists" in capsys.readouterr().err


def test_it_writes_in_the_directory_that_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "other").mkdir()
    assert cli.main(["init", "-C", "other"]) == 0
    assert (folder / "other" / NAME).read_text() == TEXT
    assert cli.main(["init", "-C", "nowhere"]) == 1
    assert "nowhere is not a directory" in capsys.readouterr().err


def test_the_file_has_every_key_and_what_is_a_comment_is_right_too(folder: Path) -> None:
    text = re.sub(r"^# (?=\[\[|[a-z-]+ = )", "", TEXT, flags=re.MULTILINE).replace("KEY@HOST/NUMBER", "a@example.org/1")
    document = tomllib.loads(text)
    assert settings_file.parse(document, directory=folder)[1] == []
    assert document.keys() == settings_file._RULES.keys()
    assert {table["type"]: table.keys() - {"type"} for table in document["sinks"]} == {
        name: {key.name for key in kind.keys} for name, kind in BUILT_IN.items()
    }


def test_the_schema_is_that_of_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(reference.SCHEMA.read_text())
