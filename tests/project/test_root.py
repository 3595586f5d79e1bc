"""Which project a directory belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.project import settings
from make_metrics.project.project import project_of
from make_metrics.project.root import find_root


@pytest.mark.parametrize("root", ["", "a", "a/b"])
@pytest.mark.parametrize("files", [[""], ["a"], ["", "a/b"], []], ids=str)
@pytest.mark.parametrize("repository", [True, False])
def test_the_walk_and_the_commands_find_the_same_root(
    tmp_path: Path, root: str, files: list[str], repository: bool
) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    if repository:
        (tmp_path / root / ".git").mkdir()
    for folder in files:
        (tmp_path / folder / settings.NAME).write_text("name = 'n'\n")
    for folder in ("", "a", "a/b", "a/b/c"):
        project = project_of(tmp_path / folder)
        assert find_root(str(tmp_path / folder)) == (str(project.directory), bool(project.settings))
