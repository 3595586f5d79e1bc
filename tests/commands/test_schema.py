"""`make-metrics schema` and `make-metrics transparency`: the declarations, as people and programs read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES
from make_metrics.properties.trace import TRACE
from make_metrics.report import json_schema
from tests.support.settings_files import FULL_SETTINGS, write_settings


def test_the_tables_have_every_property_and_say_which_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(tmp_path, f'metrics = ["os"]\n{FULL_SETTINGS}')
    assert cli.main(["schema", "-C", str(tmp_path)]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    for entry in (*PROPERTIES, *OPTIONAL, *CHOICE, *ENVELOPE, *TRACE):
        assert entry.purpose in rows[entry.name]
    asked_for = {entry.name for entry in OPTIONAL if rows[entry.name].endswith(" yes")}
    assert asked_for == {"os"}


def test_the_json_schema_is_that_of_the_registry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema", "--json", "-C", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema.document(OPTIONAL)


def test_the_page_of_a_project_names_its_receivers_and_its_metrics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(tmp_path, f'metrics = ["os"]\n{FULL_SETTINGS}')
    assert cli.main(["transparency", "-C", str(tmp_path)]) == 0
    page = capsys.readouterr().out
    assert "The project here (Example) asks for: `os`.\n" in page
    assert "| sent to | https://events.example.org (segment) |\n" in page
