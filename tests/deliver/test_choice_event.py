"""The event of a yes or a no."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.deliver import choice_event
from make_metrics.project.project import Project, project_of
from make_metrics.properties.registry import CHOICE
from tests.support.events import ID
from tests.support.records import WALL_NS
from tests.support.settings_files import write_settings


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_settings(tmp_path)
    return project_of(tmp_path)


@pytest.mark.parametrize("choice", ["in", "out"])
def test_a_choice_goes_to_each_sink_with_declared_properties_only(project: Project, choice: str) -> None:
    entries = choice_event.entries(project, choice=choice, anonymous_id=ID, now_ns=WALL_NS)
    assert len(entries) == 2
    assert set(entries[0].message["properties"]) <= {declaration.name for declaration in CHOICE}
