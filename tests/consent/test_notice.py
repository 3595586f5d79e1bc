"""The notice that is shown before a yes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.consent import notice
from make_metrics.project.project import Project, project_of
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES
from tests.support.settings_files import write_settings


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_settings(tmp_path)
    return project_of(tmp_path)


def test_the_notice_has_every_property_and_all_of_the_settings(project: Project) -> None:
    assert project.settings is not None
    text = notice.text(project.settings, OPTIONAL)
    for entry in (*PROPERTIES, *OPTIONAL, *CHOICE, *ENVELOPE):
        assert f"  {entry.name}: {entry.purpose}\n" in text
    for words in ("Example", "The example team", "metrics@example.org", "one year", "to make builds faster"):
        assert words in text
    for sink in project.sinks:
        assert f"{sink.host} ({sink.type}, public key {sink.key})" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_the_notices_version_changes_with_its_text(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.settings is not None
    before = notice.version(project.settings, ())
    assert before == notice.version(replace(project.settings, directory=Path("/elsewhere")), ())
    for entry in (replace(PROPERTIES[0], purpose="x"), replace(PROPERTIES[0], values="x")):
        monkeypatch.setattr(notice, "PROPERTIES", (entry, *PROPERTIES[1:]))
        assert notice.version(project.settings, ()) != before
