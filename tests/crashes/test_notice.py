"""The notice that the question shows."""

from __future__ import annotations

from pathlib import Path

from make_metrics.crashes import notice as crash_notice
from make_metrics.crashes import report as crash_report
from make_metrics.project.project import project_of
from make_metrics.project.settings import NAME
from tests.support.project import SOURCE
from tests.support.sharing_project import TEXT


def test_the_notice_names_each_field_and_the_receiver(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(f'{TEXT}crash-reports-dsn = "https://abc@example.org/42"\n')
    settings = project_of(tmp_path).settings
    assert settings is not None
    text = crash_notice.text(settings)
    for _, fields in crash_report.LISTS:
        for field in fields:
            assert f"{field.name}: {field.purpose}" in text
            assert field.allows(field.example), field.name
            assert all((SOURCE / source).is_file() for source in field.sources)
    assert "https://abc@example.org/42" in text
    assert all(line.isprintable() for line in text.splitlines())
